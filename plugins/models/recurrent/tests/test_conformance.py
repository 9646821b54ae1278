import pytest

from corteval_recurrent import Plan, folder, train
from corteval_recurrent.learning import Text

TEXT = "the dog saw a cat . the cat ran away , and the dog saw it go .\n" * 40


@pytest.fixture(scope="module", autouse=True)
def trained(home):
    """A model as a user would train it."""
    plan = Plan(epochs=1, batch=4, steps=10, minimum=1)
    train(Text("dogs", (TEXT,)), folder.home() / "toy-dogs", cell="gru", width=8, plan=plan)


@pytest.mark.conformance(
    "recurrent/toy-dogs",
    "recurrent/toy-dogs-untrained-seed1",
    "lstm-lm-untrained",
    "gru-lm-untrained-seed3",
    "rnn/bc3",
    "rnn/candidate-2-seed1",
)
def test_conformance(identifier, check):
    check(identifier)
