"""What is wrong with a folder: collected rather than raised one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, TypeVar, final

from corteval.errors import CortevalError, DatasetError

T = TypeVar("T")
Severity = Literal["error", "warning"]

#: Places of one kind of problem that are named one by one; the rest are counted.
SHOWN = 5


@final
@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong with a data set, or odd about it.

    Args:
        severity: an error keeps the set from being used.
        what: is wrong, with the value.
        where: file, row as an editor shows it, column or index.
        next_step: for the owner of the data.
    """

    severity: Severity
    what: str
    where: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" {self.next_step}" if self.next_step else "")


class _Refused(DatasetError):
    """A problem that ends the reading of a file."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def refuse(what: str, where: str = "", next_step: str = "") -> NoReturn:
    """Stop reading because of an error.

    Raises:
        DatasetError: always.
    """
    raise _Refused(Problem(severity="error", what=what, where=where, next_step=next_step))


@final
class Findings:
    """Problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        #: Rows have been told that belong to nothing, so what they hold is missing elsewhere.
        self.unmatched = False

    @property
    def errors(self) -> list[Problem]:
        """Those that keep the set from being used."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def error(self, what: str, where: str = "", next_step: str = "") -> None:
        """Add an error."""
        self.problems.append(Problem(severity="error", what=what, where=where, next_step=next_step))

    def warning(self, what: str, where: str = "", next_step: str = "") -> None:
        """Add a warning."""
        self.problems.append(
            Problem(severity="warning", what=what, where=where, next_step=next_step)
        )

    def each(
        self,
        severity: Severity,
        places: Sequence[tuple[str, str]],
        next_step: str = "",
        *,
        rest: str = "more of this kind",
    ) -> None:
        """Add one kind of problem: the first places one by one, the others as a number.

        Args:
            severity: of all.
            places: (where, what) of each.
            next_step: for all.
            rest: what the others are.
        """
        for where, what in places[:SHOWN]:
            self.problems.append(
                Problem(severity=severity, what=what, where=where, next_step=next_step)
            )
        if len(places) > SHOWN:
            last = places[-1][0]
            self.problems.append(
                Problem(
                    severity=severity,
                    what=f"{len(places) - SHOWN} {rest}, the last at: {last}.",
                    next_step=next_step,
                )
            )

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Errors of Corteval, and of the disk, raised inside become problems."""
        try:
            yield
        except _Refused as error:
            self.problems.append(error.problem)
        except CortevalError as error:
            self.error(str(error))
        except OSError as error:
            name = Path(str(error.filename)).name if error.filename else ""
            self.error(f"The file cannot be read: {error.strerror or error}.", name)

    def required(self, found: T | None, of: str) -> T:
        """What was `found`, if there are no errors.

        Raises:
            DatasetError: lists them.
        """
        errors = self.errors
        if len(errors) == 1:
            raise DatasetError(f"{of}: {errors[0]}")
        if errors:
            listed = "\n".join(f"  - {problem}" for problem in errors)
            raise DatasetError(f"{of} cannot be used as it is:\n{listed}")
        if found is None:
            raise DatasetError(f"{of} was not read.")
        return found
