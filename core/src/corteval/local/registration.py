"""Registering a lab's folder under an identifier, and the data source that reads it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from corteval import registered, registry
from corteval.assembly import in_order
from corteval.errors import (
    DatasetError,
    DuplicateIdentifier,
    PluginError,
    UnknownIdentifier,
)
from corteval.local import digests
from corteval.local.description import Description, Responses
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.report import Report, group_of
from corteval.registered import Facts, Registration
from corteval.stimuli import StimulusSet

_BIBTEX = re.compile(r"\s*@\w+\s*\{")


@final
@dataclass(frozen=True, kw_only=True)
class Registered:
    """The data source of a registered folder.

    Its assembly has one presentation a stimulus, in the order of the table of stimuli, with trials
    along ``trial``; behaviour has one row a trial. Columns of that table are coordinates of
    ``presentation``, so that metrics can group and stratify by them. Files are compared with what
    they were when they were registered, so that scores never mix two versions.

    Args:
        file: the registration.
    """

    file: str

    def stimuli(self) -> StimulusSet:
        """What was shown."""
        return self._stimuli

    def assembly(self) -> xr.DataArray:
        """What was recorded; `presentation` x `neuroid`, or a row of `presentation` a trial."""
        return self._assembly

    @cached_property
    def _description(self) -> Description:
        registration = registered.read(Path(self.file))
        check_unchanged(registration)
        return description_of(registration.description, registration.folder)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return load_stimuli(self._description)

    @cached_property
    def _assembly(self) -> xr.DataArray:
        return labelled(load_assembly(self._description, self._stimuli), self._stimuli)


def unfit(registration: Registration) -> dict[str, tuple[str, ...]]:
    """Installed metrics of the data's form that do not fit, and the columns they lack."""
    metrics = {card.identifier: card for card in registry.metrics.where()}
    found = {name: registered.lacking(card, registration.facts) for name, card in metrics.items()}
    return {name: missing for name, missing in found.items() if missing and missing != ("split",)}


def labelled(assembly: xr.DataArray, stimuli: StimulusSet) -> xr.DataArray:
    """`assembly` in the order of `stimuli` if it is neural, with their columns as coordinates.

    Raises:
        AssemblyError: if a neural assembly lacks a stimulus or has others.
    """
    if "neuroid" in assembly.dims:
        assembly = in_order(assembly, stimuli.stimulus_ids)
    rows = stimuli.table.loc[assembly["stimulus_id"].values]
    columns = {
        str(name): ("presentation", column_values(rows[name]))
        for name in rows.columns
        if name not in {"path", "text"} and name not in assembly.coords
    }
    return assembly.assign_coords(columns)


def column_values(column: Any) -> np.ndarray:
    """Values of a table's column as an array that can be written anywhere: numbers or text."""
    if column.dtype.kind in "fiub":
        return np.asarray(column)
    return np.asarray(["" if value is None or value != value else str(value) for value in column])


def register(
    description: Description, report: Report, *, project: bool = False, replace: bool = False
) -> Registration:
    """Register a folder whose examination found no error.

    Args:
        description, report: of the folder.
        project: for everybody who works in this project, instead of for this user.
        replace: an identifier registered for another folder.

    Raises:
        DatasetError: if the report has errors, or a file changed since it was examined.
        DuplicateIdentifier: if something else has the identifier.
    """
    if not report.usable:
        raise DatasetError(
            f"{description.folder} is not registered: its examination found "
            f"{sum(p.severity == 'error' for p in report.problems)} errors."
        )
    shelf = registered.project_shelf() if project else registered.shelves()[-1]
    file = shelf / f"{description.id}.json"
    earlier = _earlier(description, shelf, replace=replace)
    if (description.folder / digests.FILE).is_file():
        digests.verify(description.folder)
    stimuli = load_stimuli(description)
    assembly = labelled(load_assembly(description, stimuli), stimuli)
    folder = Path(os.path.normpath(description.folder.absolute()))
    root = file.parents[2]
    states = {name: _state(folder / name) for name in report.digests}
    _refuse_changed(folder, report.digests)
    inside = project and folder.is_relative_to(root)
    content = {
        "schema": registered.SCHEMA,
        "identifier": description.id,
        "folder": str(folder.relative_to(root)) if inside else str(folder),
        "description": described(description),
        "digests": dict(report.digests),
        "states": states,
        "digest": digest_of(report.digests, description),
        "registered": datetime.now(UTC).isoformat(timespec="seconds"),
        "card": card_fields(description, stimuli, assembly),
        "facts": asdict(facts_of(description, stimuli, assembly)),
    }
    _write(file, json.dumps(content, indent=1, ensure_ascii=False))
    for old in earlier:
        if old != file:
            old.unlink(missing_ok=True)
    registry.data.reload()
    registry.benchmarks.reload()
    return registered.read(file)


