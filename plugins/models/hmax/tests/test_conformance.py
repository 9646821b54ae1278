import pytest


@pytest.mark.slow  # 14 billion multiplications an image
@pytest.mark.conformance("hmax-random-patches")
def test_conformance(identifier, check):
    check(identifier)
