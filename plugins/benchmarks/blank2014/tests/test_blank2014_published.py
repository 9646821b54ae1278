"""What the archive is known to hold."""

from corteval import registry


def test_the_card_names_the_file_of_the_archive():
    (real,) = registry.data_card("brainscore/Blank2014.fROI").resources
    card = registry.data_card("Blank2014")
    assert [(r.url, r.sha1) for r in card.resources] == [(real.url, real.sha1)]
    assert card.access == registry.data_card("brainscore/Blank2014.fROI").access
