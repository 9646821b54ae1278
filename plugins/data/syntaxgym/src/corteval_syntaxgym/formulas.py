"""Predictions of a test suite: formulas over the surprisals of regions, read and never executed.

A formula compares sums of surprisals, as in ``[(6;%np_mismatch%)-(6;%np_match%)]+1 > 0``. The
grammar, loosest first; ``(6;%name%)`` is the surprisal of region 6 in condition ``name``, and
``(*;%name%)`` that of its whole sentence::

    statement  = both { "|" both }
    both       = comparison { "&" comparison }
    comparison = sum [ ("<" | ">" | "=") sum ]
    sum        = term { ("+" | "-") term }
    term       = region | number | "[" statement "]" | "(" statement ")"

What stands on either side of ``&`` and ``|`` must be a comparison, and elsewhere a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

from corteval.errors import AssemblyError, StimuliError

#: Longer formulas, or brackets in more brackets, are no predictions of a linguist.
MAX_LENGTH = 1000
MAX_DEPTH = 20
#: ``=`` allows for |a - b| up to ABSOLUTE + RELATIVE |b|, as the field's tools do.
RELATIVE, ABSOLUTE = 1e-5, 1e-3

_TOKEN = re.compile(
    r"\s*(?:\(\s*(?P<region>[0-9]{1,4}|\*)\s*;\s*%(?P<condition>[^%\n]{1,100})%\s*\)"
    r"|(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)|(?P<sign>[-+<>=&|()\[\]]))"
)
_CLOSING = {"[": "]", "(": ")"}


@final
@dataclass(frozen=True, kw_only=True)
class RegionSurprisal:
    """Surprisal of a region in a condition; of all its regions together if `region` is None."""

    condition: str
    region: int | None


@final
@dataclass(frozen=True, kw_only=True)
class Constant:
    """A number."""

    value: float


@final
@dataclass(frozen=True, kw_only=True)
class Sum:
    """``left + right`` or ``left - right``."""

    left: Quantity
    sign: Literal["+", "-"]
    right: Quantity


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """``left < right``, ``left > right``, or ``left = right`` within tolerance."""

    left: Quantity
    sign: Literal["<", ">", "="]
    right: Quantity


@final
@dataclass(frozen=True, kw_only=True)
class Combination:
    """``left & right`` or ``left | right``."""

    left: Statement
    sign: Literal["&", "|"]
    right: Statement


Quantity = RegionSurprisal | Constant | Sum
Statement = Comparison | Combination

#: Surprisal by (condition, number of the region).
Surprisals = Mapping[tuple[str, int], float]


def parse(formula: str) -> Statement:
    """The statement that `formula` makes.

    >>> parse("(2;%a%) < (2;%b%)").sign
    '<'

    Raises:
        StimuliError: if it is not of the grammar, or too long or deep; says where.
    """
    if len(formula) > MAX_LENGTH:
        raise StimuliError(
            f"A formula has {len(formula)} characters; at most {MAX_LENGTH} are read. It starts "
            f"{formula[:40]!a}."
        )
    return _Reader(formula).whole()


def regions_of(part: Statement | Quantity) -> frozenset[RegionSurprisal]:
    """Regions that a statement is about."""
    if isinstance(part, RegionSurprisal):
        return frozenset({part})
    if isinstance(part, Constant):
        return frozenset()
    return regions_of(part.left) | regions_of(part.right)


def holds(statement: Statement, surprisals: Surprisals) -> bool:
    """Whether `statement` is true of the surprisals of one item.

    Args:
        statement: of `parse`.
        surprisals: of every region it is about, in one unit; the tolerance of ``=`` takes bits.

    Raises:
        AssemblyError: if a region has no surprisal, or one that is not a number (NaN).
    """
    if isinstance(statement, Combination):
        left, right = holds(statement.left, surprisals), holds(statement.right, surprisals)
        return (left and right) if statement.sign == "&" else (left or right)
    one, other = _value(statement.left, surprisals), _value(statement.right, surprisals)
    if statement.sign == "=":
        return one == other or abs(one - other) <= ABSOLUTE + RELATIVE * abs(other)
    return one < other if statement.sign == "<" else one > other


def _value(quantity: Quantity, surprisals: Surprisals) -> float:
    if isinstance(quantity, Constant):
        return quantity.value
    if isinstance(quantity, Sum):
        left, right = _value(quantity.left, surprisals), _value(quantity.right, surprisals)
        return left + right if quantity.sign == "+" else left - right
    if quantity.region is None:
        parts = [v for (name, _), v in surprisals.items() if name == quantity.condition]
        value = float(sum(parts)) if parts else None
    else:
        value = surprisals.get((quantity.condition, quantity.region))
    what = f"region {quantity.region or '*'} in condition {quantity.condition!r}"
    if value is None:
        raise AssemblyError(f"There is no surprisal of {what}; the prediction needs it.")
    if value != value:
        raise AssemblyError(f"The surprisal of {what} is not a number.")
    return float(value)


class _Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens = self._tokens()
        self.next = 0
        self.depth = 0

    def whole(self) -> Statement:
        statement = self._statement()
        if self._sign() or self.next < len(self.tokens):
            raise self._wrong("nothing can follow there")
        if isinstance(statement, Comparison | Combination):
            return statement
        raise self._wrong("it compares nothing")

    def _tokens(self) -> list[re.Match[str]]:
        found, position, end = [], 0, len(self.formula.rstrip())
        while position < end:
            token = _TOKEN.match(self.formula, position)
            if token is None:
                raise StimuliError(
                    f"Formula {self.formula!a}: character {position + 1} starts nothing that "
                    "a prediction may hold: regions such as (6;%name%), numbers, + - < > = & | and "
                    "brackets."
                )
            found.append(token)
            position = token.end()
        return found

    def _sign(self, *signs: str) -> str:
        """The next token if it is one of `signs`, or any sign if there are none named."""
        if self.next < len(self.tokens):
            sign = self.tokens[self.next]["sign"] or ""
            if not signs or sign in signs:
                return sign
        return ""

    def _take(self, *signs: str) -> str:
        sign = self._sign(*signs)
        self.next += bool(sign)
        return sign

    def _statement(self) -> Statement | Quantity:
        left = self._both()
        while self._take("|"):
            left = Combination(left=self._true(left), sign="|", right=self._true(self._both()))
        return left

    def _both(self) -> Statement | Quantity:
        left = self._comparison()
        while self._take("&"):
            right = self._comparison()
            left = Combination(left=self._true(left), sign="&", right=self._true(right))
        return left

    def _comparison(self) -> Statement | Quantity:
        left = self._sum()
        sign = self._take("<", ">", "=")
        if not sign:
            return left
        right = self._sum()
        if self._sign("<", ">", "="):
            raise self._wrong("comparisons cannot be chained")
        # mypy does not follow which texts `_take` returns
        return Comparison(left=self._number(left), sign=sign, right=self._number(right))  # type: ignore[arg-type]

    def _sum(self) -> Statement | Quantity:
        left = self._term()
        while sign := self._take("+", "-"):
            right = self._number(self._term())
            left = Sum(left=self._number(left), sign=sign, right=right)  # type: ignore[arg-type]
        return left

    def _term(self) -> Statement | Quantity:
        if self.next == len(self.tokens):
            raise self._wrong("something is missing there")
        opening = self._take("[", "(")
        if opening:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self._wrong(f"brackets are more than {MAX_DEPTH} deep")
            inner = self._statement()
            if not self._take(_CLOSING[opening]):
                raise self._wrong(f"the bracket {opening} is not closed")
            self.depth -= 1
            return inner
        token = self.tokens[self.next]
        if token["sign"]:
            raise self._wrong(f"{token['sign']} cannot stand there")
        self.next += 1
        if token["number"]:
            return Constant(value=float(token["number"]))
        region = None if token["region"] == "*" else int(token["region"])
        return RegionSurprisal(condition=token["condition"], region=region)

    def _true(self, part: Statement | Quantity) -> Statement:
        if isinstance(part, Comparison | Combination):
            return part
        raise self._wrong("& and | join comparisons, not numbers")

    def _number(self, part: Statement | Quantity) -> Quantity:
        if isinstance(part, Comparison | Combination):
            raise self._wrong("a comparison is no number")
        return part

    def _wrong(self, why: str) -> StimuliError:
        at = len(self.formula)
        if self.next < len(self.tokens):
            token = self.tokens[self.next]
            at = token.end() - len(token[0].lstrip())
        return StimuliError(f"Formula {self.formula!a}, at character {at + 1}: {why}.")
