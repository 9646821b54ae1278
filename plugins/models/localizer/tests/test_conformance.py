import pytest

from corteval import registry
from corteval.cards import ModelCard

LETTERS = ModelCard(
    identifier="letters",
    factory="corteval_localizer.example:letters",
    summary="How often letters occur",
    licence="MIT",
    modalities=frozenset({"text"}),
)


@pytest.fixture(scope="module", autouse=True)
def letters(mirror):
    """A model to localize in; the localizer's stimuli are real ones."""
    with registry.models.temporary(LETTERS):
        yield


@pytest.mark.conformance(
    "localized/letters",
    "localized/llm-localization/random1/letters",
)
def test_conformance(identifier, check):
    check(identifier)
