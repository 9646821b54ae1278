"""Factories of the recurrent subjects."""

from __future__ import annotations

import re
from pathlib import Path

from corteval.errors import OptionError, UnknownIdentifier
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.surprisal import SurprisalSpec
from corteval_pytorch import default_device, initialised
from corteval_pytorch.text import Pooling, Tokenizer, text_commit
from corteval_recurrent import folder as folders
from corteval_recurrent.expressions import close
from corteval_recurrent.known_cells import CELLS, NOTES
from corteval_recurrent.network import Architecture, RecurrentLanguageModel
from corteval_recurrent.search import candidates
from corteval_recurrent.words import HashedWords, Vocabulary

#: Where the language system of the brain is recorded.
TARGETS = (
    "language_system",
    "language_system_left_hemisphere",
    "language_system_right_hemisphere",
    ANY_TARGET,
)

#: Passages begin after an end of line, so that their first word is predicted, too.
CONVENTIONS = SurprisalSpec(bos=True, first_word="scored", unit="word")

_HASHED = (
    "words are numbered by a hash into {buckets} buckets, since there is no vocabulary: surprisal "
    "is that of a word's bucket, and next words are numbers"
)
_UNKNOWN = (
    "words outside the vocabulary are read as <unk>, whose surprisal is that of any unknown word: "
    "it is too low, and perplexities are not those of models that spell"
)
_SPELT = "words outside the vocabulary are spelt, and their surprisal is that of the spelling, too"
_CANDIDATE = re.compile(r"candidate-(\d{1,4})")
_UNTRAINED = re.compile(r"(.+?)(-untrained(?:-seed(\d{1,9}))?)?")
_SEEDED = re.compile(r"(.+?)(-seed(\d{1,9}))?")


def build(
    member: str,
    *,
    folder: str | Path | None = None,
    seed: int | None = None,
    pooling: Pooling = "last",
    device: str | None = None,
) -> LayerCommitment:
    """A model that ``corteval recurrent train`` made.

    Args:
        member: its name, or a folder relative to the working directory; with ``-untrained`` or
            ``-untrained-seedN`` at the end, the same network and vocabulary with random weights.
        folder: where it lies, if it is not found by its name.
        seed: of random weights, 0 if None.
        pooling: of a stimulus of several words, see `corteval_pytorch.text.text_commit`.
        device: the first GPU if None, else the CPU.

    Raises:
        UnknownIdentifier: there is no such model.
        OptionError: the folder does not hold what `corteval_recurrent.folder` says, or a seed is
            given for trained weights.
        WrongContent: a file is not the one that was written.
    """
    name, ending, own = _parts(_UNTRAINED, member)
    if folder is None and ending and folders.is_there(member):
        name, ending, own = member, "", None  # a name that ends so by itself
    kept = folders.load(folders.find(name) if folder is None else Path(folder).expanduser())
    untrained, drawn = bool(ending), _one_seed(member, own, seed)
    if seed is not None and not untrained:
        raise OptionError(
            f"recurrent/{member}: seed={seed}, but trained weights are not drawn. Random ones are "
            f"recurrent/{name}-untrained."
        )
    network = kept.untrained(drawn) if untrained else kept.trained()
    texts = ", ".join(text.get("name", "?") for text in kept.training.get("texts", []))
    notes = (f"random weights (seed {drawn})",) if untrained else (f"trained on {texts or '?'}",)
    return _subject(
        network,
        kept.vocabulary,
        f"recurrent/{member}",
        (*notes, _how(kept.vocabulary)),
        pooling,
        device,
    )


