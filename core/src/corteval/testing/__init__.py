"""Conformance kit: one battery of checks per kind of plugin, behind three fronts.

    >>> from corteval.testing import run_checks
    >>> results = run_checks("gabor-filterbank")  # doctest: +SKIP

The command line has ``corteval check IDENTIFIER``, pytest the marker ``conformance`` (see
`corteval.testing.pytest_plugin`). All of them run what `battery` lists with `run_check`. This
module is light: pytest imports it in every project of whoever has Corteval installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from corteval.cards import Card
    from corteval.testing.batteries import Check
    from corteval.testing.specimen import Specimen

__all__ = [
    "CheckFailure",
    "CheckResult",
    "NotApplicable",
    "PlannedCheck",
    "battery",
    "run_check",
    "run_checks",
]

CheckStatus = Literal["passed", "failed", "skipped", "expected-failure", "unexpected-pass"]


class CheckFailure(AssertionError):
    """A plugin breaks its contract; the message says how and what to do."""


class NotApplicable(Exception):
    """A check has nothing to say about a plugin; the message says why."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check said of one plugin.

    Args:
        name, kind, identifier: of the check, and of the plugin.
        status: an expected failure that passes is ``unexpected-pass``, which is a failure.
        message: why it failed or was skipped, or why it was expected to fail.
        seconds: wall-clock time.
        missing_data: skipped because a file could not be had.
        error: what the check raised, with its traceback.
    """

    name: str
    kind: str
    identifier: str
    status: CheckStatus
    message: str = ""
    seconds: float = 0.0
    missing_data: bool = False
    error: Exception | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether nobody need act."""
        return self.status not in {"failed", "unexpected-pass"}


@dataclass(frozen=True, kw_only=True)
class PlannedCheck:
    """One check of one plugin, still to be run; `expected` is why it should fail, if it should."""

    check: Check
    specimen: Specimen
    expected: str = ""

    @property
    def name(self) -> str:
        """Name of the function without ``check_``."""
        return self.check.__name__.removeprefix("check_")


def battery(
    identifier: str,
    *,
    kind: str | None = None,
    expect_fail: Mapping[str, str] | None = None,
) -> list[PlannedCheck]:
    """The checks for `identifier`, in order.

    Args:
        identifier: as registered; if several kinds have it, the batteries of all.
        kind: one of ``models``, ``benchmarks``, ``metrics``, ``data``; None takes all.
        expect_fail: reasons by name of check, for the checks that are known to fail.

    Raises:
        PluginError: if the plugin cannot be loaded.
        OptionError: for an unknown kind or an expectation of an unknown check.
    """
    from corteval import registry
    from corteval.errors import OptionError
    from corteval.testing.batteries import checks_for
    from corteval.testing.specimen import Specimen

    if kind is not None and kind not in registry.KINDS:
        raise OptionError(f"Unknown kind {kind!r}; kinds are {', '.join(registry.KINDS)}.")
    cards: list[tuple[str, Card]] = (
        [(kind, registry.KINDS[kind].card(identifier))] if kind else registry.find(identifier)
    )
    expected = dict(expect_fail or {})
    planned = []
    for found, card in cards:
        specimen = Specimen(kind=found, identifier=identifier, card=card)
        for check in checks_for(card):
            plan = PlannedCheck(check=check, specimen=specimen)
            reason = expected.get(plan.name, "")
            planned.append(PlannedCheck(check=check, specimen=specimen, expected=reason))
    names = list(dict.fromkeys(plan.name for plan in planned))
    if not names:
        raise OptionError(f"There are no checks for {identifier}; nothing would be tested.")
    for name, reason in expected.items():
        if name not in names:
            raise OptionError(
                f"{identifier} has no check {name!r} that could fail; it has {', '.join(names)}."
            )
        if not reason.strip():
            raise OptionError(f"Say why {identifier} is expected to fail check {name!r}.")
    return planned


def run_check(plan: PlannedCheck) -> CheckResult:
    """Run one check; whatever it raises, short of an interrupt, becomes its result."""
    from corteval.errors import ArchiveError, CortevalError, FetchError, WrongContent

    clock = time.perf_counter()
    status: CheckStatus = "passed"
    message, missing, caught = "", False, None
    try:
        plan.check(plan.specimen)
    except NotApplicable as reason:
        status, message = "skipped", str(reason)
    except (Exception, SystemExit) as error:
        caught = error if isinstance(error, Exception) else CheckFailure(f"It exits: {error!r}")
        plain = isinstance(error, CheckFailure | CortevalError)
        message = str(error) if plain else f"{type(error).__name__}: {error}"
        refused = isinstance(error, ArchiveError | WrongContent)
        missing = isinstance(error, FetchError) and not refused
        status = "skipped" if missing else "failed"
    if plan.expected and status == "failed":
        status, message = "expected-failure", f"{plan.expected} ({message})"
    elif plan.expected and status == "passed":
        status = "unexpected-pass"
        message = f"expected to fail ({plan.expected}) but passes: drop the expectation"
    return CheckResult(
        name=plan.name,
        kind=plan.specimen.kind,
        identifier=plan.specimen.identifier,
        status=status,
        message=message,
        seconds=time.perf_counter() - clock,
        missing_data=missing,
        error=caught,
    )


def run_checks(
    identifier: str,
    *,
    kind: str | None = None,
    expect_fail: Mapping[str, str] | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Run the battery of `identifier`; arguments and errors are those of `battery`.

    Args:
        identifier, kind, expect_fail: see `battery`.
        on_result: called with every result as it comes.
    """
    results = []
    for plan in battery(identifier, kind=kind, expect_fail=expect_fail):
        results.append(run_check(plan))
        if on_result is not None:
            on_result(results[-1])
    return results
