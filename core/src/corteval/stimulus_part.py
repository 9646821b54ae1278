"""Parts of a benchmark's stimuli: one to choose on, one to report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval.errors import OptionError
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class StimulusPart:
    """One of two disjoint parts of a benchmark's stimuli: one to choose on, one to report.

    Stimuli that belong together stay together: those of one content, of one context, and of one
    value of the first coordinate in `together` that they have and that tells any of them apart.
    Such groups are put in order by the SHA-256 of seed and content; the ``"selection"`` part is the
    beginning of that order, as near to `share` of all stimuli as whole groups allow, and the
    ``"report"`` part the rest. So neither the order of rows nor the ids matter.

    Args:
        share: of the stimuli that are in the ``"selection"`` part.
        seed: of the division.
        which: of the two parts.
        together: presentation coordinates, or columns of stimuli, whose values are not divided.
    """

    share: float = 0.5
    seed: int = 0
    which: Literal["selection", "report"] = "selection"
    together: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise OptionError(
                f"A part is a share between 0 and 1 of the stimuli, not {self.share}."
            )
        if self.which not in ("selection", "report"):
            raise OptionError(f"Parts are 'selection' and 'report', not {self.which!r}.")

    def of(self, stimuli: StimulusSet, assembly: xr.DataArray) -> list[str]:
        """Ids of the part's stimuli, in the order of `stimuli`.

        Args:
            stimuli: all of the benchmark.
            assembly: tells by its presentation coordinates what belongs together.

        Raises:
            OptionError: if all stimuli belong together.
            AssemblyError: if stimuli and assembly are not of the same stimuli.
        """
        assembly = assemblies.in_order(assembly, stimuli.stimulus_ids)
        ids, contents = np.array(stimuli.stimulus_ids), np.array(stimuli.contents())
        bonds = self._bonds(stimuli, assembly, contents)
        group = _connected([*bonds.values()])
        members = [np.flatnonzero(group == number) for number in range(group.max() + 1)]
        if len(members) < 2:
            raise OptionError(
                f"{stimuli.identifier} cannot be divided: its {len(ids)} stimuli belong together "
                f"by {', '.join(bonds)}. Choose on another data set."
            )
        members.sort(key=lambda rows: (self._place(contents[rows]), min(ids[rows])))
        filled = np.cumsum([len(rows) for rows in members])[:-1]
        first = int(np.argmin(np.abs(filled - self.share * len(ids)))) + 1
        kept = members[:first] if self.which == "selection" else members[first:]
        return [str(i) for i in ids[np.sort(np.concatenate(kept))]]

    def _bonds(
        self, stimuli: StimulusSet, assembly: xr.DataArray, contents: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Labels over stimuli; those of one label belong together."""
        table = stimuli.table
        if "context_id" in table.columns:  # one word occurs in many contexts
            bonds = {"context_id": table["context_id"].to_numpy(str)}
        else:
            bonds = {"content": contents}
        for name in self.together:
            if name in assembly.coords and assembly[name].dims == ("presentation",):
                label = assembly[name].values.astype(str)
            elif name in table.columns:
                label = table[name].to_numpy(str)
            else:
                continue
            if (label != label[0]).any():
                return {**bonds, name: label}
        return bonds

    def _place(self, contents: np.ndarray) -> str:
        """Where a group stands in the order: a number drawn by its contents and the seed."""
        text = "|".join([str(self.seed), *sorted(contents.tolist())])
        return hashlib.sha256(text.encode()).hexdigest()


def _connected(labels: list[np.ndarray]) -> np.ndarray:
    """Number of the group each row is in: rows of one label, in any of `labels`, share a group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(len(labels[0]))
    firsts = []
    for label in labels:
        _, first, code = np.unique(label, return_index=True, return_inverse=True)
        firsts.append(first[code])
    ends = (np.tile(rows, len(labels)), np.concatenate(firsts))
    graph = coo_array((np.ones(len(ends[0]), bool), ends), shape=(len(rows), len(rows)))
    return np.asarray(connected_components(graph, directed=False)[1])
