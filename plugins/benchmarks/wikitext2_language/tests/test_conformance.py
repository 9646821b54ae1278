"""The conformance kit. Checks that need a perfect subject are skipped for perplexity.

Nobody knows the surprisal of a perfect subject; `test_wikitext2_perplexity` has subjects whose
perplexity is known, and the same checks of order and determinism with them.
"""

import pytest


@pytest.fixture(scope="module", autouse=True)
def data(mirror):
    """The articles, from the mirror."""


@pytest.mark.conformance(
    "Wikitext2-perplexity",
    "Wikitext2.file-perplexity",
    "Wikitext2.10articles-perplexity",
    "Wikitext2.validation-perplexity",
    "Wikitext2.10articles-accuracy",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "Wikitext2-accuracy", "Wikitext2-accuracy-legacy", "Wikitext2.validation-accuracy"
)
def test_conformance_of_whole_parts(identifier, check):
    check(identifier)
