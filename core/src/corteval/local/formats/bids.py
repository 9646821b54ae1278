"""Single-trial responses in BIDS derivatives as a neural assembly.

``responses.file`` names the folder of the derivatives. Read are, of files named ``sub-*``, either

- tables ``*_betas.tsv`` or ``*_timeseries.tsv``: a row a presentation (or condition), a column that
  names the stimulus, and a column of numbers a region of interest; or
- images ``*_statmap.nii[.gz]`` or ``*betas*.nii[.gz]``: a volume a presentation, beside each a
  table of the same name that ends in ``.tsv`` and names the stimulus of each volume, and a mask
  ``*_mask.nii[.gz]`` of the subject, whose voxels become neuroids.

``responses.variable`` names the column with the stimulus where it is not clear, and
``responses.value`` a pattern of file names (``"*_desc-rois_betas.tsv"``) where there are several
kinds. Raw time courses (``*_bold.nii.gz``, a row a volume) are no responses: fit a model first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.errors import DatasetError, OptionError
from corteval.local.description import Description, within
from corteval.local.formats.columns import numbers
from corteval.local.formats.repeats import (
    STIMULUS_COLUMNS,
    by_stimulus,
    check_all_shown,
    named_rows,
    stimulus_column,
)
from corteval.local.formats.tables import Table, read_table
from corteval.local.problems import Findings
from corteval.requests import TimeBin
from corteval.stimuli import StimulusSet

TABLES = ("*_betas.tsv", "*_timeseries.tsv")
IMAGES = tuple(f"{name}.nii{end}" for name in ("*_statmap", "*betas*") for end in ("", ".gz"))
MASKS = ("*_mask.nii", "*_mask.nii.gz")

#: Columns of tables that describe the presentation: no regions.
_ABOUT = {
    *STIMULUS_COLUMNS,
    "onset",
    "duration",
    "trial",
    "trial_number",
    "repetition",
    "run",
    "session",
    "subject",
    "stim_file",
    "response_time",
}
#: A compressed image that declares more per byte is a mistake or an attack.
_LARGEST_RATIO, _SMALL = 1000, 64 * 2**20
#: Entities that tell one presentation from another; others tell two views of it.
_OCCASION = ("sub", "ses", "task", "acq", "ce", "dir", "run", "contrast")
_ENTITY = re.compile(r"([A-Za-z0-9]+)-([A-Za-z0-9+]+)")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """Responses of one file: values (row, neuroid), float32, and the stimulus id of each row."""

    values: np.ndarray
    shown: Sequence[str]
    columns: Mapping[str, Sequence[Any]]


def read(description: Description, stimuli: StimulusSet) -> xr.DataArray:
    """Responses of all subjects.

    What a subject has of one stimulus, in order of session, run and row, are its trials.

    Args:
        description: ``responses.file`` is the folder.
        stimuli: fixes the order of presentations. All must have been shown to somebody; where a
            subject did not see one, or saw it less often, responses are NaN.

    Returns:
        presentation x neuroid [x time_bin] x trial, float32. Neuroids have ``subject`` and
        ``region``, voxels also ``i``, ``j``, ``k``; a region is ``sub-01_V1``, a voxel
        ``sub-01_31_20_7``.

    Raises:
        OptionError: if there are images and nibabel is not installed.
        DatasetError: says what was found and what is expected.
    """
    bins = [TimeBin(start_ms=a, end_ms=b) for a, b in description.responses.time_bin_ms]
    name = description.responses.file
    if len(bins) > 1:
        raise DatasetError(f"{name}: a beta has one time; responses.time_bin_ms has {len(bins)}.")
    runs: dict[str, list[_Run]] = {}
    for subject, run in _runs(description, stimuli):
        runs.setdefault(subject, []).append(run)
    shown = {subject: [i for run in many for i in run.shown] for subject, many in runs.items()}
    check_all_shown([i for ids in shown.values() for i in ids], stimuli, name)
    trials = max(max(Counter(ids).values()) for ids in shown.values() if ids)
    parts, columns = [], []
    for subject in list(runs):
        values, about = _together(runs.pop(subject))  # held once, not twice
        parts.append(by_stimulus(values, shown[subject], stimuli, trials))
        columns.append(about)
    values = np.concatenate(parts, axis=1)
    return neural(
        values[:, :, None] if bins else values,
        stimuli.stimulus_ids,
        {key: [entry for about in columns for entry in about[key]] for key in columns[0]},
        time_bins=bins,
        attrs={"unit": description.responses.unit or "beta", "responses_from": name},
    )


def entities(name: str) -> dict[str, str]:
    """Entities of a BIDS file name.

    >>> entities("sub-01_ses-02_task-rest_desc-x_mask.nii.gz")
    {'sub': '01', 'ses': '02', 'task': 'rest', 'desc': 'x'}
    """
    parts = (_ENTITY.fullmatch(part) for part in name.partition(".")[0].split("_"))
    return {match[1]: match[2] for match in parts if match}


def _together(runs: Sequence[_Run]) -> tuple[np.ndarray, Mapping[str, Sequence[Any]]]:
    """Rows of one subject below each other; a neuroid that a run lacks is NaN there."""
    ids = list(dict.fromkeys(i for run in runs for i in run.columns["neuroid_id"]))
    place = {neuroid: index for index, neuroid in enumerate(ids)}
    rows = []
    for run in runs:
        values = np.full((len(run.values), len(ids)), np.nan, np.float32)
        values[:, [place[i] for i in run.columns["neuroid_id"]]] = run.values
        rows.append(values)
    columns: dict[str, list[Any]] = {key: [None] * len(ids) for key in runs[0].columns}
    for run in runs:
        for key, entries in run.columns.items():
            for neuroid, entry in zip(run.columns["neuroid_id"], entries, strict=True):
                columns[key][place[neuroid]] = entry
    return np.concatenate(rows), columns


# Which files


def _runs(description: Description, stimuli: StimulusSet) -> Iterator[tuple[str, _Run]]:
    root = within(description.folder, description.responses.file, "responses.file")
    files = _files(root, description)
    by_subject: dict[str, list[Path]] = {}
    for path in files:
        by_subject.setdefault(f"sub-{entities(path.name)['sub']}", []).append(path)
    for subject, paths in by_subject.items():
        if paths[0].name.endswith(".tsv"):
            for path in paths:
                yield subject, _table_run(path, subject, description, stimuli)
        else:
            for run in _image_runs(paths, subject, root, description, stimuli):
                yield subject, run


def _files(root: Path, description: Description) -> list[Path]:
    """Files with responses, all of one kind, in the order of subjects, sessions and runs."""
    where = description.responses.file
    if not root.is_dir():
        raise DatasetError(f"{where} is not a folder. Name the folder of the BIDS derivatives.")
    every = [path for path in root.rglob("sub-*") if path.is_file()]
    named = [path for path in every if "sub" in entities(path.name)]
    asked = description.responses.value
    tables = [p for p in named if _matches(p, (asked,) if asked else TABLES, ".tsv")]
    images = [p for p in named if _matches(p, (asked,) if asked else IMAGES, (".nii", ".nii.gz"))]
    images = [p for p in images if not _matches(p, MASKS)]
    beside = {_stem(image) for image in images}  # tables that name the stimuli of volumes
    tables = [p for p in tables if _stem(p) not in beside]
    if bool(tables) == bool(images):
        kinds = Counter(p.name.rpartition("_")[2] for p in named)
        found = ", ".join(f"{count} x *_{kind}" for kind, count in kinds.most_common(8))
        chosen = asked or ", ".join((*TABLES, *IMAGES))
        what = "both tables and images" if tables else "neither tables nor images"
        raise DatasetError(
            f"{where} has {what} of responses ({chosen}) below sub-*; found: {found or 'nothing'}. "
            'Name those to read, e.g. responses.value = "*_desc-rois_betas.tsv".'
        )
    first: dict[tuple[str, ...], Path] = {}
    for path in sorted(tables or images):
        own = entities(path.name)
        other = first.setdefault(tuple(own.get(key, "") for key in _OCCASION), path)
        if other is not path:
            raise DatasetError(
                f"{where}: {other.name} and {path.name} are of one run: two views of the same "
                "presentations, not repeats. Name one kind by a pattern, e.g. responses.value = "
                f'"*{path.name.partition("_")[2]}".'
            )
        within(description.folder, _relative(path, description), "the file of responses")
    return sorted(tables or images, key=_natural)


def _matches(path: Path, patterns: Sequence[str], ends: str | tuple[str, ...] = "") -> bool:
    return path.name.endswith(ends) and any(fnmatch(path.name, p) for p in patterns)


def _stem(path: Path) -> Path:
    return path.with_name(path.name.partition(".")[0])


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key in which run-2 comes before run-10."""
    parts = re.split(r"(\d+)", path.as_posix())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def _relative(path: Path, description: Description) -> str:
    return path.relative_to(description.folder).as_posix()


