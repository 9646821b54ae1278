"""The pytest plugin of the conformance kit."""

import pytest
from core.tests.toy_registry import LACKING
from core.tests.toy_registry import replacing as replacing
from core.tests.toy_registry import toy_plugins as toy_plugins
from core.tests.wrong_benchmarks import wrong_card
from core.tests.wrong_models import wrong_model

from corteval import registry
from corteval.testing import batteries, toys

pytest_plugins = ["pytester"]


@pytest.fixture
def conformance(pytester, monkeypatch):
    """Runs a conformance test file with the given marker in a pytest of its own."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CORTEVAL_REQUIRE_DATA", raising=False)

    def run(marker, arguments="identifier, check", body="check(identifier)"):
        pytester.makepyfile(
            f"import pytest\n\n@pytest.mark.conformance({marker})\n"
            f"def test_conformance({arguments}):\n    {body}\n"
        )
        return pytester.runpytest_inprocess(
            "-p", "corteval.testing.pytest_plugin", "-rA", "--strict-markers"
        )

    return run


def test_every_check_is_an_item(conformance):
    result = conformance("'toy-vision', 'ToyData'")
    count = len(batteries.CARD + batteries.MODEL) + len(batteries.CARD + batteries.DATA)
    result.assert_outcomes(passed=count - 2, skipped=2)
    result.stdout.fnmatch_lines(["*test_conformance?toy-vision-batch_size?*"])


def test_a_failing_check_tells_its_message_without_a_traceback(conformance, replacing):
    replacing("models", wrong_card(toys.VISION, wrong_model, "batch_size"))
    result = conformance("'toy-vision'")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*evaluation mode*"])
    result.stdout.no_fnmatch_line("*checks/model.py*")


def test_expected_failures_are_strict(conformance, replacing):
    replacing("models", wrong_card(toys.VISION, wrong_model, "batch_size"))
    result = conformance("'toy-vision', expect_fail={'batch_size': 'issue 7'}")
    assert result.parseoutcomes()["xfailed"] == 1
    assert "failed" not in result.parseoutcomes()
    result = conformance("'ToyData', expect_fail={'schema': 'issue 8'}")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*XPASS(strict)*issue 8*"])


def test_missing_data_skip_unless_they_are_required(conformance, monkeypatch):
    with registry.data.temporary(LACKING):
        outcome = conformance("'Lacking'").parseoutcomes()
        assert outcome["skipped"] == len(batteries.DATA) + 1
        monkeypatch.setenv("CORTEVAL_REQUIRE_DATA", "1")
        result = conformance("'Lacking'")
    assert result.parseoutcomes()["failed"] == len(batteries.DATA)
    result.stdout.fnmatch_lines(["*CORTEVAL_REQUIRE_DATA=1, but no network here*"])


@pytest.mark.parametrize(
    ("marker", "arguments", "message"),
    [
        ("", "identifier, check", "*names no identifier, so no check would run*"),
        ("'toy-visoin'", "identifier, check", "*toy-vision*"),
        ("'toy-vision'", "identifier", "*takes the arguments identifier and check*"),
        ("'toy-vision', colour=1", "identifier, check", "*colour*"),
        ("'toy-vision', expect_fail={'x': 'y'}", "identifier, check", "*no check 'x'*"),
    ],
)
def test_misuse_fails_at_collection(conformance, marker, arguments, message):
    result = conformance(marker, arguments, "pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_the_registry_fixture_isolates(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        from corteval import registry
        from corteval.testing import toys

        def test_adds(corteval_registry):
            assert list(corteval_registry.models) == []
            corteval_registry.models.add(toys.TEXT)
            assert list(corteval_registry.models) == ["toy-text"]

        def test_after():
            assert {"toy-text", "toy-vision"} <= set(registry.models)
        """
    )
    result = pytester.runpytest_inprocess("-p", "corteval.testing.pytest_plugin")
    result.assert_outcomes(passed=2)
