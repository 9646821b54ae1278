import pytest

# Each check asks for whole layers, 1.6 million units of V1 among them.
pytestmark = pytest.mark.slow


@pytest.mark.conformance(
    "vonenet-v1",
    "voneresnet50-untrained",
    "voneresnet50-ns-untrained",
    "vonealexnet-untrained",
    "vonecornet-s-untrained",
)
def test_conformance(identifier, check):
    check(identifier)
