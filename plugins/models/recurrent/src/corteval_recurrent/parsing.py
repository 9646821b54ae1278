"""Reads the text of a cell; says where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from corteval.errors import OptionError
from corteval_recurrent.expressions import (
    DEEPEST,
    OPERATORS,
    OUTPUT,
    SOURCES,
    Cell,
    Definition,
    Expression,
    Named,
    Operation,
    Source,
    close,
)

_TOKEN = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<mark>[(),=;\n])|(?P<blank>[^\S\n]+)")
_COMMENT = re.compile(r"#[^\n;]*")


class _Token(NamedTuple):
    text: str
    at: int


def parse(text: str) -> Cell:
    """The cell that `text` describes.

    A definition a line (or between ``;``), such as ``h = Tanh(Add(MM(x), MM(h_prev)))``. A text
    without ``=`` is the output. What follows ``#`` is a comment.

    >>> print(parse("Tanh(Add(MM(x), MM(h_prev)))"))
    h = Tanh(Add(MM(x), MM(h_prev)))

    Raises:
        OptionError: with line, column, and close names.
    """
    return _Reader(_COMMENT.sub(lambda found: " " * len(found[0]), text)).cell()


class _Reader:
    """One pass over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [*self._scanned(), _Token("", len(text))]
        self.next = 0
        self.made: list[str] = []

    def cell(self) -> Cell:
        definitions: list[Definition] = []
        while True:
            while self._here().text in ("\n", ";"):
                self.next += 1
            if not self._here().text:
                break
            definitions.append(self._definition(first=not definitions))
            if self._here().text not in ("\n", ";", ""):
                self._fail(self._here().at, f"{self._shown()} follows where the line must end")
        if not definitions:
            raise OptionError("The text of a cell is empty; a cell is h = Tanh(Add(MM(x), ...)).")
        return Cell(definitions=tuple(definitions))

    def _scanned(self) -> Iterator[_Token]:
        at = 0
        depth = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None:
                self._fail(at, f"{self.text[at]!r} has no meaning here")
            depth += {"(": 1, ")": -1}.get(found[0], 0)
            # an expression may go on in the next line while a bracket is open
            if found.lastgroup != "blank" and not (found[0] == "\n" and depth > 0):
                yield _Token(found[0], at)
            at = found.end()

    def _definition(self, *, first: bool) -> Definition:
        start = self._here()
        if self.tokens[min(self.next + 1, len(self.tokens) - 1)].text != "=":
            if not first:
                self._fail(start.at, "a definition begins with a name and '='")
            expression = self._expression(1)
            if "=" in [token.text for token in self.tokens]:
                self._fail(start.at, "a definition begins with a name and '='")
            self.made.append(OUTPUT)
            return Definition(name=OUTPUT, expression=expression)
        self.next += 2
        expression = self._expression(1)
        try:
            made = Definition(name=start.text, expression=expression)
        except OptionError as error:
            self._fail(start.at, str(error).rstrip("."))
        if made.name in self.made:
            self._fail(start.at, f"{made.name} is defined twice")
        self.made.append(made.name)
        return made

    def _expression(self, depth: int) -> Expression:
        token = self._here()
        if not token.text[:1].isalpha():
            self._fail(
                token.at, f"{self._shown()} stands where a source or an operator is expected"
            )
        if depth > DEEPEST + 1:
            self._fail(token.at, f"nested more than {DEEPEST} deep; give parts a name")
        self.next += 1
        if self._here().text == "(":
            return self._operation(token, depth)
        if token.text in SOURCES:
            return Source(name=token.text)
        if token.text in self.made:
            return Named(name=token.text)
        if token.text in OPERATORS:
            self._fail(token.at, f"{token.text} is an operator and takes arguments in brackets")
        known = close(token.text, [*self.made, *SOURCES])
        self._fail(token.at, f"{token.text!r} is no source and not yet defined{known}")

    def _operation(self, operator: _Token, depth: int) -> Operation:
        if operator.text not in OPERATORS:
            self._fail(
                operator.at,
                f"there is no operator {operator.text!r}{close(operator.text, OPERATORS)}",
            )
        self.next += 1
        arguments = [self._expression(depth + 1)]
        while self._here().text == ",":
            self.next += 1
            arguments.append(self._expression(depth + 1))
        if self._here().text != ")":
            self._fail(self._here().at, f"{self._shown()} stands where ',' or ')' is expected")
        self.next += 1
        try:
            return Operation(operator=operator.text, arguments=tuple(arguments))
        except OptionError as error:
            self._fail(operator.at, str(error).rstrip("."))

    def _here(self) -> _Token:
        return self.tokens[self.next]

    def _shown(self) -> str:
        text = self._here().text
        return repr(text) if text.strip() else "the end of the line" if text else "the end"

    def _fail(self, at: int, reason: str) -> NoReturn:
        line = self.text.count("\n", 0, at) + 1
        start = self.text.rfind("\n", 0, at) + 1
        written = self.text[start:].partition("\n")[0]
        # of a long line only the surroundings
        left = max(0, at - start - 60)
        shown = written[left : left + 120]
        caret = " " * (at - start - left) + "^"
        raise OptionError(
            f"Line {line}, column {at - start + 1} of the cell: {reason.rstrip('.')}"
            f"{'' if reason.endswith('?') else '.'}\n  {shown}\n  {caret}"
        ) from None
