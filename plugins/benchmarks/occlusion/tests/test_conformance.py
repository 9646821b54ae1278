import pytest


@pytest.mark.slow  # each check fits some 500 support vector machines
@pytest.mark.conformance("Shapes.occlusion-accuracy")
def test_conformance(identifier, check):
    check(identifier)
