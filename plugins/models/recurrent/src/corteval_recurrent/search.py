"""Random cells: expressions drawn under a seed, of which only those that may work are kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corteval.errors import OptionError
from corteval_recurrent.expressions import (
    OPERATORS,
    OUTPUT,
    SOURCES,
    STATE,
    Cell,
    Definition,
    Expression,
    Named,
    Operation,
    Source,
    close,
    sources,
    walk,
)

#: Operators and sources of the core language. Source: spec ``models`` section 8.
CORE = ("MM", "Sigmoid", "Tanh", "ReLU", "Add", "Mult", "Gate3")
_CORE_SOURCES = ("x", "x_prev", "h_prev", "c_prev")

#: Operators whose values stay within bounds whatever they are given.
_SQUASHING = frozenset({"Sigmoid", "Tanh", "Sin", "Cos", "LayerNorm"})
_TRIES = 3_000


def candidates(
    count: int,
    *,
    seed: int = 0,
    depth: int = 5,
    operators: Sequence[str] = CORE,
    with_state: bool = True,
) -> list[Cell]:
    """`count` different cells, the same for the same arguments.

    All of them meet `is_valid`. The first n of a longer list are the shorter list.

    Args:
        count: how many.
        seed: of the draws.
        depth: operators on the longest way from the output or the state down to a source.
        operators: from which expressions are made.
        with_state: whether half of them have a state ``c``.

    Raises:
        OptionError: for an operator there is not, a depth below 2, or if no more valid cells are
            found.
    """
    unknown = [name for name in operators if name not in OPERATORS]
    if unknown:
        raise OptionError(f"There is no operator {unknown[0]!r}{close(unknown[0], OPERATORS)}")
    if depth < 2 or count < 0:
        raise OptionError(f"depth is at least 2 and count not negative, not {depth} and {count}.")
    drawn: dict[str, Cell] = {}
    generator = np.random.default_rng(seed)
    unused = 0
    while len(drawn) < count:
        cell = _draw(generator, depth, tuple(operators), with_state)
        if cell is None or str(cell) in drawn:
            unused += 1
            if unused > _TRIES:
                raise OptionError(
                    f"{_TRIES} draws in a row gave no new valid cell after {len(drawn)}; allow "
                    f"more operators than {', '.join(operators)}, or a depth above {depth}."
                )
            continue
        unused = 0
        drawn[str(cell)] = cell
    return list(drawn.values())


def is_valid(cell: Cell) -> bool:
    """Whether a cell may work as a recurrent network.

    It learns (some ``MM``), reads its input and its own past, what a definition computes is not
    wasted, and neither output nor state can grow without bound: each is made of squashed values,
    or lies between its former value and one of those (``Gate3``). A quotient counts as unbounded,
    since nothing keeps its divisor from 0. Both leave the 0 at which they begin. No operation
    undoes or repeats the one below it, as ``Sub(a, a)``, ``MM(MM(a))`` and ``ReLU(Sigmoid(a))`` do.
    """
    parts = [part for definition in cell.definitions for part in walk(definition.expression)]
    operations = [part for part in parts if isinstance(part, Operation)]
    reads = {part.name for part in parts if isinstance(part, Source)}
    if "MM" not in [o.operator for o in operations] or not reads & {"h_prev", "c_prev"}:
        return False
    if "x" not in reads or any(_is_idle(operation) for operation in operations):
        return False
    if cell.has_state and not _state_matters(cell):
        return False
    return _is_bounded(cell) and _leaves_zero(cell)


def _draw(
    generator: np.random.Generator, depth: int, operators: tuple[str, ...], with_state: bool
) -> Cell | None:
    """One cell, or None if what was drawn is not valid."""
    stateful = with_state and bool(generator.random() < 0.5)
    extended = set(operators) - set(CORE)
    known = [s for s in (SOURCES if extended else _CORE_SOURCES) if stateful or s != "c_prev"]
    parts: list[Expression] = [Source(name=name) for name in known]
    definitions = []
    if stateful:
        definitions.append(
            Definition(name=STATE, expression=_expression(generator, depth, operators, parts))
        )
        parts = [*parts, Named(name=STATE)]
    definitions.append(
        Definition(name=OUTPUT, expression=_expression(generator, depth, operators, parts))
    )
    try:
        cell = Cell(definitions=tuple(definitions))
    except OptionError:
        return None
    return cell if is_valid(cell) else None


def _expression(
    generator: np.random.Generator,
    depth: int,
    operators: tuple[str, ...],
    leaves: Sequence[Expression],
    *,
    top: bool = True,
) -> Expression:
    """An expression of at most `depth` operators one inside the other."""
    if depth == 0 or (not top and generator.random() < 0.2):
        return leaves[int(generator.integers(len(leaves)))]
    operator = operators[int(generator.integers(len(operators)))]
    arguments = tuple(
        _expression(generator, depth - 1, operators, leaves, top=False)
        for _ in range(OPERATORS[operator])
    )
    return Operation(operator=operator, arguments=arguments)


def _is_idle(operation: Operation) -> bool:
    """Whether an operation undoes or repeats what is below it."""
    below = [a.operator if isinstance(a, Operation) else "" for a in operation.arguments]
    name = operation.operator
    if OPERATORS[name] == 1:
        return below[0] == name or (name == "ReLU" and below[0] == "Sigmoid")
    first, second = operation.arguments[:2]
    return first == second and name != "Mult"


def _state_matters(cell: Cell) -> bool:
    """Whether the state reaches the output, now or a step later."""
    for definition in cell.definitions:
        if definition.name == OUTPUT:
            named = {p.name for p in walk(definition.expression) if isinstance(p, Named)}
            return STATE in named or "c_prev" in sources(definition.expression)
    return False


def _leaves_zero(cell: Cell) -> bool:
    """Whether output and state can be other than 0, where they begin."""
    zero = {"h_prev", "c_prev"}
    results = [d.name for d in cell.definitions if d.name in (OUTPUT, STATE)]
    named: dict[str, bool] = {}
    for _ in range(len(results) + 1):
        for definition in cell.definitions:
            named[definition.name] = _is_zero(definition.expression, zero, named)
        zero -= {f"{name}_prev" for name in results if not named[name]}
    return not any(named[name] for name in results)


def _is_zero(expression: Expression, zero: set[str], named: dict[str, bool]) -> bool:
    """Whether a value is 0 where the sources in `zero` are."""
    if isinstance(expression, Source):
        return expression.name in zero
    if isinstance(expression, Named):
        return named[expression.name]
    arguments = [_is_zero(argument, zero, named) for argument in expression.arguments]
    if expression.operator in ("MM", "Sigmoid", "Cos"):  # MM adds a bias
        return False
    if expression.operator == "Mult":
        return any(arguments)
    if expression.operator == "Div":
        return arguments[0]
    return all(arguments[:2])


def _is_bounded(cell: Cell) -> bool:
    """Whether output and state stay within bounds over any number of steps."""
    limited: set[str] = set()
    results = [d for d in cell.definitions if d.name in (OUTPUT, STATE)]
    # with the values of the step before unlimited first, then with those shown to be limited
    for _ in range(len(results) + 1):
        named: dict[str, bool] = {}
        for definition in cell.definitions:
            own = Source(name=f"{definition.name}_prev") if definition in results else None
            named[definition.name] = _limited(definition.expression, limited, named, own)
        limited |= {f"{d.name}_prev" for d in results if named[d.name]}
    return all(named[d.name] for d in results)


def _limited(
    expression: Expression,
    limited: set[str],
    named: dict[str, bool],
    own: Source | None = None,
) -> bool:
    """Whether a value is bounded; `own` is its former value, if it is one of the results."""
    if isinstance(expression, Source):
        return expression.name in limited or expression.name in ("x", "x_prev", "PosEnc")
    if isinstance(expression, Named):
        return named[expression.name]
    if expression.operator in _SQUASHING:
        return True
    if expression.operator == "Div":
        return False
    if expression.operator == "Gate3":
        ends = [
            argument == own or _limited(argument, limited, named)
            for argument in expression.arguments[:2]
        ]
        return all(ends)
    return all(_limited(argument, limited, named) for argument in expression.arguments)