def build_untrained(
    identifier: str,
    cell: str,
    *,
    seed: int = 0,
    width: int = 200,
    layers: int = 2,
    tied: bool = True,
    buckets: int = 8192,
    vocabulary: str | Path | None = None,
    pooling: Pooling = "last",
    device: str | None = None,
) -> LayerCommitment:
    """A language model with random weights.

    Args:
        identifier: name in tables.
        cell: see `Architecture`.
        seed: of the weights.
        width, layers, tied: see `Architecture`.
        buckets: numbers of hashed words, where no vocabulary is given.
        vocabulary: folder of a trained model, whose vocabulary is read with instead.
        pooling: of a stimulus of several words.
        device: the first GPU if None, else the CPU.
    """
    if buckets < 3:
        raise OptionError(f"buckets is {buckets}; two are taken, so there are at least 3.")
    hashed = HashedWords(buckets=buckets)
    given = None if vocabulary is None else folders.load(Path(vocabulary)).vocabulary
    words: HashedWords | Vocabulary = given or hashed
    architecture = Architecture(
        cell=cell, vocabulary=len(words), width=width, layers=layers, tied=tied
    )
    with initialised(seed):
        network = RecurrentLanguageModel(architecture)
    how = _how(given) if given else _HASHED.format(buckets=f"{buckets:,}")
    notes = (f"random weights (seed {seed})", how)
    return _subject(network, words, identifier, notes, pooling, device)


def files_of(member: str, folder: str | Path | None = None) -> list[Path]:
    """The folder that ``recurrent/<member>`` is made of, `folder` if the option names it.

    Raises:
        UnknownIdentifier: there is no such model.
    """
    if folder is not None:
        return [Path(folder).expanduser()]
    return [folders.find(member if folders.is_there(member) else _parts(_UNTRAINED, member)[0])]


def build_cell(
    member: str,
    *,
    cell: str | None = None,
    seed: int | None = None,
    width: int = 200,
    layers: int = 2,
    tied: bool = True,
    buckets: int = 8192,
    vocabulary: str | Path | None = None,
    pooling: Pooling = "last",
    device: str | None = None,
) -> LayerCommitment:
    """A language model with random weights around a cell of the language.

    ``rnn/lstm`` and ``rnn/gru`` run as written in the language, not as torch's own modules.

    Args:
        member: key of `CELLS`, ``candidate-N`` for the N-th of `candidates` under seed 0, or any
            name for `cell`; ``-seedN`` at its end is the seed of the weights.
        cell: text of a cell.
        seed: of the weights, 0 if None.
        width, layers, tied, buckets, vocabulary, pooling, device: see `build_untrained`.

    Raises:
        UnknownIdentifier: no cell has this name; with close ones.
        OptionError: the text describes no cell.
    """
    name, _, own = _parts(_SEEDED, member)
    drawn = _one_seed(member, own, seed)
    numbered = _CANDIDATE.fullmatch(name)
    if cell is not None:
        text = cell
    elif name in CELLS:
        text = CELLS[name]
    elif numbered:
        text = str(candidates(int(numbered[1]) + 1)[-1])
    else:
        raise UnknownIdentifier(f"No cell is called {name!r}{close(name, [*CELLS, 'candidate-0'])}")
    return build_untrained(
        f"rnn/{member}",
        text,
        seed=drawn,
        width=width,
        layers=layers,
        tied=tied,
        buckets=buckets,
        vocabulary=vocabulary,
        pooling=pooling,
        device=device,
    )


def _how(vocabulary: Vocabulary) -> str:
    """What must be said of words outside a vocabulary."""
    return _SPELT if vocabulary.characters else _UNKNOWN


def _parts(pattern: re.Pattern[str], member: str) -> tuple[str, str, int | None]:
    """Name, ending and seed of a member."""
    found = pattern.fullmatch(member)
    if found is None:
        raise UnknownIdentifier(f"{member!r} names no model.")
    return found[1], found[2] or "", int(found[3]) if found[3] else None


def _one_seed(member: str, own: int | None, given: int | None) -> int:
    if own is not None and given not in (None, own):
        raise OptionError(f"{member} names one seed and the option seed={given} another.")
    return own or given or 0


def _subject(
    network: RecurrentLanguageModel,
    words: Tokenizer,
    identifier: str,
    notes: tuple[str, ...],
    pooling: Pooling,
    device: str | None,
) -> LayerCommitment:
    last = f"layers.{network.architecture.layers - 1}"
    cell = next((n for n, text in CELLS.items() if text == network.architecture.cell), "")
    cell = cell or network.architecture.cell
    return text_commit(
        network,
        words,
        dict.fromkeys(TARGETS, last),
        identifier=identifier,
        pooling=pooling,
        surprisal=CONVENTIONS,
        notes=(*notes, *([NOTES[cell]] if cell in NOTES else [])),
        layer_notes=("committed to the last layer by convention, not by selection",),
        device=device or default_device(),
    )
