import pytest

from corteval import models
from corteval.cards import ModelCard
from corteval.testing import run_checks

TEXT = """The dog came home before it rained. A car stops, and my friend waits for the car.

It rained and the dog waits. My friend came home in a car, and left before the dog came home."""


def test_a_model_of_a_text_file_conforms(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    card = ModelCard(
        identifier="ngram-of-a-few-sentences",
        factory="corteval_ngram.subject:build",
        options={"path": path, "identifier": "ngram-of-a-few-sentences"},
        summary="Trained in the test",
        licence="MIT",
        modalities=frozenset({"text"}),
    )
    with models.temporary(card):
        results = run_checks(card.identifier)
    assert sum(r.status == "passed" for r in results) > 10
    assert [r for r in results if r.status not in ("passed", "skipped")] == []


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("ngram", "kneser-ney/2")
def test_conformance(identifier, check):
    check(identifier)
