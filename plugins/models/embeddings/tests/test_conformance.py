import pytest


@pytest.mark.conformance(
    "randomembedding-100",
    "randomembedding/7-seed3",
    "word-position",
    "word-rate",
    "sentence-features",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.conformance(
    "oasm",
    "oasm-sigma/0.5",
    expect_fail={"batch_size": "it has one unit for each stimulus of the call"},
)
def test_conformance_of_ordinal_positions(identifier, check):
    check(identifier)


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("word-frequency")
def test_conformance_with_counts_of_wikitext(identifier, check):
    check(identifier)


@pytest.fixture
def provided(home):
    """A file of vectors that covers the toy texts in part."""
    folder = home / "provided" / "embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{word} {n} {n**2 % 7} -{n}.5" for n, word in enumerate(["dog", "The", "car", "came"])
    ]
    (folder / "toy.txt").write_text("\n".join(lines))


@pytest.mark.usefixtures("provided")
@pytest.mark.conformance("embeddings/toy", "embeddings/toy-untrained")
def test_conformance_of_a_users_vectors(identifier, check):
    check(identifier)
