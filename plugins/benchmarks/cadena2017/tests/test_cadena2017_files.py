"""Files of Cadena2017, as the archive's own catalogue has them."""

from corteval import registry
from corteval_brainscore import catalogue


def test_the_card_pins_the_files_of_the_archive():
    """What is asked for before a download is what is downloaded."""
    card = registry.data.card("Cadena2017")
    theirs = catalogue.files(catalogue.find("Cadena2017"))
    assert [(r.url, r.sha1) for r in card.resources] == [(r.url, r.sha1) for r in theirs]
