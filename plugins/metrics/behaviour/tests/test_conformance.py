import pytest

from corteval.cards import MetricCard
from corteval_behaviour import card, ceiling_card

CARDS = [*vars(card).values(), *vars(ceiling_card).values()]


@pytest.mark.conformance(*(c.identifier for c in CARDS if isinstance(c, MetricCard)))
def test_conformance(identifier, check):
    check(identifier)
