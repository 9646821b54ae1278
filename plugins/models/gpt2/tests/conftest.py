"""A small GPT-2 in place of the large ones, and GPT-2's own vocabulary where it is at hand."""

import pytest

from corteval import models
from corteval.cards import ModelCard
from corteval.errors import FetchError
from corteval_gpt2 import card, tokens

TINY = card.Size(repository="nobody/tiny", blocks=3, width=16, heads=2, committed=2, title="tiny")


@pytest.fixture
def tiny(monkeypatch):
    """A size called ``tiny``, whose untrained subject reads byte by byte."""
    monkeypatch.setitem(card.SIZES, "tiny", TINY)
    added = ModelCard(
        identifier="tiny-untrained",
        factory="corteval_gpt2.model:build_untrained",
        options={"identifier": "tiny-untrained", "tokenizer": "bytes"},
        summary="tiny",
        licence="MIT",
        modalities=frozenset({"text"}),
        parameters=TINY.parameters,
    )
    with models.temporary(added):
        yield TINY


@pytest.fixture
def vocabulary(monkeypatch):
    """Paths of GPT-2's vocabulary and merges, of a mirror or of the package that ships them."""
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    try:
        return tokens.files()
    except FetchError as error:
        pytest.skip(f"GPT-2's vocabulary is not at hand: {error}")
