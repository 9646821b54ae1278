"""The archive's stimuli: a csv with the zip of the files that it names, or texts in an assembly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from corteval.errors import StimuliError
from corteval.stimuli import SHOWN, StimulusSet
from corteval_brainscore.netcdf import StoredArray, text

_IDS = ("stimulus_id", "image_id")
#: Columns in which "NA", "007" and "1e3" are names.
_LETTERS = (*_IDS, "filename")
_DEGREES = ("degrees", "visual_degrees")
#: Columns of an assembly with what was read, what belongs to one context, and the order in it.
_TEXTS = ("stimulus", "sentence", "word")
_CONTEXTS = ("passage_label", "story", "story_id", "sentence_id")
_POSITIONS = ("stimulus_num", "word_num")
_FIRST = 5


def read_table(path: Path) -> pd.DataFrame:
    """Stimulus table indexed by ``stimulus_id``, which may be called ``image_id``; ids are text.

    Columns whose names mean something in Corteval (path, text, context_id, position) end in
    ``_stored``, so that nothing of the experimenter's is shown to a subject.

    Raises:
        StimuliError: names the file and what is wrong with it.
    """
    try:
        table = pd.read_csv(path, encoding="utf-8")
        letters = pd.read_csv(
            path, encoding="utf-8", usecols=_LETTERS.__contains__, dtype=str, na_filter=False
        )
    except (OSError, ValueError, MemoryError) as error:  # of pandas, all are ValueErrors
        reason = " ".join(str(error).split())[:200]
        raise StimuliError(f"{path} is no readable stimulus table: {reason}.") from error
    ids = next((name for name in _IDS if name in table.columns), None)
    if ids is None:
        listed = ", ".join(map(str, table.columns[:8]))
        raise StimuliError(f"{path} has neither column stimulus_id nor image_id; it has {listed}.")
    table[letters.columns] = letters.astype(object)
    unnamed = [c for c in table.columns if str(c).startswith("Unnamed: ")]  # the writer's index
    table = table.drop(columns=unnamed).set_index(ids)
    table.index.name = "stimulus_id"
    repeated = table.index[table.index.duplicated()]
    if len(repeated):
        raise StimuliError(f"{path}: stimulus ids repeat: {_listed(repeated)}.")
    return table.rename(columns={name: f"{name}_stored" for name in SHOWN})


def image_set(
    identifier: str, table: pd.DataFrame, folder: Path, visual_degrees: float | None
) -> StimulusSet:
    """The stimuli of a table whose column ``filename`` names files of `folder`, to the letter.

    Args:
        identifier: for messages.
        table: of `read_table`.
        folder: the unpacked zip.
        visual_degrees: extent; None takes it from the table, if one is there for all stimuli.

    Raises:
        StimuliError: names the files that are not there.
    """
    if "filename" not in table.columns:
        listed = ", ".join(map(str, table.columns[:8]))
        raise StimuliError(
            f"{identifier}: the stimulus table has no column filename; it has {listed}."
        )
    names = [str(name) for name in table["filename"]]
    unsafe = [n for n in names if PurePosixPath(n).is_absolute() or ".." in PurePosixPath(n).parts]
    if unsafe:
        raise StimuliError(f"{identifier}: {_listed(unsafe)} lead out of the folder of the files.")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    missing = [name for name in names if name not in there]
    if missing:
        raise StimuliError(
            f"{identifier}: {len(missing)} of {len(names)} files that the stimulus table names are "
            f"not in the archive: {_listed(missing)}.{_nearly(missing, there)}"
        )
    return StimulusSet(
        identifier=identifier,
        modality="image",
        table=table.assign(path=[str(folder / name) for name in names]),
        visual_degrees=_degrees(table) if visual_degrees is None else visual_degrees,
    )


def text_set(identifier: str, stored: StoredArray) -> StimulusSet:
    """Texts that an assembly names along its presentations, each once.

    ``text`` is the first of the coordinates ``stimulus``, ``sentence`` and ``word``;
    ``context_id`` the first of ``passage_label``, ``story``, ``story_id`` and ``sentence_id``,
    with the ``experiment`` before it if there is one; ``position`` is the order of ``stimulus_num``
    or ``word_num`` in the context, else that of rows.

    Raises:
        StimuliError: if there is no text, or one id has two texts.
    """
    columns = stored.along("presentation")
    name = next((n for n in _TEXTS if n in columns), None)
    if name is None or "stimulus_id" not in columns:
        raise StimuliError(
            f"{identifier}: {stored.path.name} has no stimulus_id, or none of {', '.join(_TEXTS)}."
        )
    table = pd.DataFrame(
        {n: values for n, values in columns.items() if n not in {"stimulus_id", "presentation"}}
    )
    table = table.rename(columns={n: f"{n}_stored" for n in SHOWN})
    table.index = pd.Index(text(columns["stimulus_id"]), name="stimulus_id", dtype=object)
    table["text"] = [str(word) for word in columns[name]]
    context = next((n for n in _CONTEXTS if n in columns), None)
    if context is not None:
        table["context_id"] = text(columns[context])
        if "experiment" in columns:
            table["context_id"] = [
                f"{experiment}.{label}"
                for experiment, label in zip(
                    text(columns["experiment"]), table["context_id"], strict=True
                )
            ]
        order = next((columns[n] for n in _POSITIONS if n in columns), np.arange(len(table)))
        table["position"] = (
            pd.Series(order, index=table.index)
            .groupby(table["context_id"].to_numpy())
            .rank("dense")
        ).astype(int) - 1
    two = table["text"].groupby(level=0).nunique()
    if (two > 1).any():
        raise StimuliError(f"{identifier}: of two texts: {_listed(two.index[two > 1])}.")
    return StimulusSet(
        identifier=identifier, modality="text", table=table[~table.index.duplicated()]
    )


def in_table(recorded: Sequence[str], table_ids: Sequence[str]) -> dict[str, str]:
    """How the table calls what the assembly recorded; what is not in the table is left out.

    Text is compared with text. Only if nothing agrees, whole numbers are compared as numbers: one
    of the files may have lost leading zeros.
    """
    known = set(table_ids)
    same = {i: i for i in recorded if i in known}
    if same or not all(i.isdecimal() for i in (*recorded, *table_ids)):
        return same
    numbers: dict[int, list[str]] = {}
    for name in table_ids:
        numbers.setdefault(int(name), []).append(name)
    if max(map(len, numbers.values()), default=0) > 1:
        return {}
    return {i: numbers[int(i)][0] for i in recorded if int(i) in numbers}


def merged_columns(
    table: pd.DataFrame, stimulus_ids: Sequence[str], taken: Collection[Any]
) -> dict[str, Any]:
    """Ids and columns of the stimulus table along presentation, unless a coordinate has the name.

    Raises:
        StimuliError: names stimuli that are not in the table.
    """
    names = in_table(stimulus_ids, list(table.index))
    missing = [i for i in dict.fromkeys(stimulus_ids) if i not in names]
    if missing:
        raise StimuliError(
            f"{len(missing)} recorded stimuli are not in the stimulus table: {_listed(missing)}. "
            "merges=False reads the assembly without the table."
        )
    called = [names[i] for i in stimulus_ids]
    rows = table.index.get_indexer(pd.Index(called))
    coords: dict[str, Any] = {"stimulus_id": ("presentation", called)}
    for name in table.columns:
        if name not in taken:
            values = table[name].to_numpy()
            if values.dtype.kind not in "biuf":
                values = table[name].astype(object).fillna("").astype(str).to_numpy(str)
            coords[str(name)] = "presentation", values[rows]
    return coords


def _degrees(table: pd.DataFrame) -> float | None:
    for name in _DEGREES:
        if name in table.columns:
            values = pd.to_numeric(table[name], errors="coerce").unique()
            if len(values) == 1 and values[0] > 0:
                return float(values[0])
    return None


def _nearly(missing: Sequence[str], there: Collection[str]) -> str:
    folded = {name.casefold(): name for name in there}
    near = [folded[name.casefold()] for name in missing if name.casefold() in folded]
    return f" There are {_listed(near)}, which differ by case." if near else ""


def _listed(names: Any) -> str:
    shown = ", ".join(ascii(str(n))[1:-1] for n in list(names)[:_FIRST])
    return shown + (", ..." if len(names) > _FIRST else "")
