"""The archive's catalogue: which files every member consists of, and what is known of it.

Tables lie beside this module and are read when a member is first asked for: ``vision.csv`` and
``language.csv`` (one row a file set), ``sources.json`` (species, citations and errata of a data set
by the name of the registry's plugin) and ``references.bib``.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from corteval.cards import Access, DataCard, Modality, Resource
from corteval.errors import UnknownIdentifier

FOLDER = Path(__file__).parent
BUCKET = "https://brainscore-storage.s3.amazonaws.com"
LICENCE = "none recorded in the registry"

#: Members that the archive's own documentation tells beginners to start with.
STARTERS = frozenset(
    {
        "FreemanZiemba2013.aperture-public",
        "FreemanZiemba2013.public",
        "MajajHong2015.public",
        "Rajalingham2018.public",
        "hvm-public",
        "objectome.public",
    }
)
_HINT = (
    "Brain-Score's registry does not say who may have this file. A 403 or 404 is what users meet "
    "with files that are not public (brain-score/vision issues 183, 497, 1846, 1938): ask its "
    "maintainers, or the authors of the data. If you have the file, for instance below "
    "~/.brainio, name that folder by the option `folder`."
)
_UNTRIED = "Corteval's reader was tested on files of the archive's format, not on the archive's."


@final
@dataclass(frozen=True, kw_only=True)
class Holding:
    """What the archive holds under one name.

    Args:
        member: the name.
        source: key of ``sources.json``.
        modality: of the stimuli.
        table, images: of the stimulus set: csv, and zip of the files that it names.
        responses: netCDF of the assembly, or of the ceiling.
        form: class of the assembly in the registry; ``"Score"`` for a ceiling.
        merges: whether the stimuli's columns are laid over the assembly.
        stimulus_set: member that holds the assembly's stimuli; empty if there is none.
        instead: identifier of what to use for something that is not in the archive's bucket.
        unpinned: address of a file of which nobody published a digest.
        by_agreement: the stimuli are had under an agreement, not from the bucket.
    """

    member: str
    source: str = ""
    modality: Modality = "image"
    table: Resource | None = None
    images: Resource | None = None
    responses: Resource | None = None
    form: str = ""
    merges: bool = False
    stimulus_set: str = ""
    instead: str = ""
    unpinned: str = ""
    by_agreement: bool = False

    @property
    def has_stimuli(self) -> bool:
        """Whether it is a stimulus set of files."""
        return self.table is not None or self.by_agreement

    @property
    def has_responses(self) -> bool:
        """Whether it is an assembly or a ceiling."""
        return self.responses is not None or bool(self.unpinned)


def card(name: str) -> DataCard:
    """Card of the member `name`.

    Raises:
        UnknownIdentifier: with close names.
    """
    holding = find(name)
    facts = _sources().get(holding.source, {})
    access, known = _access(holding, facts)
    return DataCard(
        identifier=f"brainscore/{holding.member}",
        factory="corteval_brainscore.data:BrainScore",
        summary=_summary(holding),
        licence=LICENCE,
        bibtex=_bibtex(
            ("schrimpf2018brainscore", "schrimpf2020integrative", *facts.get("cite", ()))
        ),
        options={"member": holding.member},
        resources=files(holding),
        modality=holding.modality,
        access=access,
        species=facts.get("species", ""),
        notes=(*known, *_notes(holding, facts)),
    )


def find(name: str) -> Holding:
    """What the archive holds under `name`; case does not matter.

    Raises:
        UnknownIdentifier: with close names.
    """
    holdings = _holdings()
    found = holdings.get(name.casefold())
    if found is not None:
        return found
    if name.casefold().startswith("syntaxgym-"):
        raise UnknownIdentifier(f"brainscore/{name}: suites are in the data set SyntaxGym.")
    from difflib import get_close_matches

    close = [holdings[key].member for key in get_close_matches(name.casefold(), holdings, n=3)]
    hint = f" Did you mean {' or '.join(f'brainscore/{c}' for c in close)}?" if close else ""
    raise UnknownIdentifier(
        f"Brain-Score's archive has nothing registered as {name!r}.{hint} "
        "`corteval info brainscore` names all its members."
    )


def files(holding: Holding) -> tuple[Resource, ...]:
    """Files of a member, those of the stimuli of an assembly among them."""
    shown = find(holding.stimulus_set) if holding.stimulus_set else holding
    found = (holding.responses, shown.table, shown.images)
    return tuple(resource for resource in found if resource is not None)


def members_on(stimulus_set: str) -> list[str]:
    """Assemblies that were recorded with a stimulus set."""
    return [h.member for h in _holdings().values() if h.stimulus_set == stimulus_set]


@lru_cache(maxsize=1)
def _holdings() -> dict[str, Holding]:
    """All members by name in lower case; a name of two rows is one holding."""
    merged: dict[str, dict[str, Any]] = {}
    for row in _rows("vision.csv"):
        fields = _stimuli(row) if row["kind"] == "stimuli" else _assembly(row)
        same = merged.setdefault(row["member"], {"member": row["member"]})
        same |= {"source": row["source"], **fields}
    for name, same in merged.items():
        if "table" in same and "responses" in same:
            same["stimulus_set"] = same["stimulus_set"] or name
    for row in _rows("language.csv"):
        merged[row["member"]] = {"member": row["member"], "modality": "text", **_words(row)}
    return {name.casefold(): Holding(**fields) for name, fields in merged.items()}


def _stimuli(row: dict[str, str]) -> dict[str, Any]:
    if not row["folder"]:
        return {"by_agreement": True}
    stem = f"{row['folder']}/stimulus_{row['stored_as'].replace('.', '_')}"
    return {
        "table": _pinned(f"{stem}.csv", row["csv_sha1"], row["csv_version"]),
        "images": _pinned(f"{stem}.zip", row["zip_sha1"], row["zip_version"]),
    }


def _assembly(row: dict[str, str]) -> dict[str, Any]:
    path = f"{row['folder']}/assy_{row['stored_as'].replace('.', '_')}.nc"
    return {
        "responses": _pinned(path, row["nc_sha1"], row["nc_version"]),
        "form": row["assembly_class"],
        "merges": row["merges"] == "yes",
        "stimulus_set": row["stimulus_set"],
    }


def _words(row: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"source": row["source"], "form": row["assembly_class"]}
    if row["kind"] == "elsewhere":
        return {**fields, "instead": row["instead"]}
    if row["kind"] == "unpinned":
        return {**fields, "unpinned": row["address"]}
    return {**fields, "responses": _pinned(row["address"], row["sha1"], row["version"])}


def _pinned(path: str, sha1: str, version: str) -> Resource:
    query = f"?versionId={version}" if version else ""
    return Resource(url=f"{BUCKET}/{path}{query}", sha1=sha1, licence=LICENCE, hint=_HINT)


def _summary(holding: Holding) -> str:
    what = {
        "": "stimuli",
        "Score": "ceiling",
        "BehavioralAssembly": "behaviour",
        "PropertyAssembly": "properties",
    }.get(holding.form, "recordings")
    if holding.instead:
        return f"Brain-Score loads this from elsewhere; use {holding.instead}"
    if holding.unpinned:
        return f"{what.capitalize()} as neural-nlp has them (PNAS 2021); give your own copy"
    if holding.stimulus_set == holding.member:
        return f"{what.capitalize()} and their stimuli, from Brain-Score's archive"
    shown = f", with stimuli {holding.stimulus_set}" if holding.stimulus_set else ""
    return f"{what.capitalize()} of Brain-Score's archive{shown}"


def _access(holding: Holding, facts: dict[str, Any]) -> tuple[Access, tuple[str, ...]]:
    """Who may have it, and on what that rests: the registry itself does not say."""
    name, all_of_them = holding.member.casefold(), _holdings()
    if holding.instead:
        return "public", ()
    if holding.by_agreement:
        return "on request", ()
    if holding.unpinned:
        return "on request", ("Whether the file can still be had is not known.",)
    if holding.member in STARTERS:
        return "public", ("Named as public by the archive's own instructions for beginners.",)
    if re.search(r"[.-]private$", name):
        return "private", ("Private by its name: users are answered 403 or 404.",)
    part = next((p for p in (f"{name}.private", f"{name}-private") if p in all_of_them), "")
    if part:
        part = all_of_them[part].member
        return "private", (f"By its name it holds what {part} holds, which is private.",)
    declared = facts.get("declared", "")
    if declared in {"public", "private"}:
        known = f"Metadata of Brain-Score's benchmarks on these data call them {declared}"
        access: Access = "public" if declared == "public" else "private"
        return access, (f"{known}; the registry does not say, and nobody tried the address here.",)
    return "on request", (
        "Access is not known: the registry does not say; it counts as on request here.",
    )


def _notes(holding: Holding, facts: dict[str, Any]) -> tuple[str, ...]:
    notes = list(facts.get("notes", ()))
    if holding.source == "marques2020" and not holding.has_responses:
        notes = []
    degrees = facts.get("shown_degrees")
    if degrees:
        notes.append(
            f"Brain-Score's benchmarks show these images at {degrees:g} degrees; that size is used "
            "only if the stimulus table says it or `visual_degrees` is given."
        )
    if holding.unpinned:
        notes.append(
            "No digest was ever published, and the download was reported to be corrupted "
            "(neural-nlp issue 52), so it is not downloaded: give your own copy by `folder`, or "
            "use the pinned member of the same data set."
        )
    elif holding.form == "Score" and "-linear" in holding.member:
        notes.append("Ceiling of the benchmark whose name ends in -linear-shuffle.")
    if files(holding):
        notes.append(_UNTRIED)
    return tuple(notes)


def _bibtex(keys: tuple[str, ...]) -> str:
    known = _references()
    return "\n\n".join(known[key] for key in keys)


def _rows(table: str) -> list[dict[str, str]]:
    with (FOLDER / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def _sources() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "sources.json").read_text("utf-8"))
    return found


@lru_cache(maxsize=1)
def _references() -> dict[str, str]:
    entries = (FOLDER / "references.bib").read_text("utf-8").strip().split("\n\n")
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in entries}
