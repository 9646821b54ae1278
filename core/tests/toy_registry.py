"""The toys in the registry, for tests of the conformance kit."""

from types import SimpleNamespace

import pytest

from corteval import registry
from corteval.cards import DataCard
from corteval.errors import ArchiveError, FetchError, WrongContent
from corteval.testing import toys


@pytest.fixture(autouse=True)
def toy_plugins():
    with toys.registered():
        yield


@pytest.fixture
def replacing():
    """Puts a card in the place of the toy of its name; `toy_plugins` takes it away again."""
    return lambda kind, card: registry.KINDS[kind].add(card, replace=True)


def failures(results):
    return [r.name for r in results if not r.ok]


@pytest.fixture
def plugin_file(tmp_path, monkeypatch):
    def write(text):
        light = (
            "from corteval.cards import DataCard\n"
            "FILED = DataCard(identifier='Filed', factory='corteval.testing.toys:ToyData',"
            " summary='In a file', licence='MIT', bibtex='@misc{x, title = {x}}')\n"
        )
        (tmp_path / "filed.py").write_text(text + light)
        monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(tmp_path))
        registry.reload()

    yield write
    monkeypatch.undo()
    registry.reload()


def unavailable(error):
    def raise_it():
        kinds = {"fetch": FetchError, "archive": ArchiveError, "wrong": WrongContent}
        raise kinds[error]("no network here")

    return SimpleNamespace(stimuli=raise_it, assembly=raise_it)


LACKING = DataCard(
    identifier="Lacking",
    factory=f"{__name__}:unavailable",
    summary="Data that cannot be had",
    licence="MIT",
    bibtex="@misc{x, title = {x}}",
    options={"error": "fetch"},
)