def find(identifier: str) -> Registration:
    """The registration of `identifier`; case does not matter.

    Raises:
        UnknownIdentifier: if it is not registered; names what is.
    """
    known = []
    for file in registered.files():
        with contextlib.suppress(PluginError):
            registration = registered.read(file)
            known.append(registration.identifier)
            if registration.identifier.casefold() == identifier.casefold():
                return registration
    raise UnknownIdentifier(
        f"{identifier!r} is no registered data set; registered are: {', '.join(known) or 'none'}."
    )


def remove(identifier: str) -> Registration:
    """Forget a registered data set; its files stay where they are.

    Raises:
        UnknownIdentifier: if it is not registered.
    """
    registration = find(identifier)
    registration.file.unlink()
    registry.data.reload()
    registry.benchmarks.reload()
    return registration


def check_unchanged(registration: Registration) -> None:
    """Compare the files with what they were when they were registered.

    Raises:
        DatasetError: names those that changed or are gone.
    """
    if not registration.folder.is_dir():
        raise DatasetError(
            f"{registration.identifier} was registered in {registration.folder}, which is gone. "
            "Register its new place: corteval data register FOLDER --replace."
        )
    changed = []
    for name, digest in registration.digests.items():
        path = registration.folder / name
        try:
            if _state(path) != tuple(registration.states.get(name, ())):
                with path.open("rb") as opened:
                    if hashlib.file_digest(opened, "sha256").hexdigest() != digest:
                        changed.append(f"{name} changed")
        except OSError as error:
            changed.append(f"{name}: {error.strerror or error}")
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise DatasetError(
            f"{registration.identifier} is not what was registered on "
            f"{registration.registered[:10]}: {'; '.join(changed[:5])}{more}. Scores of before are "
            f"of the old bytes. Run `corteval data register {registration.folder}` to register the "
            "new version."
        )


def facts_of(description: Description, stimuli: StimulusSet, assembly: xr.DataArray) -> Facts:
    """What decides which benchmarks the data allow."""
    neural = "neuroid" in assembly.dims
    dim = "neuroid" if neural else "presentation"
    subjects = (
        len(np.unique(assembly["subject"].values.astype(str)))
        if "subject" in assembly.coords and assembly["subject"].dims == (dim,)
        else 1
    )
    return Facts(
        form=_form(description, assembly),
        targets=_targets(description, assembly),
        coordinates=tuple(str(name) for name in assembly.coords),
        neuroids=assembly.sizes.get("neuroid", 0),
        subjects=subjects,
        trials=_trials(assembly),
        time_bins=assembly.sizes.get("time_bin", 1),
        group=group_of(description, stimuli),
        folds=description.folds or 0,
        part_by=description.parts or "",
        parts=_parts(description, stimuli),
        nuisances=description.nuisances,
    )


def card_fields(
    description: Description, stimuli: StimulusSet, assembly: xr.DataArray
) -> dict[str, Any]:
    """Fields of the data card."""
    sizes = ", ".join(
        f"{size} {str(dim).replace('_', ' ')}{'s' * (size != 1)}"
        for dim, size in assembly.sizes.items()
    )
    citation = description.citation
    cited = bool(_BIBTEX.match(citation))
    return {
        "modality": description.modality,
        "access": "private" if description.visibility == "private" else "public",
        "species": description.species,
        "licence": description.licence or "not stated",
        "bibtex": citation if cited else _as_bibtex(description),
        "summary": f"Registered: {len(stimuli)} stimuli; {sizes}",
        "notes": [],
    }


def described(description: Description) -> dict[str, Any]:
    """`description` as JSON types, without its folder."""
    content = asdict(description)
    del content["folder"]
    return content


