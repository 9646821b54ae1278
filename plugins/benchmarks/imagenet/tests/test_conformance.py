import pytest


@pytest.mark.conformance(
    "ImageNet",
    "ImageNet-C-noise",
    "ImageNet-C-blur",
    "ImageNet-C-weather",
    "ImageNet-C-digital",
    "ImageNet-top1",
    "ImageNet-C-noise-top1",
    "ImageNet-C-blur-top1",
    "ImageNet-C-weather-top1",
    "ImageNet-C-digital-top1",
)
def test_conformance(identifier, check):
    check(identifier)
