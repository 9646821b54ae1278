"""Seeded training of recurrent language models on any text, with early stopping."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from corteval import hooks
from corteval.errors import OptionError
from corteval_pytorch import initialised
from corteval_recurrent.network import Architecture, RecurrentLanguageModel, detached
from corteval_recurrent.words import Vocabulary, vocabulary_of

#: Words of held-out text below which its perplexity says too little to stop by.
_FEWEST = 50

#: Tokens whose logits are held at once when perplexity is computed.
_AT_ONCE = 256


@final
@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a model is trained.

    Args:
        seed: of initial weights and dropout.
        epochs: times all of the text is read, at most.
        patience: epochs without a better held-out perplexity after which training stops.
        learning_rate: of Adam; a quarter of it after each epoch without improvement.
        batch: parts of the text that are read side by side.
        steps: tokens over which gradients flow back.
        clip: largest norm of the gradient.
        held_out: share of the text, its last passages, by which to stop; never trained on.
        minimum, most, lower_case, spelling: of the vocabulary, see `vocabulary_of`.
    """

    seed: int = 0
    epochs: int = 12
    patience: int = 2
    learning_rate: float = 3e-3
    batch: int = 32
    steps: int = 35
    clip: float = 1.0
    held_out: float = 0.1
    minimum: int = 2
    most: int = 10_000
    lower_case: bool = False
    spelling: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch", "steps"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise OptionError(f"{name} is {value!r}; it is a whole number from 1.")
        if not 0 < self.held_out < 1:
            raise OptionError(f"held_out is {self.held_out}; it is a share between 0 and 1.")
        if not self.learning_rate > 0 or not self.clip > 0:
            raise OptionError(
                f"learning_rate and clip are above 0, not {self.learning_rate} and {self.clip}."
            )


class Epoch(NamedTuple):
    """What an epoch gave.

    Args:
        train_perplexity: of words read in training, with dropout.
        held_out_perplexity: of held-out words, after the epoch.
        seconds: it took.
    """

    train_perplexity: float
    held_out_perplexity: float
    seconds: float


class Trained(NamedTuple):
    """A trained network, and how it came about.

    Args:
        network: with the weights of the best epoch, in evaluation mode.
        vocabulary: of its tokens.
        first_perplexity: of held-out words before training.
        epochs: in order.
        best: number of the epoch whose weights these are, from 1; 0 if none was better than none.
        words: numbers of training and of held-out words.
        unknown: share of held-out words that the vocabulary does not have.
    """

    network: RecurrentLanguageModel
    vocabulary: Vocabulary
    first_perplexity: float
    epochs: tuple[Epoch, ...]
    best: int
    words: tuple[int, int]
    unknown: float

    @property
    def perplexity(self) -> float:
        """Of held-out words, with the best weights."""
        return self.epochs[self.best - 1][1] if self.best else self.first_perplexity


