"""Recurrent cells as expressions: sources, operators, and parts that have a name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import final

from corteval.errors import OptionError

#: What a cell reads, and in words what it is. Source: spec ``models`` section 8.
SOURCES: Mapping[str, str] = {
    "x": "input at this step",
    "x_prev": "input at the step before; 0 at the first",
    "h_prev": "output of the step before; 0 at the first",
    "c_prev": "cell state of the step before; 0 at the first",
    "PosEnc": "sines and cosines of the number of the step",
}

#: Operators and how many arguments they take. Source: spec ``models`` section 8.
OPERATORS: Mapping[str, int] = {
    "MM": 1,
    "Sigmoid": 1,
    "Tanh": 1,
    "ReLU": 1,
    "LayerNorm": 1,
    "SeLU": 1,
    "Sin": 1,
    "Cos": 1,
    "Add": 2,
    "Mult": 2,
    "Sub": 2,
    "Div": 2,
    "Gate3": 3,
}

#: Definitions with a meaning: the output, and the state that only the cell itself reads.
OUTPUT, STATE = "h", "c"

#: Deepest nesting that is read, printed and compiled.
DEEPEST = 60

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@final
@dataclass(frozen=True, kw_only=True)
class Source:
    """Something the cell reads.

    Args:
        name: key of `SOURCES`.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in SOURCES:
            raise OptionError(f"There is no source {self.name!r}{close(self.name, SOURCES)}")

    def __str__(self) -> str:
        return self.name


@final
@dataclass(frozen=True, kw_only=True)
class Named:
    """The value of an earlier definition, with the weights it has there.

    Args:
        name: of the definition.
    """

    name: str

    def __str__(self) -> str:
        return self.name


@final
@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operator and its arguments. Every ``MM`` and ``LayerNorm`` has weights of its own.

    Args:
        operator: key of `OPERATORS`.
        arguments: as many as it takes.
    """

    operator: str
    arguments: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise OptionError(
                f"There is no operator {self.operator!r}{close(self.operator, OPERATORS)}"
            )
        wanted = OPERATORS[self.operator]
        if len(self.arguments) != wanted:
            raise OptionError(
                f"{self.operator} takes {wanted} argument{'s' * (wanted > 1)}, "
                f"not {len(self.arguments)}."
            )

    def __str__(self) -> str:
        return f"{self.operator}({', '.join(map(str, self.arguments))})"


Expression = Source | Named | Operation


@final
@dataclass(frozen=True, kw_only=True)
class Definition:
    """A part of a cell with a name.

    Args:
        name: by which later definitions refer to it; ``h`` and ``c`` are the cell's results.
        expression: its value.
    """

    name: str
    expression: Expression

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in SOURCES or self.name in OPERATORS:
            raise OptionError(
                f"{self.name!r} cannot be defined: a name is letters, digits and '_', and no "
                "source or operator."
            )

    def __str__(self) -> str:
        return f"{self.name} = {self.expression}"


@final
@dataclass(frozen=True, kw_only=True)
class Cell:
    """A recurrent cell: definitions in the order in which they are computed.

    Args:
        definitions: one of them is ``h``; one is ``c`` if ``c_prev`` is read.

    Raises:
        OptionError: a definition is missing, is used before it is made or never, or is made twice.
    """

    definitions: tuple[Definition, ...]

    def __post_init__(self) -> None:
        made: set[str] = set()
        used: set[str] = set()
        for definition in self.definitions:
            if depth(definition.expression) > DEEPEST:
                raise OptionError(
                    f"{definition.name} is nested more than {DEEPEST} deep; give parts a name."
                )
            for name in _named(definition.expression):
                if name not in made:
                    raise OptionError(f"{name} is read before it is defined{close(name, made)}")
                used.add(name)
            if definition.name in made:
                raise OptionError(f"{definition.name} is defined twice; choose another name.")
            made.add(definition.name)
        if OUTPUT not in made:
            raise OptionError(f"The cell does not define its output {OUTPUT}.")
        idle = sorted(made - used - {OUTPUT, STATE})
        if idle:
            raise OptionError(f"{', '.join(idle)}: defined and never used; leave it out.")
        reads = {source for d in self.definitions for source in sources(d.expression)}
        if "c_prev" in reads and STATE not in made:
            raise OptionError(f"c_prev is read, but no line defines the state {STATE}.")

    @property
    def has_state(self) -> bool:
        """Whether there is a state ``c`` beside the output."""
        return any(definition.name == STATE for definition in self.definitions)

    def __str__(self) -> str:
        """The text that `corteval_recurrent.parsing.parse` reads, a definition a line."""
        return "\n".join(map(str, self.definitions))

    def on_one_line(self) -> str:
        """The same text with ``;`` between definitions."""
        return "; ".join(map(str, self.definitions))


def cell_of(expression: Expression) -> Cell:
    """A cell whose output is `expression`."""
    return Cell(definitions=(Definition(name=OUTPUT, expression=expression),))


def depth(expression: Expression) -> int:
    """Number of operators on the longest way down."""
    deepest, left = 0, [(expression, 0)]
    while left:
        here, above = left.pop()
        if isinstance(here, Operation):
            deepest = max(deepest, above + 1)
            left += [(argument, above + 1) for argument in here.arguments]
    return deepest


def sources(expression: Expression) -> set[str]:
    """Names of the sources that `expression` reads itself."""
    return {part.name for part in walk(expression) if isinstance(part, Source)}


def walk(expression: Expression) -> Iterator[Expression]:
    """All parts of `expression`, in the order in which their text begins."""
    left = [expression]
    while left:
        here = left.pop()
        yield here
        if isinstance(here, Operation):
            left += reversed(here.arguments)


def count_parameters(cell: Cell, width: int) -> int:
    """Weights of `cell`: width² + width of each ``MM``, 2 width of each ``LayerNorm``."""
    parts = [part for d in cell.definitions for part in walk(d.expression)]
    operators = [part.operator for part in parts if isinstance(part, Operation)]
    return operators.count("MM") * (width**2 + width) + operators.count("LayerNorm") * 2 * width


def close(name: str, known: Iterable[str]) -> str:
    """The end of a message: names that `name` may have meant, or all there are."""
    names = list(known)
    by_lower = {n.lower(): n for n in names}
    near = [by_lower[n] for n in difflib.get_close_matches(name.lower(), by_lower, cutoff=0.5)]
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; there is {', '.join(names)}." if names else "."


def _named(expression: Expression) -> set[str]:
    return {part.name for part in walk(expression) if isinstance(part, Named)}
