"""Static word embeddings: the mean over a text's words of a vector per word."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np

from corteval.errors import NotInData, OptionError
from corteval.fetch import fetch, provided
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.stimuli import StimulusSet
from corteval_embeddings.card import FILES
from corteval_embeddings.per_text import numbered
from corteval_embeddings.vectors import VectorFile
from corteval_embeddings.words import forms, words

log = logging.getLogger(__name__)

LAYER = "projection"

_ENDINGS = ("", ".txt", ".vec", ".bin", ".txt.gz", ".vec.gz", ".bin.gz", ".zip")
_UNTRAINED_SD = 0.01
_ROWS = 1024
#: More words without a vector than this share are worth a warning.
_MANY_UNKNOWN = 0.1


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class WordVectors:
    """Extractor: mean over the words of a text of their vectors; one without a vector counts as 0.

    Words, and the forms under which a word is looked up, are those of `corteval_embeddings.words`.
    The file is streamed once for the words of a call, and again only for others: what was read is
    kept, and changes no answer.

    Source: spec ``models`` section 9.

    Args:
        locate: gives the file, when it is needed.
        digest: SHA-256 of the file, if it is known; else it is computed when asked for.
        untrained: the seed with which vectors are drawn instead; None takes those of the file.
        kept: vectors that were read, None standing for a word without one.
    """

    locate: Callable[[], Path]
    digest: str = ""
    untrained: int | None = None
    kept: dict[str, np.ndarray | None] = field(default_factory=dict, repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file and of how it is used."""
        digest = self.digest
        if not digest:
            with self.locate().open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(f"mean over words 1\0{digest}\0{self.untrained}".encode()).hexdigest()

    def described(self) -> dict[str, str]:
        """Numbers are float32, and means are computed in float64."""
        return {"device": "cpu", "dtype": "float32"}

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """One unit a number of the vectors."""
        return {
            "neuroid_id": np.array([f"{layer}-{name}" for name in numbered(self._size)]),
            "layer": np.full(self._size, layer),
            "channel": np.arange(self._size),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block."""
        read = [words(str(text)) for text in stimuli.table["text"]]
        vectors = self._vectors(sorted({word for text in read for word in text}))
        values = np.zeros((len(read), self._size))
        for row, text in enumerate(read):
            known = [vector for word in text if (vector := vectors[word]) is not None]
            if known:
                values[row] = np.sum(known, axis=0, dtype=np.float64) / len(text)
        _tell(stimuli.identifier, read, vectors)
        if len(read):
            yield {layer: values[:, units] for layer, units in wanted.items()}

    def _vectors(self, vocabulary: Sequence[str]) -> Mapping[str, np.ndarray | None]:
        """Of each word, the vector of its first form that has one."""
        new = [word for word in vocabulary if word not in self.kept]
        if new:
            looked_up = {form for word in new for form in forms(word)}
            if self.untrained is None:
                found = self._file.vectors(looked_up)
            else:
                found = drawn(self._file.words(), looked_up, self._size, self.untrained)
            for word in new:
                self.kept[word] = next((found[f] for f in forms(word) if f in found), None)
        return {word: self.kept[word] for word in vocabulary}

    @cached_property
    def _file(self) -> VectorFile:
        return VectorFile(path=self.locate())

    @cached_property
    def _size(self) -> int:
        return self._file.size()


def drawn(
    vocabulary: Sequence[str], wanted: set[str], size: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Random vectors of the words of `wanted` that are in the vocabulary.

    Rows of a matrix (word, number) from N(0, .01^2), drawn by ``RandomState(seed)`` for all words
    of the vocabulary in its order, of which a few rows at a time are held.

    Source: spec ``models`` section 9, whose "N(0, .01)" is read as a standard deviation.

    Args:
        vocabulary: sorted.
        wanted: words.
        size: numbers of a vector.
        seed: of the generator.
    """
    generator = np.random.RandomState(seed)
    found: dict[str, np.ndarray] = {}
    for start in range(0, len(vocabulary), _ROWS):
        part = vocabulary[start : start + _ROWS]
        rows = generator.normal(0, _UNTRAINED_SD, (len(part), size))
        found.update(
            (word, row.astype(np.float32))
            for word, row in zip(part, rows, strict=True)
            if word in wanted
        )
    return found


def build(
    name: str, path: str | Path | None = None, untrained: bool = False, seed: int = 0
) -> LayerCommitment:
    """The subject `glove-840b`, `word2vec`, or an untrained twin.

    Args:
        name: of the vectors.
        path: of a copy of the file, or of another file of vectors; None downloads it.
        untrained: draw vectors for the words of the file, instead of reading theirs.
        seed: of the drawn vectors.
    """
    resource = FILES[name]
    seeded = f"-seed{seed}" if untrained and seed else ""
    identifier = f"{name}-untrained{seeded}" if untrained else name
    if path is None:
        return _subject(
            identifier, lambda: fetch(resource), seed if untrained else None, resource.sha256
        )
    return _subject(identifier, lambda: Path(path).expanduser(), seed if untrained else None)


def family(
    member: str, path: str | Path | None = None, folder: str | Path | None = None
) -> LayerCommitment:
    """The subject ``embeddings/<member>``.

    Args:
        member: name of a file of vectors in `folder`, with or without its ending, or else a path
            from the working directory; followed by ``-untrained`` for random vectors of its words,
            and by ``-seedN`` for another seed than 0.
        path: of the file, whatever `member` says.
        folder: None takes ``<CORTEVAL_HOME>/provided/embeddings``.
    """
    name, untrained = _parts(member)
    place = (
        _find(name, None if folder is None else Path(folder))
        if path is None
        else Path(path).expanduser()
    )
    return _subject(f"embeddings/{member}", lambda: VectorFile(path=place).path, untrained)


def files_of(member: str) -> list[Path]:
    """The file of vectors that ``embeddings/<member>`` is made of.

    Raises:
        OptionError: if there is none.
    """
    return [_find(_parts(member)[0], None)]


def _parts(member: str) -> tuple[str, int | None]:
    """Name of the file, and the seed of random vectors if the member asks for them."""
    name, mark, seed = member.rpartition("-untrained")
    if mark and (not seed or (seed.startswith("-seed") and seed[5:].isdigit())):
        return name, int(seed[5:] or 0)
    return member, None


def _subject(
    identifier: str, locate: Callable[[], Path], untrained: int | None, digest: str = ""
) -> LayerCommitment:
    notes = [] if untrained is None else [f"random vectors (seed {untrained})"]
    return LayerCommitment(
        identifier=identifier,
        extractor=WordVectors(locate=locate, digest=digest, untrained=untrained),
        layers={ANY_TARGET: LAYER},
        modalities=frozenset({"text"}),
        notes=(*notes, "words without a vector count as zeros; the log tells their share"),
    )


def _find(name: str, folder: Path | None) -> Path:
    """The file of vectors `name`.

    Raises:
        OptionError: if it is in neither place; names what is there.
    """
    here = Path(name)
    try:
        place = provided("embeddings", "files of word vectors", folder=folder)
    except NotInData as error:
        if here.is_file():
            return here
        raise OptionError(
            f"embeddings/{name}: there is no file {here} in the working directory. {error}"
        ) from error
    for candidate in (*(place / f"{name}{ending}" for ending in _ENDINGS), here):
        if candidate.is_file():
            return candidate
    held = ", ".join(sorted(p.name for p in place.iterdir() if not p.name.startswith("."))[:10])
    raise OptionError(
        f"embeddings/{name}: there is no such file in {place} (which holds {held}) nor in the "
        "working directory."
    )


def _tell(
    stimuli: str, read: Sequence[Sequence[str]], vectors: Mapping[str, np.ndarray | None]
) -> None:
    """Log the share of words without a vector."""
    every = [word for text in read for word in text]
    unknown = [word for word in every if vectors[word] is None]
    if unknown:
        share = len(unknown) / len(every)
        level = logging.WARNING if share > _MANY_UNKNOWN else logging.INFO
        shown = ", ".join(sorted(set(unknown))[:5])
        log.log(
            level,
            "%s: %d of %d words (%.1f%%) have no vector and count as zeros: %s",
            stimuli,
            len(unknown),
            len(every),
            100 * share,
            shown,
        )
