import pytest


@pytest.mark.conformance(
    "confusion_similarity-across_images",
    "confusion_similarity-across_images-legacy",
    "tasks_consistency-across_images",
)
def test_conformance(identifier, check):
    check(identifier)
