"""A description of a folder nobody has described: what can be told from its files, and what not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast, final

from corteval.cards import Modality, check_identifier
from corteval.errors import CortevalError, DatasetError, OptionError
from corteval.local.description import DIMS, Description, Responses, closest
from corteval.local.formats import netcdf, synonyms, tables
from corteval.local.formats.arrays import read_npy, read_npz
from corteval.local.formats.axes import orders_that_fit
from corteval.local.formats.behaviour_tables import BEHAVIOUR, behaviour_of
from corteval.local.formats.choices import choices_among, truth_of
from corteval.local.formats.long_tables import VALUES
from corteval.local.formats.matlab import read_mat
from corteval.local.loading import ARRAYS, FORMATS, NETCDF
from corteval.local.problems import Findings

_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".gif")
_OWN = {field.name for field in fields(Description)} - {"folder", "id", "responses"}
_OF_RESPONSES = {field.name for field in fields(Responses)}
#: Standard names by which it is told what a table is.
_TELLING = ("stimulus_id", "path", "text", "neuroid_id", "subject")


@final
@dataclass(frozen=True, kw_only=True)
class Question:
    """What files do not say.

    Args:
        field: of `Description` or `Responses`, or ``columns.NAME``.
        words: the question.
        choices: answers there are; () if any will do.
        default: answer that is taken if none is given; "" if there is none.
        empty: what it means to give none, in words; "" if the question stays open then.
    """

    field: str
    words: str
    choices: tuple[str, ...] = ()
    default: str = ""
    empty: str = ""

    @property
    def flag(self) -> str:
        """How it is answered on the command line."""
        if self.field.startswith("columns."):
            return f"--column {self.field.removeprefix('columns.')}=THEIRS"
        return "--responses" if self.field == "file" else f"--{self.field.replace('_', '-')}"

    def __str__(self) -> str:
        there = f" There are: {'; '.join(self.choices)}." if self.choices else ""
        verb = "Perhaps" if self.field.startswith("columns.") else "Taken"
        taken = f" {verb}: {self.default}." if self.default else ""
        empty = f" Without an answer: {self.empty}." if self.empty else ""
        return f"{self.words}{there}{taken}{empty} Flag: {self.flag}."


def guess(
    folder: Path, identifier: str, given: Mapping[str, Any]
) -> tuple[Description, tuple[Question, ...]]:
    """See `corteval.local.description.guessed`."""
    known = {key: value for key, value in given.items() if value is not None}
    odd = [key for key in known if key not in _OWN | _OF_RESPONSES]
    if odd:
        there = sorted(_OWN | _OF_RESPONSES)
        raise OptionError(
            f"{odd[0]} is nothing a description has{closest(odd[0], there)}; it has "
            f"{', '.join(there)}."
        )
    check_identifier(identifier)
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder. Name the folder in which the data lie.")
    if "dims" in known:
        known["dims"] = tuple(_axis(name) for name in known["dims"])
    return _Folder(folder, known).described(identifier)


def _axis(name: str) -> str:
    standard = netcdf.DIMS.get(name.strip().casefold(), name.strip())
    standard = "repetition" if standard == "trial" else standard
    if standard not in DIMS:
        raise OptionError(
            f"{name!r} is no axis{closest(name, DIMS)}; axes are {', '.join(DIMS)} (--dims)."
        )
    return standard


@final
class _Folder:
    """A folder under examination: what is known of it, and what has to be asked."""

    def __init__(self, folder: Path, known: Mapping[str, Any]) -> None:
        self.folder = folder
        self.own = {key: value for key, value in known.items() if key in _OWN}
        self.of = {key: value for key, value in known.items() if key in _OF_RESPONSES}
        self.called: dict[str, str] = dict(known.get("columns", {}))
        self.questions: list[Question] = []
        files = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != ".")
        self.files = [path.name for path in files]
        self.columns = {
            path.name: tables.columns_of(path)
            for path in files
            if path.suffix.lower() in tables.SUFFIXES
        }

    def described(self, identifier: str) -> tuple[Description, tuple[Question, ...]]:
        stimuli = self.own["stimuli"] = self._stimulus_table()
        modality = self.own.setdefault("modality", self._modality() if stimuli else "image")
        if stimuli:
            self._content("text" if modality == "text" else "path")
            self.of["file"] = self.of.get("file") or self._response_file()
        behaviour = False
        if stimuli and self.of["file"]:
            self._other_tables()
            self._recognise_ids()
            behaviour = self._meaning()
            self._axes()
        asked = {question.field for question in self.questions}
        if (
            stimuli
            and modality == "image"
            and not {"visual_degrees", "modality"} & (asked | set(self.own) - {"modality"})
        ):
            words = "How many degrees of visual angle do images extend?"
            self._ask("visual_degrees", words, empty="unknown")
        if self.of.get("file") and not behaviour and not self.of.get("target"):
            self._ask_target()
        if "group_by" not in self.own and "group" in self._named(stimuli):
            self.own["group_by"] = "group"
        if self.called:
            self.own["columns"] = self.called
        responses = Responses(**{"file": "", **self.of})
        found = Description(folder=self.folder, id=identifier, responses=responses, **self.own)
        return found, tuple(self.questions)

    def _ask(
        self,
        field: str,
        words: str,
        choices: Sequence[str] = (),
        default: str = "",
        empty: str = "",
    ) -> None:
        self.questions.append(
            Question(field=field, words=words, choices=tuple(choices), default=default, empty=empty)
        )

    # Tables.

    def _named(self, name: str) -> list[str]:
        """Columns of a table under the standard names that are known by now."""
        standard = {theirs: column for column, theirs in self.called.items()}
        return [standard.get(column, column) for column in self.columns.get(name, [])]

    def _looks(self, name: str) -> list[str]:
        """The same, with the standard names its columns may stand for."""
        there = self._named(name)
        return there + [s for s in _TELLING if s not in there and synonyms.candidates(s, there)]

    def _read(self, name: str) -> tables.Table | None:
        """A table under its standard names; None if it cannot be read, which is told later."""
        try:
            table = tables.read_table(self.folder, name, "a table", Findings())
            return tables.renamed(table, self.called)
        except (CortevalError, OSError):
            return None

    def _stimulus_table(self) -> str:
        if "stimuli" in self.own:
            return str(self.own["stimuli"])
        named = [n for n in self.columns if Path(n).stem.lower() in ("stimuli", "stimulus_set")]
        found = named or self._with_content(self._named) or self._with_content(self._looks)
        if len(found) == 1:
            return found[0]
        if found:
            self._ask("stimuli", "Which table has the stimuli?", found, found[0])
            return found[0]
        if not self.columns:
            raise DatasetError(
                f"{self.folder} has no table of stimuli; it has no tables. Write stimuli.csv with "
                "columns stimulus_id and path (of an image, relative to the folder) or text."
            )
        if len(self.columns) == 1:
            return next(iter(self.columns))
        self._ask("stimuli", "Which table has the stimuli?", list(self.columns))
        return ""

    def _with_content(self, columns_of: Any) -> list[str]:
        """Tables that have a path or a text, of several those that are most like one of stimuli."""
        there = {name: columns_of(name) for name in self.columns}
        fitting = [n for n in there if "path" in there[n] or "text" in there[n]]
        with_ids = [n for n in fitting if "stimulus_id" in there[n]]
        with_value = [n for n in fitting if self.of.get("value") in self.columns[n]]
        found = with_ids or with_value or fitting
        plain = [
            n
            for n in found
            if not {"neuroid_id", "subject"} & set(self._looks(n)) and not behaviour_of(there[n])
        ]
        return plain or found

    def _modality(self) -> Modality:
        name = self.own["stimuli"]
        there, table = self._named(name), self._read(name)
        path = "path" if "path" in there else next(iter(synonyms.candidates("path", there)), None)
        text = "text" in there or bool(synonyms.candidates("text", there))
        if path is None and not text and table is not None:
            path = synonyms.likely(table, "path")
            text = synonyms.likely(table, "text") is not None
        if path is not None and not (text and path != "path" and "text" in there):
            endings = _endings(table, path)
            if endings == {""} and text and path != "path":
                return "text"
            return "video" if endings and endings <= set(_VIDEOS) else "image"
        if text:
            return "text"
        self._ask("modality", "What are the stimuli?", ("image", "text", "video"), "image")
        return "image"

    def _content(self, needed: str) -> None:
        """The column with the text or the file of a stimulus."""
        name = self.own["stimuli"]
        if self._recognise(needed, [name]) or needed in self._named(name):
            return
        table = self._read(name)
        if table is None or any(q.field == f"columns.{needed}" for q in self.questions):
            return
        what = "text" if needed == "text" else "file"
        self._ask(
            f"columns.{needed}",
            f"Which column of {name} has the {what} of each stimulus?",
            [c for c in table.frame.columns if c not in self.called],
            synonyms.likely(table, needed) or "",
        )

    def _recognise(self, standard: str, names: Sequence[str]) -> bool:
        """Take what the tables call a standard name, or ask; whether it was taken."""
        headers = [self._named(name) for name in names if name in self.columns]
        found = synonyms.chosen(standard, headers)
        found = [theirs for theirs in found if theirs not in self.called]
        if standard in self.called or not found:
            return False
        if len(found) > 1:
            self._ask(f"columns.{standard}", f"Which column is {standard}?", found)
            return False
        if any({standard, found[0]} <= set(self._named(name)) for name in self.columns):
            return False  # a table has both, so they are not the same
        self.called[standard] = found[0]
        return True

    def _recognise_ids(self) -> None:
        file, neuroids = self.of["file"], self.of.get("neuroids")
        shown = [self.own["stimuli"], file, str(self.of.get("presentations"))]
        self._recognise("stimulus_id", shown)
        if file != self.own["stimuli"]:
            self._recognise("neuroid_id", [file, str(neuroids)])
            self._recognise("subject", [file, str(neuroids)])
            self._ask_for_ids(file)
        else:
            self._recognise("neuroid_id", [str(neuroids)])

    def _ask_for_ids(self, file: str) -> None:
        """Where the table of responses names the stimulus, if no name of a column tells."""
        table = self._read(file) if file in self.columns else None
        fields = {*self.called, *(q.field.removeprefix("columns.") for q in self.questions)}
        if table is None or "stimulus_id" in {*self._named(file), *fields}:
            return
        stimuli = self._read(self.own["stimuli"])
        ids = set() if stimuli is None else _cells(stimuli, "stimulus_id")
        columns = list(table.frame.columns)
        fitting = [column for column in columns if ids and _cells(table, column) <= ids]
        words = f"Which column of {file} has the stimulus_id of each row?"
        self._ask("columns.stimulus_id", words, columns, fitting[0] if len(fitting) == 1 else "")

    # Responses.

    def _response_file(self) -> str:
        stimuli = self.own["stimuli"]
        kinds = (*ARRAYS, *NETCDF, ".nwb")
        arrays = [name for name in self.files if Path(name).suffix.lower() in kinds]
        others = {name: self._looks(name) for name in self.columns if name != stimuli}
        long = [
            name
            for name, there in others.items()
            if "stimulus_id" in there
            and (behaviour_of(there) or {"neuroid_id", "subject", *VALUES} & set(there))
        ]
        found = [n for n in (*arrays, *long) if Path(n).stem.lower() in ("responses", "assembly")]
        found = found or [*arrays, *long]
        own = self._named(stimuli)
        if not found and (self.of.get("value") in own or behaviour_of(own) or {*own} & {*VALUES}):
            return str(stimuli)  # one table has both
        if not found:  # one column a neuroid
            found = [n for n, t in others.items() if "stimulus_id" in t and self._numbers(n)]
        if len(found) == 1:
            return found[0]
        if found:
            self._ask("file", "Which file has the responses?", found, found[0])
            return found[0]
        numbers = self._numbers(stimuli)
        others = {n: t for n, t in others.items() if "stimulus_id" in t or self._numbers(n)}
        if len(others) == 1 and not numbers:
            return next(iter(others))
        if others:
            choices = [*others, *([stimuli] if numbers else [])]
            self._ask("file", "Which file has the responses?", choices)
            return ""
        if numbers:
            words = f"Which column of {stimuli} has the responses?"
            self._ask("value", words, numbers, numbers[0] if len(numbers) == 1 else "")
            if len(numbers) == 1:
                self.of["value"] = numbers[0]
            return str(stimuli)
        raise DatasetError(
            f"{self.folder} has no file of responses. Formats are {', '.join(FORMATS)}; a table "
            f"needs columns stimulus_id, neuroid_id and value, or stimulus_id and one of "
            f"{', '.join(BEHAVIOUR)}. Name it by --responses FILE, and the column by --value "
            "COLUMN, if they are called otherwise."
        )

    def _numbers(self, name: str) -> list[str]:
        table = self._read(name)
        if table is None:
            return []
        stimuli = self._named(self.own["stimuli"]) if name != self.own["stimuli"] else []
        ids = synonyms.SYNONYMS["stimulus_id"] + synonyms.SYNONYMS["subject"]
        columns = synonyms.numeric_columns(table, stimuli)
        return [column for column in columns if synonyms.plain(column) not in ids]

    def _other_tables(self) -> None:
        file, stimuli = self.of["file"], self.own["stimuli"]
        others = {n: self._looks(n) for n in self.columns if n not in (stimuli, file)}
        if "neuroids" not in self.of:
            found = [n for n, there in others.items() if "neuroid_id" in there]
            if len(found) == 1 and "stimulus_id" not in others[found[0]]:
                self.of["neuroids"] = found[0]
        if "presentations" not in self.of and Path(file).suffix.lower() in ARRAYS:
            found = [
                n
                for n, there in others.items()
                if Path(n).stem.lower() == "presentations" and "stimulus_id" in there
            ]
            if found:
                self.of["presentations"] = found[0]

    def _meaning(self) -> bool:
        """Column and task of a table; whether it is of behaviour."""
        name, task = self.of["file"], self.of.get("task")
        there = self._named(name)
        neural = bool(self.of.get("target")) or "neuroid_id" in there
        if not there:
            return bool(task)
        if task or not neural:
            self._recognise_behaviour(name, there)
            there = self._named(name)
        column = self.of.get("value") or behaviour_of(there)
        if task:
            return True
        if column in BEHAVIOUR and not self.of.get("target"):
            self.of.setdefault("value", column)
            self.of["task"] = BEHAVIOUR[str(column)]
            return True
        if column is None and "neuroid_id" in there and not {*VALUES} & {*there}:
            numbers = [c for c in self._numbers(name) if c != "neuroid_id"]
            if len(numbers) == 1:
                self.of["value"] = numbers[0]
            elif numbers:
                self._ask("value", f"Which column of {name} has the responses?", numbers)
        return False

    def _recognise_behaviour(self, name: str, there: list[str]) -> None:
        """What the table calls choices, their truth, and reading times."""
        if self.of.get("value"):
            return
        wanted = self.of.get("task")
        trials, stimuli = self._read(name), self._read(self.own["stimuli"])
        if trials is None or stimuli is None:
            return
        if wanted != "reading_time" and "choice" not in there:
            sure, possible = choices_among(trials, stimuli, asked=wanted == "label")
            if len(sure) == 1:
                self.called["choice"] = sure[0]
            elif sure or possible:
                self._ask(
                    "columns.choice",
                    f"Which column of {name} has choices?",
                    sure or possible,
                    empty="none",
                )
        spoken = any(synonyms.are_words(trials, c) for c in synonyms.candidates("choice", there))
        if wanted == "reading_time" or not (wanted or spoken or behaviour_of(self._named(name))):
            self._recognise("reading_time_ms", [name])
        if "choice" in self._named(name) and wanted != "reading_time":
            found = truth_of(tables.renamed(trials, self.called), stimuli)
            if found == ["correct_answer"]:
                self.called["truth"] = found[0]
            elif found:
                words = "Which column says what is right?"
                self._ask("columns.truth", words, found, empty="none, and only choices count")

    # Axes and targets.

    def _axes(self) -> None:
        path = self.folder / self.of["file"]
        if "dims" in self.of or path.suffix.lower() not in ARRAYS:
            return
        shape, problem = _shape(path, self.of.get("variable"))
        if problem:
            if "several arrays" in problem and "variable" not in self.of:
                self._ask("variable", f"Which array has the responses? {problem}")
            return
        neuroids = self.of.get("neuroids")
        sizes = {
            "presentation": self._rows(self.of.get("presentations") or self.own["stimuli"]),
            "neuroid": self._rows(neuroids) if neuroids else None,
            "time_bin": len(self.of.get("time_bin_ms", ())) or None,
            "repetition": None,
        }
        fitting = orders_that_fit(shape, sizes)
        if len(fitting) == 1:
            self.of["dims"] = fitting[0]
        elif fitting:  # where none fits, the examination says why
            size = " x ".join(map(str, shape))
            words = f"What are the axes of {path.name} (its shape is {size})?"
            self._ask("dims", words, [",".join(order) for order in fitting])

    def _rows(self, name: str) -> int | None:
        table = self._read(name)
        return None if table is None else len(table)

    def _ask_target(self) -> None:
        regions: list[str] = []
        for name in (self.of.get("neuroids"), self.of["file"]):
            if name in self.columns and "region" in self._named(str(name)):
                table = self._read(str(name))
                if table is not None and not regions:
                    cells = (cell.strip() for cell in table.text("region"))
                    regions = list(dict.fromkeys(cell for cell in cells if cell))
        each = f"one target for each region ({', '.join(regions)})" if regions else ""
        self._ask("target", 'What was recorded, e.g. "V4" or "language_system"?', empty=each)


def _cells(table: tables.Table, column: str) -> set[str]:
    return set(table.text(column)) if column in table.frame.columns else set()


def _endings(table: tables.Table | None, column: str) -> set[str]:
    if table is None or column not in table.frame.columns:
        return set()
    return {Path(cell).suffix.lower() for cell in table.text(column)[:100]}


def _shape(path: Path, variable: str | None) -> tuple[tuple[int, ...], str]:
    """Shape of an array, or why it cannot be told."""
    try:
        match path.suffix.lower():
            case ".npy":
                array = read_npy(path, path.name)
            case ".npz":
                array = read_npz(path, path.name, variable)
            case _:
                array = read_mat(path, path.name, variable)
    except (CortevalError, OSError) as error:
        return (), str(error)  # told when the folder is examined
    return cast("tuple[int, ...]", array.values.shape), ""
