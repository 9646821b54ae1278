import pytest

# Each check asks for whole layers, 1.6 million units of V1 among them, which takes minutes; the
# other networks share all code with these two, and `corteval check` examines them.
pytestmark = pytest.mark.slow


@pytest.mark.conformance("vonenet-v1", "vonealexnet-untrained")
def test_conformance(identifier, check):
    check(identifier)
