"""The card of the temporal recordings, outside any imitation of the archive."""

from corteval import registry
from corteval_brainscore import catalogue


def test_the_card_pins_the_files_of_the_archive():
    """What is asked for before a download is what is downloaded."""
    card = registry.data.card("MajajHong2015public.temporal")
    theirs = catalogue.files(catalogue.find("MajajHong2015.temporal.public"))
    assert [(r.url, r.sha1) for r in card.resources] == [(r.url, r.sha1) for r in theirs]