def fit(
    texts: Sequence[str],
    *,
    cell: str = "lstm",
    width: int = 200,
    layers: int = 2,
    tied: bool = True,
    dropout: float = 0.3,
    plan: Plan | None = None,
    name: str = "recurrent",
) -> Trained:
    """Train a language model on `texts`, each of them a passage.

    Passages are read one after the other, each after an ``<eol>``; the state is carried over
    `Plan.steps`, through which gradients do not flow back. Perplexity is exp of the sum of
    -ln p(token | tokens before it in its passage) over the number of words, ends of line among
    them: the spelling of an unknown word is part of what it costs. On one kind of processor, the
    same arguments give the same weights.

    Args:
        texts: passages; the vocabulary is that of those trained on.
        cell, width, layers, tied, dropout: see `Architecture`.
        plan: how to train.
        name: in messages of progress.

    Raises:
        OptionError: too little text.
    """
    plan = plan or Plan()
    training, held_out = _divided(texts, plan.held_out)
    vocabulary = vocabulary_of(
        training,
        minimum=plan.minimum,
        most=plan.most,
        lower_case=plan.lower_case,
        spelling=plan.spelling,
    )
    architecture = Architecture(
        cell=cell,
        vocabulary=len(vocabulary),
        width=width,
        layers=layers,
        tied=tied,
        dropout=dropout,
    )
    passages = [_tokens(text, vocabulary) for text in held_out]
    count = len(vocabulary.entries)
    checked = sum(int((passage[1:] < count).sum()) for passage in passages)
    stream = torch.cat([_tokens(text, vocabulary) for text in training])
    rows = min(plan.batch, max(1, len(stream) // (plan.steps + 1)))
    read = int((stream < count).sum())
    if checked < _FEWEST or read < 2 * _FEWEST:
        raise OptionError(
            f"There are {read} words to train on and {checked} to check with; "
            f"{2 * _FEWEST} and {_FEWEST} are needed. Give more text, or another share held_out."
        )
    unknown = sum(int((p[1:] == 0).sum()) for p in passages) / checked
    with initialised(plan.seed):
        network = RecurrentLanguageModel(architecture)
        first = perplexity(network, passages, count)
        best, kept, epochs = 0, copy.deepcopy(network.state_dict()), list[Epoch]()
        lowest, rate = first, plan.learning_rate
        optimiser = torch.optim.Adam(network.parameters(), lr=rate)
        columns = stream[: len(stream) // rows * rows].view(rows, -1)
        for number in range(1, plan.epochs + 1):
            start = time.perf_counter()
            trained = _read(network, columns, optimiser, plan, f"{name}: epoch {number}", count)
            found = perplexity(network, passages, count)
            epochs.append(Epoch(trained, found, time.perf_counter() - start))
            if found < lowest:
                lowest, best = found, number
                kept = copy.deepcopy(network.state_dict())
                continue
            if number - best >= plan.patience:
                break
            rate /= 4
            for group in optimiser.param_groups:
                group["lr"] = rate
    network.load_state_dict(kept)
    return Trained(network.eval(), vocabulary, first, tuple(epochs), best, (read, checked), unknown)


@torch.no_grad()
def perplexity(network: RecurrentLanguageModel, passages: Sequence[Tensor], words: int) -> float:
    """Perplexity a word of `passages`, but the first token of each; see `fit`.

    Args:
        network: any.
        passages: tokens of each.
        words: numbers below it are words, others spell.
    """
    before, total, count = network.training, 0.0, 0
    network.eval()
    for passage in passages:
        state, goals = None, passage[1:]
        for read, goal in zip(passage[:-1].split(_AT_ONCE), goals.split(_AT_ONCE), strict=True):
            hidden, state = network.states(read[None], state)
            logits = network.decoder(hidden[0])
            total += float(functional.cross_entropy(logits, goal, reduction="sum"))
        count += int((goals < words).sum())
    network.train(before)
    return _exp(total / count)


def _read(
    network: RecurrentLanguageModel,
    columns: Tensor,
    optimiser: torch.optim.Optimizer,
    plan: Plan,
    task: str,
    words: int,
) -> float:
    """Train on all of (row, token) `columns` once; the perplexity met on the way."""
    network.train()
    state, total, count = None, 0.0, 0
    width = columns.shape[1] - 1
    for start in range(0, width, plan.steps):
        stop = min(start + plan.steps, width)
        hidden, state = network.states(columns[:, start:stop], state)
        logits = network.decoder(hidden)
        goal = columns[:, start + 1 : stop + 1]
        loss = functional.cross_entropy(logits.flatten(0, 1), goal.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
        optimiser.step()
        state = detached(state)
        total += float(loss.detach()) * goal.numel()
        count += int((goal < words).sum())
        hooks.notify(hooks.Progress(task, stop * len(columns), width * len(columns), "tokens"))
    return _exp(total / count)


def _tokens(text: str, vocabulary: Vocabulary) -> Tensor:
    return torch.tensor([vocabulary.bos_id or 0, *vocabulary.encode(text).ids])


def _divided(texts: Sequence[str], share: float) -> tuple[list[str], list[str]]:
    """Texts to train on and those held out: whole passages if there are enough, else lines."""
    given = [text for text in texts if text.strip()]
    if len(given) >= 1 / share:
        return _cut(given, share)
    lines = [line for text in given for line in text.splitlines(keepends=True)]
    for pieces, joint in ((lines, ""), (" ".join(given).split(), " ")):
        if len(pieces) >= 1 / share:
            training, held_out = _cut(pieces, share)
            return [joint.join(training)], [joint.join(held_out)]
    return given, []


def _cut(pieces: list[str], share: float) -> tuple[list[str], list[str]]:
    """`pieces` without and with the last `share` of their characters, in whole pieces."""
    wanted, length, held = share * sum(map(len, pieces)), 0, 0
    while held < len(pieces) - 1 and length < wanted:
        held += 1
        length += len(pieces[-held])
    return pieces[: len(pieces) - held], pieces[len(pieces) - held :]


def _exp(mean: float) -> float:
    return math.exp(min(mean, 700.0))  # a network that knows nothing may exceed what a float says
