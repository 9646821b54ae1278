import pytest

from corteval import models
from corteval.cards import ModelCard
from corteval.testing import run_checks


@pytest.mark.slow
def test_conformance_of_a_member(saved):
    card = ModelCard(
        identifier="small-gpt2",
        factory="corteval_transformers.model:build",
        options={
            "member": "small",
            "folder": str(saved("gpt2")),
            "identifier": "small-gpt2",
            "device": "cpu",
        },
        summary="A small model in a folder",
        licence="MIT",
        modalities=frozenset({"text"}),
    )
    with models.temporary(card):
        results = run_checks("small-gpt2")
    assert len(results) > 8
    assert [r.message for r in results if not r.ok] == []
