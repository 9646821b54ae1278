import gzip
import logging
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval import models
from corteval.errors import OptionError
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval_embeddings import random_vectors, static
from corteval_embeddings.card import FILES
from corteval_embeddings.vectors import VectorFile

VECTORS = {
    "the": [1, 0, 0.5],
    "Dog": [0, 1, -2],
    ". . .": [9, 9, 9],
    "caf\u00e9": [0.25, 3, 1e-3],
    "5": [7, 7, 7],
    "glass": [1, 1, 1],
    "gla": [100, 100, 100],
}


def text(header=False):
    lines = [f"{word} {' '.join(map(str, v))}" for word, v in VECTORS.items()]
    return "\n".join([f"{len(VECTORS)} 3"] * header + lines).encode() + b"\n"


def binary(ends=b"\n"):
    """As word2vec writes it, whose words hold no spaces."""
    words = [
        word.encode() + b" " + np.array(v, "<f4").tobytes() + ends
        for word, v in VECTORS.items()
        if " " not in word
    ]
    return f"{len(words)} 3\n".encode() + b"".join(words)


def shown(*texts):
    index = pd.Index([f"s{n}" for n in range(len(texts))], name="stimulus_id")
    return StimulusSet(
        identifier="t", modality="text", table=pd.DataFrame({"text": texts}, index=index)
    )


def written(folder, name, content):
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.txt", content)
    else:
        path.write_bytes(content)
    return path


FORMS = {
    "plain.txt": text(),
    "headed.vec": text(header=True),
    "plain.zip": text(),
    "packed.txt.gz": text(),
    "google.bin": binary(),
    "tight.bin": binary(b""),
    "google.bin.gz": binary(),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_file_gives_its_vectors(tmp_path, name):
    file = VectorFile(path=written(tmp_path, name, FORMS[name]))
    assert file.size() == 3
    asked = {word: v for word, v in VECTORS.items() if "bin" not in name or " " not in word}
    found = file.vectors([*asked, "absent"])
    assert set(found) == set(asked)
    for word, vector in asked.items():
        np.testing.assert_array_equal(found[word], np.float32(vector))
    assert file.words() == sorted(asked)


def subject(tmp_path, **options):
    path = written(tmp_path, "plain.txt", text())
    return models.create("glove-840b", path=path, **options)


def test_a_text_is_the_mean_of_its_words_and_unknown_ones_count_as_zeros(tmp_path):
    answer = record(subject(tmp_path), shown("The dog!", "the zebra", "...", "DOG"), "any").values
    the, dog = np.array(VECTORS["the"]), np.array(VECTORS["Dog"])
    np.testing.assert_allclose(answer, [(the + dog) / 2, the / 2, 0 * the, 0 * the])


def test_a_word_that_ends_in_s_keeps_it_and_a_possessive_does_not(tmp_path):
    answer = record(subject(tmp_path), shown("glass", "the dog's", "gla's"), "any").values
    np.testing.assert_array_equal(answer[0], VECTORS["glass"])
    np.testing.assert_array_equal(answer[2], VECTORS["gla"])
    np.testing.assert_allclose(answer[1] * 2, np.add(VECTORS["the"], VECTORS["Dog"]))


def test_the_share_of_unknown_words_is_logged(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        record(subject(tmp_path), shown("the zebra", "the the"), "any")
    assert "1 of 4 words (25.0%) have no vector" in caplog.text
    assert "zebra" in caplog.text


def test_a_file_is_read_once_for_words_it_was_read_for(tmp_path):
    made = subject(tmp_path)
    before = record(made, shown("the dog", "glass"), "any")
    (tmp_path / "plain.txt").unlink()
    assert before.equals(record(made, shown("the dog", "glass"), "any"))


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["the", "Dog", "zebra", "5", "glass,", "caf\u00e9"]), min_size=1))
def test_the_order_of_words_does_not_matter(tmp_path_factory, order):
    made = subject(tmp_path_factory.mktemp("vectors"))
    here, there = record(made, shown(" ".join(order), " ".join(sorted(order))), "any").values
    np.testing.assert_allclose(here, there, rtol=1e-6)