# Tables


def _table_run(path: Path, subject: str, description: Description, stimuli: StimulusSet) -> _Run:
    findings = Findings()
    name = _relative(path, description)
    table = read_table(description.folder, name, "the table of responses", findings)
    column, kept, shown = _shown(table, description, stimuli)
    regions = [c for c in table.frame.columns if c not in _ABOUT and c != column]
    if not regions:
        raise DatasetError(
            f"{name} has no column of responses beside {', '.join(table.frame.columns)}. Expected: "
            "one column of numbers for each region of interest."
        )
    values = np.stack([numbers(table, region, findings) for region in regions], axis=1)
    values = findings.required(values, name)
    return _Run(
        values=values[kept].astype(np.float32),
        shown=shown,
        columns={
            "neuroid_id": [f"{subject}_{region}" for region in regions],
            "subject": [subject] * len(regions),
            "region": regions,
        },
    )


def _shown(
    table: Table, description: Description, stimuli: StimulusSet
) -> tuple[str, np.ndarray, list[str]]:
    """Column that names the stimulus, which rows name one, and those they name."""
    asked = description.responses.variable
    texts = {c: [t.strip() for t in table.text(c)] for c in table.frame.columns}
    column = stimulus_column(texts, asked, stimuli, table.name)
    kept = named_rows(texts[column], stimuli, f"{table.name}: {column}", 2)
    return column, kept, [t for t, keep in zip(texts[column], kept, strict=True) if keep]


