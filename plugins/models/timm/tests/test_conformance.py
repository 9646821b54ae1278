import pytest


@pytest.mark.conformance("timm", "timm/test_resnet", "timm/test_vit-untrained-seed2")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("resnet18-tv-untrained", "efficientnet_b0-untrained")
def test_conformance_of_classic_models(identifier, check):
    check(identifier)
