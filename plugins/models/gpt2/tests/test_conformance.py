import pytest


@pytest.mark.slow  # 82 million weights are drawn
@pytest.mark.conformance("distilgpt2-untrained")
def test_conformance(identifier, check, vocabulary):
    check(identifier)