def description_of(content: Mapping[str, Any], folder: Path) -> Description:
    """Inverse of `described`.

    Raises:
        PluginError: if `content` is no description.
    """
    try:
        responses = dict(content["responses"])
        bins = tuple((float(start), float(end)) for start, end in responses["time_bin_ms"])
        responses |= {"dims": tuple(responses["dims"]), "time_bin_ms": bins}
        fields = {**content, "responses": Responses(**responses)}
        if fields.get("nuisances") is not None:
            fields["nuisances"] = tuple(fields["nuisances"])
        return Description(folder=folder, **fields)
    except (KeyError, TypeError, ValueError) as error:
        raise PluginError(
            f"The registration of {folder} cannot be understood ({error}); register it again."
        ) from error


def digest_of(digests: Mapping[str, str], description: Description) -> str:
    """SHA-256 over the files of a data set and what is said of them."""
    content = {"files": dict(sorted(digests.items())), "description": described(description)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _form(description: Description, assembly: xr.DataArray) -> str:
    if "neuroid" in assembly.dims:
        return "neural"
    if description.responses.task == "reading_time":
        return "times"
    return "choices" if "choice" in assembly.dims or assembly.dtype.kind in "OUT" else "answers"


def _targets(description: Description, assembly: xr.DataArray) -> dict[str, dict[str, str]]:
    if "neuroid" not in assembly.dims:
        return {description.responses.task or "label": {}}
    if description.responses.target:
        return {description.responses.target: {}}
    if "region" in assembly.coords and assembly["region"].dims == ("neuroid",):
        regions = np.unique(assembly["region"].values.astype(str)).tolist()
        return {region: {"region": region} for region in regions if region}
    return {"responses": {}}


def _trials(assembly: xr.DataArray) -> tuple[int, int]:
    if "trial" not in assembly.dims:
        return (1, 1)
    others = [dim for dim in assembly.dims if dim not in ("presentation", "trial")]
    counts = assembly.notnull().any(others).sum("trial").values
    return int(counts.min()), int(counts.max())


def _parts(description: Description, stimuli: StimulusSet) -> tuple[str, ...]:
    if description.parts is None:
        return ()
    return tuple(sorted(set(stimuli.table[description.parts].astype(str).tolist())))


def _as_bibtex(description: Description) -> str:
    words = description.citation.replace("{", "(").replace("}", ")") or "Unpublished data"
    return f"@misc{{{description.id},\n  note = {{{words}}}\n}}"


def _earlier(description: Description, shelf: Path, *, replace: bool) -> list[Path]:
    """Registrations on `shelf` that a new one of this identifier takes the place of.

    Raises:
        DuplicateIdentifier: if the identifier is a plugin's, or another folder's unasked.
    """
    found = []
    for plugin in registry.data.plugins():
        if plugin.identifier.casefold() != description.id.casefold():
            continue
        if plugin.source.distribution != registry.REGISTERED:
            raise DuplicateIdentifier(
                f"{plugin.source.distribution} provides {plugin.identifier} already; choose "
                "another id."
            )
    for file in shelf.glob("*.json"):
        if file.stem.casefold() != description.id.casefold():
            continue
        found.append(file)
        old = None
        with contextlib.suppress(PluginError):  # a registration nobody can read is in no one's way
            old = registered.read(file)
        if old and old.folder.resolve() != description.folder.resolve() and not replace:
            raise DuplicateIdentifier(
                f"{old.identifier} is registered for {old.folder}; choose another id, or say "
                "--replace."
            )
    return found


def _refuse_changed(folder: Path, examined: Mapping[str, str]) -> None:
    """Files that changed after they were examined would be taken for what they were."""
    changed = [name for name, digest in examined.items() if digests.sha256(folder / name) != digest]
    if changed:
        raise DatasetError(
            f"{', '.join(changed[:5])} in {folder} changed while the folder was examined. Wait "
            "until nothing writes there, and register it again."
        )


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _write(file: Path, text: str) -> None:
    """Write `file`, whole or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
            Path(temporary).replace(file)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{file} cannot be written: {error.strerror or error}. Set CORTEVAL_HOME to another "
            "folder, or use --project."
        ) from error
