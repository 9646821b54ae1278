"""An examination of a lab's folder: every problem with its place, and what the data are like."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import assembly as assemblies
from corteval.errors import CortevalError
from corteval.local.description import Description, within
from corteval.local.formats.synonyms import candidates
from corteval.local.formats.tables import column_is
from corteval.local.loading import read_responses
from corteval.local.probe import survives
from corteval.local.problems import Findings, Problem
from corteval.local.stimulus_table import FoundStimuli, check_images, read_stimuli
from corteval.local.survey import Survey, survey
from corteval.stats.splits import GROUPINGS
from corteval.stimuli import StimulusSet

__all__ = ["Problem", "Report", "examine"]

#: Times after onset beyond which milliseconds are hardly meant.
_SHORTEST_MS, _LONGEST_MS = 10.0, 60_000.0
#: Images of more degrees than this were measured in something else.
_WIDEST_DEGREES = 90.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """What an examination found.

    Args:
        facts: about the data set, name by name, in words.
        problems: errors first.
        reliability: by neuroid_id: trials, reliability, spread, missing (share of values); None
            for behaviour, or if responses could not be read.
        digests: sha256 of every file that is used, by its name in the folder.
    """

    facts: Mapping[str, str]
    problems: tuple[Problem, ...]
    reliability: pd.DataFrame | None
    digests: Mapping[str, str]

    @property
    def usable(self) -> bool:
        """Whether there is no error."""
        return all(problem.severity != "error" for problem in self.problems)


def examine(description: Description) -> Report:
    """Read all that a description names, and tell everything that is wrong or odd about it.

    Reliability is that of `corteval.local.survey.reliability`. Nothing that is wrong with the data
    raises an exception; nothing is written.
    """
    findings = Findings()
    facts: dict[str, str] = {}
    table: pd.DataFrame | None = None
    found = None if _is_open(description, findings) else read_stimuli(description, findings)
    if found is not None:
        facts |= _facts_of_stimuli(description, found)
        if description.modality == "image":
            check_images(found, findings)
            _check_degrees(description, findings)
        _check_folds(description, found, findings)
        sane = survives(description, findings)
        responses = read_responses(description, found.stimuli, findings) if sane else None
        if responses is not None and "neuroid" in responses.dims:
            seen = survey(responses)
            table = seen.neuroids
            facts |= _facts_of_responses(description, responses, seen)
            _check_times(description, responses, findings)
            _check_regions(description, responses, findings)
            _check_values(description, responses, seen, findings)
        elif responses is not None:
            facts |= _facts_of_behaviour(description, responses)
            _check_behaviour(description, found, responses, findings)
        if responses is not None and not findings.errors:
            facts["digest of stimuli"] = found.stimuli.digest()
            facts["digest of responses"] = assemblies.digest(responses)
    digests = _digests(description, found, findings)
    if found is not None:
        _tell_identical(found, findings)
    if description.columns:
        called = (f"{name} is {theirs!r}" for name, theirs in description.columns.items())
        facts["columns called"] = ", ".join(called)
    facts["access"] = f"{description.visibility}, {description.licence}"
    problems = sorted(findings.problems, key=lambda problem: problem.severity != "error")
    return Report(
        facts=facts,
        problems=tuple(dict.fromkeys(problems)),
        reliability=table,
        digests=digests,
    )


def _is_open(description: Description, findings: Findings) -> bool:
    """Whether it is not known which files are meant."""
    if not description.stimuli:
        findings.error(
            "It is not known which table has the stimuli.",
            description.folder.name,
            "Name it: --stimuli FILE; and what it calls the file or text of a stimulus: --column "
            "path=THEIRS or --column text=THEIRS.",
        )
    if not description.responses.file:
        findings.error(
            "It is not known which file has the responses.",
            description.folder.name,
            "Name it: --responses FILE; and the column with the responses, if it is a table: "
            "--value COLUMN.",
        )
    return bool(findings.errors)


def group_of(description: Description, stimuli: StimulusSet) -> str:
    """Column of the stimuli that are never divided: the one asked for, else a usual one."""
    if description.group_by:
        return description.group_by
    columns = [name for name in (*GROUPINGS, "context_id") if name in stimuli.table.columns]
    several = [n for n in columns if 1 < stimuli.table[n].nunique() < len(stimuli)]
    return several[0] if several else ""


def _check_folds(description: Description, found: FoundStimuli, findings: Findings) -> None:
    """Whether there is a group, or a stimulus, for each fold that was asked for."""
    folds, table = description.folds, found.stimuli.table
    if folds is None:
        return
    group = group_of(description, found.stimuli)
    parts = description.parts if description.parts in table.columns else None
    within_parts = table.groupby(table[parts].astype(str)) if parts else [("", table)]
    for part, rows in within_parts:
        count = rows[group].nunique() if group in table.columns else len(rows)
        if folds <= count:
            continue
        things = f"groups of stimuli ({group})" if group in table.columns else "stimuli"
        where = f" where {parts} is {part!r}" if parts else ""
        ways = [f"ask for at most that many: --folds {count}"] * (count > 1)
        ways += ["group by another column: --group-by COLUMN"] * bool(group)
        step = ", or ".join(ways) or "leave out --folds and --parts"
        findings.error(
            f"{folds} folds need as many {things}; there {'is' if count == 1 else 'are'} "
            f"{count}{where}.",
            f"{description.stimuli}, column {group}" if group else description.stimuli,
            f"{step[0].upper()}{step[1:]}.",
        )


# Facts.


def _facts_of_stimuli(description: Description, found: FoundStimuli) -> dict[str, str]:
    stimuli = found.stimuli
    degrees = stimuli.visual_degrees
    facts = {"stimuli": f"{len(stimuli)} of {stimuli.modality}"}
    if stimuli.modality != "text":
        facts["visual degrees"] = "unknown" if degrees is None else f"{degrees:g}"
    others = [c for c in map(str, stimuli.table.columns) if c not in ("path", "text")]
    if others:
        facts["columns of stimuli"] = ", ".join(others)
    if description.group_by in stimuli.table.columns:
        count = stimuli.table[description.group_by].nunique()
        facts["groups"] = f"{count} by {description.group_by}"
    return facts


def _facts_of_responses(
    description: Description, responses: xr.DataArray, seen: Survey
) -> dict[str, str]:
    axes = " x ".join(f"{size} {dim}" for dim, size in responses.sizes.items())
    facts = {"responses": f"{axes}, {responses.dtype}"}
    if description.responses.target:
        facts["target"] = description.responses.target
    facts["range"] = f"{seen.low:g} to {seen.high:g}" if seen.low <= seen.high else "no values"
    if description.responses.unit:
        facts["unit"] = description.responses.unit
    if "time_bin" in responses.dims:
        starts, ends = responses["time_bin_start_ms"].values, responses["time_bin_end_ms"].values
        facts["time bins"] = (
            f"{len(starts)} from {float(starts.min()):g} to {float(ends.max()):g} ms"
        )
    few = seen.fewest == seen.most
    facts["repeats"] = f"{seen.most}" if few else f"{seen.fewest} to {seen.most}"
    facts["missing"] = f"{100 * float(seen.neuroids['missing'].mean()):.3g} % of values"
    known = seen.neuroids["reliability"].dropna()
    if len(known):
        facts["reliability"] = (
            f"median {known.median():.3f}, {known.min():.3f} to {known.max():.3f} "
            f"({len(known)} neuroids)"
        )
    else:
        facts["reliability"] = "unknown: it needs two repeats"
    return facts


def _facts_of_behaviour(description: Description, responses: xr.DataArray) -> dict[str, str]:
    facts = {"responses": f"{responses.sizes['presentation']} trials, {responses.dtype}"}
    for name in ("subject", "condition", "task"):
        if name in responses.coords:
            facts[f"{name}s"] = str(len(pd.unique(responses[name].values)))
    if responses.dtype.kind in "OSU":
        facts["choices"] = str(len(pd.unique(responses.values)))
    else:
        facts["mean"] = f"{float(responses.mean()):g}"
    if description.responses.unit:
        facts["unit"] = description.responses.unit
    return facts


# Checks.


def _check_degrees(description: Description, findings: Findings) -> None:
    degrees = description.visual_degrees
    if degrees is None:
        findings.warning(
            "The extent of the images is not known: they will fill a subject's field of view.",
            "dataset.toml, visual_degrees",
            "Give it in degrees of visual angle if you can.",
        )
    elif degrees > _WIDEST_DEGREES:
        findings.warning(
            f"Images of {degrees:g} degrees fill more than half of what can be seen. Are they "
            "pixels?",
            "dataset.toml, visual_degrees",
            "Give the extent in degrees of visual angle.",
        )


def _check_regions(description: Description, responses: xr.DataArray, findings: Findings) -> None:
    """Columns that would make targets, and neuroids that belong to none."""
    target = description.responses.target
    where = description.responses.neuroids or description.responses.file
    along = {
        str(name): coordinate.values.astype(str)
        for name, coordinate in responses.coords.items()
        if coordinate.dims == ("neuroid",)
    }
    if "region" in along:
        names = responses["neuroid_id"].values
        stray = np.flatnonzero(np.isin(np.char.strip(along["region"]), ("", "nan")))
        if len(stray) and not target:
            findings.warning(
                f"Neuroids without a region belong to no target, {len(stray)} in all: "
                f"{', '.join(map(repr, map(str, names[stray[:5]])))}{', ...' * (len(stray) > 5)}.",
                f"{where}, column region",
                "Name their region, or give one target for all: --target NAME.",
            )
        return
    for name in candidates("region", along):
        areas = list(dict.fromkeys(cell for cell in along[name] if cell.strip()))
        if not areas or (target and len(areas) < 2):
            continue
        said = f"all are {target}" if target else "a column 'region' would make a target of each"
        findings.warning(
            f"Neuroids have {name!r}: {', '.join(areas[:5])}{', ...' * (len(areas) > 5)}; {said}.",
            f"{where}, column {name}",
            f"If they are regions: {column_is('region', name)}, and no target.",
        )


def _check_times(description: Description, responses: xr.DataArray, findings: Findings) -> None:
    """Times that are far too short or too long for milliseconds."""
    if "time_bin" not in responses.dims:
        return
    starts, ends = responses["time_bin_start_ms"].values, responses["time_bin_end_ms"].values
    longest = float(max(np.abs(starts).max(), np.abs(ends).max()))
    if longest < _SHORTEST_MS:
        factor, unit = 1e3, "seconds"
    elif longest > _LONGEST_MS:
        factor, unit = 1e-3, "microseconds"
    else:
        return
    given = description.responses.time_bin_ms
    where = "dataset.toml, time_bin_ms" if given else f"{description.responses.file}, time_bin"
    shown = ", ".join(f"[{s:g}, {e:g}]" for s, e in list(zip(starts, ends, strict=True))[:3])
    pairs = list(zip(factor * starts, factor * ends, strict=True))[:3]
    would = ", ".join(f"[{s:g}, {e:g}]" for s, e in pairs)
    findings.warning(
        f"Times {shown} are taken for milliseconds after onset. They look like {unit}, and would "
        f"be {would} ms.",
        where,
        "Correct them if that is so.",
    )


def _check_values(
    description: Description, responses: xr.DataArray, seen: Survey, findings: Findings
) -> None:
    file = description.responses.file
    stimuli, neuroids = responses["stimulus_id"].values, list(seen.neuroids.index)
    findings.each(
        "error",
        [
            (
                f"{file}, presentation {p + 1} ({stimuli[p]}), neuroid {n + 1} ({neuroids[n]})",
                f"The value is {value}.",
            )
            for p, n, value in seen.infinite
        ],
        "Was something divided by 0? Write NaN where there is no value."
        + (f" There are {seen.infinite_count}." if seen.infinite_count > 5 else ""),
    )
    if findings.unmatched:  # values of rows that belong to nothing are missing elsewhere
        return
    empty = np.asarray(seen.unanswered.all(axis=0))
    findings.each(
        "error",
        [
            (f"{file}, neuroid {n + 1} ({neuroids[n]})", "It has no value for any stimulus.")
            for n in np.flatnonzero(empty)
        ],
        "Leave the neuroid out of the responses and their table.",
        rest="more neuroids without values",
    )
    silent = np.asarray(seen.unanswered.all(axis=1)) & (not empty.all())
    findings.each(
        "error",
        [
            (f"{file}, presentation {p + 1} ({stimuli[p]})", "It has no value for any neuroid.")
            for p in np.flatnonzero(silent)
        ],
        "Leave the stimulus out of the table and the responses.",
        rest="more stimuli without values",
    )
    lone = np.argwhere(seen.unanswered & ~empty[None, :] & ~silent[:, None])
    findings.each(
        "warning",
        [
            (
                f"{file}, presentation {p + 1} ({stimuli[p]}), neuroid {n + 1} ({neuroids[n]})",
                "There is no value in any trial.",
            )
            for p, n in lone
        ],
        "Metrics that need every neuroid's response to every stimulus refuse these data; leave "
        "out the neuroid or the stimulus.",
        rest="more missing combinations",
    )
    findings.each(
        "warning",
        [
            (f"{file}, neuroid {n + 1} ({neuroids[n]})", "All its responses are equal.")
            for n in np.flatnonzero(seen.constant)
        ],
        "Nothing correlates with it; leave it out.",
        rest="more constant neuroids",
    )
    _check_reliability(file, seen, findings)
    if seen.fewest < seen.most:
        findings.warning(
            f"Stimuli have {seen.fewest} to {seen.most} repeats.",
            file,
            "Missing trials are NaN, and left out of means.",
        )


def _check_reliability(file: str, seen: Survey, findings: Findings) -> None:
    known = seen.neuroids["reliability"].dropna()
    if len(known) and known.max() < 0.05 and len(seen.unanswered) > 20:
        findings.warning(
            f"No neuroid is reliable (largest {known.max():.3f}): trials of one stimulus are as "
            "unlike as those of different ones.",
            file,
            "Are rows of the repeats in different orders?",
        )


def _check_behaviour(
    description: Description, found: FoundStimuli, responses: xr.DataArray, findings: Findings
) -> None:
    file = description.responses.file
    shown = set(responses["stimulus_id"].values)
    never = [name for name in found.stimuli.stimulus_ids if name not in shown]
    if never:
        findings.warning(
            f"Stimuli without a trial, {len(never)} in all: {', '.join(map(repr, never[:5]))}"
            + (", ..." if len(never) > 5 else "")
            + ".",
            file,
            "Leave them out of the stimulus table if they were not shown.",
        )
    values = responses.values
    if values.dtype.kind == "f":
        for row in np.flatnonzero(np.isinf(values))[:5]:
            findings.error(f"The value is {values[row]}.", f"{file}, trial {row + 1}")
        if not np.isfinite(values).any():
            findings.error("There is no value.", file, "Is it another column?")
    told = pd.unique(values[~pd.isna(values)])
    if len(values) > 1 and len(told) == 1:
        findings.warning(f"All responses are {str(told[0])!r}.", file, "Is it another column?")
    truth = (
        responses["truth"].values
        if "truth" in responses.coords
        else _truth_of_stimuli(found, responses)
    )
    if truth is None or values.dtype.kind not in "OSU":
        return
    if not (values.astype(str) == truth.astype(str)).any():
        findings.warning(
            f"No choice is ever right: choices are {_some(values)}, the truth is {_some(truth)}.",
            file,
            "Write both in the same words.",
        )


def _truth_of_stimuli(found: FoundStimuli, responses: xr.DataArray) -> np.ndarray | None:
    if "truth" not in found.stimuli.table.columns:
        return None
    return found.stimuli.table.loc[responses["stimulus_id"].values, "truth"].to_numpy()


def _some(values: np.ndarray) -> str:
    names = list(map(str, pd.unique(values)))
    return ", ".join(map(repr, names[:4])) + (", ..." if len(names) > 4 else "")


def _tell_identical(found: FoundStimuli, findings: Findings) -> None:
    """Stimuli that show the same, under two ids."""
    try:
        contents = found.stimuli.contents()
    except CortevalError:
        return  # a file that is missing has been told
    if "context_id" in found.stimuli.table.columns:
        return  # one word occurs in many contexts
    if found.stimuli.modality == "text":
        _tell_same_words(found, contents, findings)
        return
    first: dict[str, int] = {}
    places = []
    ids = found.stimuli.stimulus_ids
    for row, content in enumerate(contents):
        other = first.setdefault(content, row)
        if other != row:
            what = f"{ids[row]!r} shows what {ids[other]!r} in row {found.table.lines[other]} does."
            places.append((found.table.where(row), what))
    findings.each(
        "warning",
        places,
        "Are they repeats of one stimulus? Splits would train on one and test on the other.",
        rest="more stimuli alike in content",
    )


def _tell_same_words(found: FoundStimuli, contents: Sequence[str], findings: Findings) -> None:
    codes, _ = pd.factorize(np.array(contents, object))
    counts = np.bincount(codes)
    if counts.max() == 1:
        return
    rows = np.flatnonzero(codes == codes[np.flatnonzero(counts[codes] > 1)[0]])[:3]
    text = str(found.stimuli.table["text"].iloc[int(rows[0])])
    lines = [str(found.table.lines[row]) for row in rows]
    findings.warning(
        f"{int((counts[counts > 1]).sum())} texts say what another one does, e.g. {text[:40]!r} in "
        f"rows {', '.join(lines[:-1])} and {lines[-1]}.",
        f"{found.table.name}, column text",
        "If they are read in context, add a column context_id; if they are repeats of one "
        "stimulus, splits would train on one and test on the other.",
    )


def _digests(
    description: Description, found: FoundStimuli | None, findings: Findings
) -> dict[str, str]:
    """SHA-256 of every file by name; what is missing has been told."""
    responses = description.responses
    names = [description.stimuli, responses.file, responses.neuroids, responses.presentations]
    if found is not None and found.archive is not None:
        names.append(found.archive)
    paths: dict[str, Path] = {}
    for name in names:
        try:
            path = within(description.folder, name or "", "a file")
        except CortevalError:
            continue
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        paths |= {p.relative_to(description.folder).as_posix(): p for p in inside}
    if found is not None and found.archive is None and "path" in found.stimuli.table.columns:
        for stimulus in found.stimuli.table["path"]:
            if stimulus:
                path = Path(str(stimulus))
                paths[path.relative_to(description.folder).as_posix()] = path
    digests = {}
    for name, path in paths.items():
        with findings.collecting(), path.open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
