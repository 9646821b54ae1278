import pytest

from corteval_syntaxgym.card import SUITES


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("SyntaxGym.cleft", "SyntaxGym.nn-nv-rpl")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("SyntaxGym", *(f"SyntaxGym.{name}" for name in SUITES))
def test_conformance_of_all_suites(identifier, check):
    check(identifier)