def test_the_untrained_twin_draws_a_matrix_over_the_sorted_vocabulary(tmp_path, monkeypatch):
    monkeypatch.setattr(static, "_ROWS", 2)  # as if the vocabulary were large
    matrix = np.random.RandomState(0).normal(0, 0.01, (len(VECTORS), 3))
    at = {word: matrix[n] for n, word in enumerate(sorted(VECTORS))}
    answer = record(subject(tmp_path, untrained=True), shown("glass", "the dog"), "any").values
    np.testing.assert_allclose(answer, [at["glass"], (at["the"] + at["Dog"]) / 2], rtol=1e-6)


def test_seeds_of_untrained_twins_differ_and_stand_in_the_identifier(home):
    folder = home / "provided" / "embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    written(folder, "seeded.txt", text())
    one, two = (models.create(f"embeddings/seeded-untrained{s}") for s in ("", "-seed3"))
    assert two.identifier.endswith("-untrained-seed3")
    assert not np.allclose(*(record(m, shown("the"), "any").values for m in (one, two)))
    assert one.extractor.fingerprint != two.extractor.fingerprint


def test_a_path_from_the_working_directory_names_a_file(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    written(tmp_path / "mine", "plain.txt", text())
    monkeypatch.chdir(tmp_path)
    answer = record(models.create("embeddings/mine/plain.txt"), shown("glass"), "any").values
    np.testing.assert_array_equal(answer, [VECTORS["glass"]])


def test_a_name_without_a_file_is_refused_with_where_to_put_it():
    with pytest.raises(OptionError, match=r"provided.embeddings"):
        models.create("embeddings/nothing")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"hello world\nagain\n"),
        ("b.bin", b"\x00\x01\x02"),
        ("c.bin", binary()[:-9]),
        ("d.txt.gz", None),
        ("e.zip", None),
        ("f.txt", b""),
    ],
)
def test_files_that_are_no_word_vectors_are_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(b"neither" if content is None else content)
    file = VectorFile(path=path)
    with pytest.raises(OptionError, match=name):
        file.vectors(["absent"])


@pytest.mark.parametrize("line", [b"odd 1 x 3\n", b"odd 1 2\n"])
def test_a_vector_with_other_than_its_numbers_is_refused(tmp_path, line):
    path = written(tmp_path, "odd.txt", text() + line)
    with pytest.raises(OptionError, match="'odd' is not made of 3 numbers"):
        VectorFile(path=path).vectors(["odd"])


def test_an_archive_of_several_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", text())
        archive.writestr("b.txt", text())
    with pytest.raises(OptionError, match="holds 2 files"):
        VectorFile(path=tmp_path / "two.zip").size()


def test_without_a_path_the_pinned_file_is_fetched(monkeypatch, tmp_path):
    asked = []
    path = written(tmp_path, "glove.840B.300d.zip", text())
    monkeypatch.setattr(static, "fetch", lambda resource: asked.append(resource) or path)
    made = models.create("glove-840b")
    assert asked == []  # nothing is downloaded before it is needed
    np.testing.assert_array_equal(record(made, shown("glass"), "any"), [VECTORS["glass"]])
    assert asked == [FILES["glove-840b"]]


def test_a_random_vector_depends_on_its_word_and_seed_alone():
    here = record(models.create("randomembedding-100"), shown("the dog", "dog!"), "any").values
    there = record(models.create("randomembedding-100"), shown("a", "Dog, dog"), "any").values
    np.testing.assert_array_equal(here[1], there[1])
    np.testing.assert_array_equal(here[1], np.float32(random_vectors.vector("dog", 100)))
    np.testing.assert_allclose(
        here[0], (random_vectors.vector("the", 100) + random_vectors.vector("dog", 100)) / 2
    )
    assert not np.allclose(random_vectors.vector("dog", 9, 1), random_vectors.vector("dog", 9))


def test_the_first_numbers_of_a_random_vector_do_not_depend_on_its_size():
    long = random_vectors.vector("dog", 1600)
    np.testing.assert_array_equal(long[:100], random_vectors.vector("dog", 100))


def test_random_vectors_are_uniform_over_words():
    drawn = np.array([random_vectors.vector(f"word{n}", 50) for n in range(400)])
    assert drawn.min() >= 0
    assert drawn.max() < 1
    np.testing.assert_allclose(np.histogram(drawn, 4, (0, 1))[0] / drawn.size, 0.25, atol=0.01)
    np.testing.assert_allclose(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1], 0, atol=0.2)


@pytest.mark.parametrize("member", ["0", "many", "5-seed", "10000000"])
def test_a_size_that_is_none_is_refused(member):
    with pytest.raises(OptionError, match="randomembedding"):
        models.create(f"randomembedding/{member}")