# Images


def _image_runs(
    paths: Sequence[Path],
    subject: str,
    root: Path,
    description: Description,
    stimuli: StimulusSet,
) -> Iterator[_Run]:
    opened = {path: _opened(path, description) for path in paths}
    masks: dict[Path, np.ndarray] = {}
    for path, image in opened.items():
        mask_path = _mask_of(path, subject, root, description)
        mask = _opened(mask_path, description)
        if mask.shape != image.shape[:3] or not np.allclose(mask.affine, image.affine, atol=1e-3):
            raise DatasetError(
                f"{_relative(mask_path, description)} has shape {mask.shape} and another place or "
                f"size of voxels than {_relative(path, description)} with {image.shape}. Resample "
                "the mask to the betas."
            )
        masks[path] = np.nan_to_num(_values(mask)) > 0
    shapes = {mask.shape for mask in masks.values()}
    if len(shapes) > 1:
        raise DatasetError(f"The images of {subject} differ in shape: {sorted(shapes)}.")
    common = np.logical_and.reduce(list(masks.values()))
    if not common.any():
        raise DatasetError(f"No voxel of {subject} lies in the masks of all its images.")
    voxels = np.argwhere(common)
    columns = {
        "neuroid_id": [f"{subject}_{i}_{j}_{k}" for i, j, k in voxels],
        "subject": [subject] * len(voxels),
        "region": [description.responses.target] * len(voxels),
        **{axis: voxels[:, number].tolist() for number, axis in enumerate("ijk")},
    }
    for path, image in opened.items():
        kept, shown = _sidecar(path, image, description, stimuli)
        values = _values(image).reshape(*image.shape[:3], -1)
        yield _Run(values=values[common].T[kept], shown=shown, columns=columns)


