import pytest

from corteval import registry
from corteval.cards import ModelCard
from corteval.testing import batteries
from corteval.testing.specimen import Specimen

SMALL = ModelCard(
    identifier="suma-small",
    factory="corteval_suma.model:build",
    summary="SUMA of 8 heads and 32 units",
    licence="MIT",
    options={"identifier": "suma-small", "hidden": 32, "heads": 8},
    modalities=frozenset({"text"}),
)
DYNAMIC = ModelCard(
    identifier="suma-dynamic",
    factory="corteval_suma.model:build",
    summary="SUMA of 8 heads and 32 units, as many cycles as the text is long",
    licence="MIT",
    options={"identifier": "suma-dynamic", "hidden": 32, "heads": 8, "cycles": "dynamic"},
    modalities=frozenset({"text"}),
)


@pytest.fixture(scope="module", params=[SMALL, DYNAMIC], ids=lambda card: card.identifier)
def specimen(request, mirror):
    """The same code at a size that does not make tests wait; the localizer's texts are real."""
    with registry.models.temporary(request.param):
        yield Specimen(kind="models", identifier=request.param.identifier, card=request.param)


@pytest.mark.parametrize("check", batteries.MODEL, ids=lambda check: check.__name__)
def test_conformance_of_small_size(specimen, check):
    check(specimen)


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("suma")
def test_conformance_of_full_size(identifier, check):
    check(identifier)
