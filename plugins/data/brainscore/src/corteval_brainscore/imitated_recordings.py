"""Recordings of known reliability in the archive's form: two stimulus sets and two assemblies.

For tests of every benchmark that is fitted on one set and tested on another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval_brainscore.imitation import Imitation, png

_DIMS = ("presentation", "neuroid", "time_bin")


@final
@dataclass(frozen=True, kw_only=True)
class Written:
    """What the files were made from.

    Args:
        causes: (presentation, neuroid) hidden causes of responses to all stimuli.
        signal: (stimulus, neuroid, time_bin) noiseless responses to the training stimuli, then to
            those tested.
        trials: (stimulus, trial, neuroid, time_bin) by ``"train"`` and ``"test"``.
        reliability: of the mean over the test trials: s² / (s² + n² / T) with signal variance
            s² = 1, variance of noise n² and T trials.
    """

    causes: xr.DataArray
    signal: np.ndarray
    trials: Mapping[str, np.ndarray]
    reliability: float


def write(
    archive: Imitation,
    name: str,
    neuroids: Mapping[str, Sequence[Any]],
    *,
    train: tuple[int, int] = (120, 1),
    test: tuple[int, int] = (40, 6),
    causes: int = 4,
    noise: float = 1.0,
    bins: Sequence[tuple[float, float]] = ((0.0, 1.0),),
    seed: int = 0,
) -> Written:
    """Write ``<name>_train`` and ``<name>_test`` with their stimuli, rows in shuffled order.

    Args:
        archive: an imitation.
        name: prefix of the members.
        neuroids: coordinates of neuroids.
        train, test: stimuli and trials of each.
        causes: hidden causes that responses are linear in.
        noise: standard deviation of a trial about the response, whose own is 1.
        bins: start and end of time bins.
        seed: of everything drawn.
    """
    rng = np.random.default_rng(seed)
    total, count = train[0] + test[0], len(next(iter(neuroids.values())))
    hidden = rng.normal(size=(total, causes))
    weights = rng.normal(size=(causes, count, len(bins)))
    signal = np.einsum("sc,cnb->snb", hidden, weights / np.linalg.norm(weights, axis=0))
    ids = [f"thing_{number:05d}" for number in range(total)]
    drawn = {}
    for part, first, (stimuli, trials) in (("train", 0, train), ("test", train[0], test)):
        rows = slice(first, first + stimuli)
        shape = (stimuli, trials, count, len(bins))
        drawn[part] = signal[rows][:, None] + noise * rng.normal(size=shape)
        _write_part(archive, f"{name}_{part}", ids[rows], drawn[part], neuroids, bins, rng)
    return Written(
        causes=neural(hidden, ids, {"neuroid_id": [f"cause-{c}" for c in range(causes)]}),
        signal=signal,
        trials=drawn,
        reliability=1 / (1 + noise**2 / test[1]),
    )


def _write_part(
    archive: Imitation,
    member: str,
    ids: Sequence[str],
    values: np.ndarray,
    neuroids: Mapping[str, Sequence[Any]],
    bins: Sequence[tuple[float, float]],
    rng: np.random.Generator,
) -> None:
    study, _, part = member.rpartition("_")
    stimulus_set = f"{study}_stim_{part}"
    rows = [{"stimulus_id": i, "filename": f"{i}.png", "label": i, "object_name": i} for i in ids]
    pictures = rng.integers(0, 256, (len(ids), 4, 4, 3), np.uint8)
    archive.add_stimuli(
        stimulus_set,
        rows,
        {f"{i}.png": png(picture) for i, picture in zip(ids, pictures, strict=True)},
    )
    stimuli, trials, *rest = values.shape
    order = rng.permutation(stimuli * trials)
    along = {
        "stimulus_id": np.repeat(ids, trials)[order],
        "repetition": np.tile(np.arange(trials), stimuli)[order],
    }
    archive.add_assembly(
        member,
        values.reshape(stimuli * trials, *rest)[order],
        _DIMS,
        {
            **{column: (("presentation",), content) for column, content in along.items()},
            **{column: (("neuroid",), content) for column, content in neuroids.items()},
            "time_bin_start": (("time_bin",), [start for start, _ in bins]),
            "time_bin_end": (("time_bin",), [end for _, end in bins]),
        },
        stimulus_set=stimulus_set,
        form="NeuroidAssembly",
    )