def _sidecar(
    path: Path, image: Any, description: Description, stimuli: StimulusSet
) -> tuple[np.ndarray, list[str]]:
    """Which volumes of an image show a stimulus, and which."""
    name = _relative(path, description)
    beside = _stem(path).with_suffix(".tsv")
    if not beside.is_file():
        raise DatasetError(
            f"{name} has no {beside.name} beside it. Expected: a table with one row for each "
            "volume and a column that names its stimulus, e.g. stim_id."
        )
    table = read_table(
        description.folder, _relative(beside, description), "the table of volumes", Findings()
    )
    volumes = image.shape[3] if len(image.shape) == 4 else 1
    if len(table) != volumes:
        raise DatasetError(f"{table.name} has {len(table)} rows, {name} {volumes} volumes.")
    _, kept, shown = _shown(table, description, stimuli)
    return kept, shown


def _mask_of(path: Path, subject: str, root: Path, description: Description) -> Path:
    """The subject's mask whose entities contradict none of the image's, the most specific one."""
    own = entities(path.name)
    fitting: dict[Path, int] = {}
    for mask in (p for pattern in MASKS for p in root.rglob(f"{subject}{pattern}")):
        said = {k: v for k, v in entities(mask.name).items() if k not in ("desc", "label")}
        if all(own.get(key) == value for key, value in said.items()):
            fitting[mask] = len(said)
    best = [mask for mask, count in fitting.items() if count == max(fitting.values())]
    if len(best) == 1:
        within(description.folder, _relative(best[0], description), "the mask")
        return best[0]
    found = ", ".join(sorted(mask.name for mask in best)) or "none"
    raise DatasetError(
        f"{_relative(path, description)} needs one mask, {subject}_*_mask.nii.gz, of the same "
        f"space, session and run where it names them; found: {found}. Leave the one whose voxels "
        "are the neuroids."
    )


def _opened(path: Path, description: Description) -> Any:
    """Header of a NIfTI image of three or four dimensions."""
    try:
        import nibabel
    except ImportError as error:
        raise OptionError(
            f"{path.name} is a NIfTI image, and nibabel is not installed ({error}). "
            'Install it: pip install "corteval[bids]"'
        ) from error
    name = _relative(path, description)
    try:
        image = nibabel.load(path)
        if not isinstance(image, nibabel.Nifti1Image | nibabel.Nifti2Image):
            raise ValueError(f"it is a {type(image).__name__}")
        header: Any = image.header
        dims, kind = image.shape, header.get_data_dtype()
    except Exception as error:  # nibabel's errors and those of gzip have no common base
        raise DatasetError(f"{name} is no readable NIfTI image: {error}. Copy it again.") from error
    if len(dims) not in (3, 4) or kind.kind not in "fiu" or not all(dims):
        raise DatasetError(
            f"{name} has shape {dims} of {kind}; expected numbers, x, y, z[, volume]."
        )
    size, declared = path.stat().st_size, int(np.prod(dims, dtype=object)) * kind.itemsize
    if declared > max(_LARGEST_RATIO * size, _SMALL):
        raise DatasetError(
            f"{name} is refused: its {size} bytes declare shape {dims}, far more than they hold."
        )
    return image


def _values(image: Any) -> np.ndarray:
    try:
        return np.asarray(image.get_fdata(caching="unchanged", dtype=np.float32))
    except Exception as error:  # as above: a file cut short shows only here
        raise DatasetError(
            f"{image.get_filename()} cannot be read: {error}. Copy it again."
        ) from error
