import pytest

from corteval_syntaxgym_suites.card import SUITES


@pytest.fixture(scope="module", autouse=True)
def data(mirror):
    """The published suites, from the mirror."""


#: One of each form of predictions; the others differ in their sentences.
FORMS = ("cleft", "mvrr", "nn-nv-rpl", "npi_orc_any")


@pytest.mark.conformance("SyntaxGym-mean", *(f"SyntaxGym-{name}" for name in FORMS))
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    *(f"SyntaxGym-{name}" for name in SUITES if name not in (*FORMS, "fgd_hierarchy"))
)
def test_conformance_of_the_other_suites(identifier, check):
    check(identifier)


@pytest.mark.conformance("SyntaxGym-fgd_hierarchy")
def test_conformance_of_predictions_that_exclude_each_other(identifier, check):
    """No subject is right, so that checks that need one are skipped."""
    check(identifier)
