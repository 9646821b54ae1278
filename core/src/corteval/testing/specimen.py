"""A plugin under test, and what checks share: demands, and the global random state."""

from __future__ import annotations

import contextlib
import inspect
import pkgutil
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, TypeVar, final

import numpy as np

from corteval import registry
from corteval.cards import Card, DataFamily, MetricCard, ModelFamily
from corteval.testing import CheckFailure, NotApplicable

T = TypeVar("T")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Specimen:
    """A plugin under test.

    Args:
        kind: key of `registry.KINDS`.
        identifier: as asked for, perhaps ``identifier@distribution``.
        card: found under it.
    """

    kind: str
    identifier: str
    card: Card

    def create(self, **options: Any) -> Any:
        """A new instance; a factory that does not resolve is the business of one check only."""
        problem = factory_problem(self.card)
        if problem:
            raise NotApplicable(f"It cannot be built, see check factory. {problem}")
        return registry.KINDS[self.kind].create(self.identifier, **options)

    def seeded(self, seed: int = 0) -> Any:
        """A new instance with this seed, if its factory takes one."""
        return self.create(seed=seed) if self.takes("seed") else self.create()

    def takes(self, option: str) -> bool:
        """Whether the factory has the option."""
        if factory_problem(self.card):
            return False
        parameters = inspect.signature(pkgutil.resolve_name(self.card.factory)).parameters
        return option in parameters or any(p.kind == p.VAR_KEYWORD for p in parameters.values())

    def inputs(self) -> Any:
        """Inputs for a metric that its card says how to make, or None."""
        if not isinstance(self.card, MetricCard) or self.card.example is None:
            return None
        return pkgutil.resolve_name(self.card.example)()


def require(condition: object, message: str) -> None:
    """Fail the check with `message` unless `condition` holds."""
    if not condition:
        raise CheckFailure(message)


def once(compute: Callable[[Specimen], T]) -> Callable[[Specimen], T]:
    """Remember what was computed for the latest specimen, an error included.

    Only the latest, since a session may check many large models; the error, since a download that
    failed for one check should not be tried again for the next.
    """

    @lru_cache(maxsize=1)
    def outcome(specimen: Specimen) -> tuple[list[T], Exception | None]:
        try:
            return [compute(specimen)], None
        except Exception as error:
            return [], error

    @wraps(compute)
    def recall(specimen: Specimen) -> T:
        found, error = outcome(specimen)
        if error is not None:
            raise error
        return found[0]

    return recall


def factory_problem(card: Card) -> str:
    """Why the card's factory cannot be called as the card says; empty if it can."""
    try:
        factory = pkgutil.resolve_name(card.factory)
    except (Exception, SystemExit) as error:
        return f"The factory {card.factory} does not resolve: {type(error).__name__}: {error}"
    if not callable(factory):
        return f"The factory {card.factory} is {type(factory).__name__}, which cannot be called."
    if isinstance(card, DataFamily):
        if not card.members:
            return ""  # it names none whose options could be tried
        card = card.member(card.members[0])
    member = {"member": "any"} if isinstance(card, ModelFamily) else {}
    try:
        inspect.signature(factory).bind(**card.arguments(), **member)
    except TypeError as error:
        return f"The factory {card.factory} does not take the card's options: {error}"
    except ValueError:  # a callable written in C tells nothing
        return ""
    return ""


@contextlib.contextmanager
def global_random_state(seed: int) -> Iterator[None]:
    """Python's and numpy's global generators start at `seed` within the block, then go on."""
    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002 it is the point
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)  # noqa: NPY002
