"""Pytest plugin: the marker ``conformance`` and the fixture ``corteval_registry``.

The whole conformance test of a plugin package:

    @pytest.mark.conformance("gabor-filterbank")
    def test_conformance(identifier, check):
        check(identifier)

Every check becomes a test item of its own. The marker takes identifiers, and by keyword ``kind``
and ``expect_fail`` of `corteval.testing.battery`; it may be given several times. With
``CORTEVAL_REQUIRE_DATA=1`` a check that lacks its data fails instead of being skipped.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from corteval.testing import PlannedCheck

_MARKER = (
    "conformance(*identifiers, kind=None, expect_fail=None): run the conformance "
    "checks of these plugins, one test item each; the test takes the arguments identifier and check"
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for every check of every identifier of the test's markers."""
    markers = list(metafunc.definition.iter_markers("conformance"))
    if not markers:
        return
    if not {"identifier", "check"} <= set(metafunc.fixturenames):
        pytest.fail("A conformance test takes the arguments identifier and check.", pytrace=False)
    plans = [plan for marker in markers for plan in _plans(marker)]
    names = Counter(_name(plan) for plan in plans)
    parameters = []
    for plan in plans:
        name = _name(plan)
        unique = name if names[name] == 1 else f"{plan.specimen.kind}-{name}"
        expected = pytest.mark.xfail(reason=plan.expected, strict=True)
        parameters.append(
            pytest.param(
                plan.specimen.identifier,
                _item(plan),
                id=unique,
                marks=[expected] if plan.expected else [],
            )
        )
    metafunc.parametrize(("identifier", "check"), parameters)


@pytest.fixture
def corteval_registry() -> Iterator[ModuleType]:
    """The module `corteval.registry` with nothing installed; what is added goes after the test."""
    from corteval import registry

    before = {kind: dict(plugins.__dict__) for kind, plugins in registry.KINDS.items()}
    for plugins in registry.KINDS.values():
        plugins.__dict__.update(_added={}, _installed=())
    yield registry
    for kind, plugins in registry.KINDS.items():
        plugins.__dict__.clear()
        plugins.__dict__.update(before[kind])


def _plans(marker: pytest.Mark) -> list[PlannedCheck]:
    from corteval.errors import CortevalError
    from corteval.testing import battery

    if not marker.args:
        pytest.fail(
            "The marker conformance names no identifier, so no check would run. Write "
            "@pytest.mark.conformance('identifier').",
            pytrace=False,
        )
    try:
        return [plan for name in marker.args for plan in battery(name, **marker.kwargs)]
    except (CortevalError, TypeError) as error:
        pytest.fail(str(error), pytrace=False)


def _name(plan: PlannedCheck) -> str:
    return f"{plan.specimen.identifier}-{plan.name}"


def _item(plan: PlannedCheck) -> Callable[[Any], None]:
    """What the test calls with its identifier."""

    def check(identifier: str) -> None:
        from corteval.testing import CheckFailure, run_check

        __tracebackhide__ = True
        assert identifier == plan.specimen.identifier, "check(identifier) takes the test's own"
        result = run_check(plan)
        if result.missing_data and os.environ.get("CORTEVAL_REQUIRE_DATA") == "1":
            pytest.fail(f"CORTEVAL_REQUIRE_DATA=1, but {result.message}", pytrace=False)
        if result.status == "skipped":
            pytest.skip(result.message)
        if isinstance(result.error, CheckFailure):
            pytest.fail(f"check {plan.name}: {result.message}", pytrace=False)
        if result.error is not None:
            raise result.error

    return check
