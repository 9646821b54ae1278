"""`train`: from any text to a folder that is a subject."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from corteval import registry
from corteval.errors import OptionError
from corteval.reading import passages
from corteval_recurrent import folder
from corteval_recurrent.training import Plan, Trained, fit
from corteval_recurrent.words import RULE


class Text(NamedTuple):
    """A text to learn from.

    Args:
        name: as it is written into the record of the training.
        passages: texts that are read apart.
    """

    name: str
    passages: tuple[str, ...]

    def digest(self) -> str:
        """SHA-256 of the passages."""
        sha = hashlib.sha256()
        for passage in self.passages:
            sha.update(f"{len(passage)}|{passage}".encode())
        return sha.hexdigest()


def of_data(identifier: str) -> Text:
    """The text of a data set, such as ``Wikitext2.validation``: a passage a context.

    Raises:
        UnknownIdentifier: there is no such data set.
        StimuliError: its stimuli are no texts.
    """
    card = registry.data.member_card(identifier)
    stimuli = registry.data.create(card.identifier).stimuli()
    return Text(card.identifier, tuple(p.text for p in passages(stimuli)))


def of_file(path: Path) -> Text:
    """The text of a UTF-8 file, one passage.

    Raises:
        OptionError: it cannot be read.
    """
    try:
        return Text(path.name, (path.read_text(encoding="utf-8"),))
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise OptionError(f"{path} cannot be read as text: {reason}.") from error


def train(
    texts: Text | str | Path | Sequence[Text | str | Path],
    out: Path | str,
    *,
    cell: str = "lstm",
    width: int = 200,
    layers: int = 2,
    tied: bool = True,
    dropout: float = 0.3,
    plan: Plan | None = None,
    overwrite: bool = False,
) -> Trained:
    """Train a language model and write it to a folder, whose format is `corteval_recurrent.folder`.

        from corteval_recurrent import Plan, train

        train("Wikitext2.validation", "wiki-lstm", plan=Plan(seed=1))
        corteval.score("recurrent/wiki-lstm", "NaturalStories-pearsonr")

    Args:
        texts: identifiers of data sets (str), files (Path), or passages given as `Text`.
        out: the folder; made, and filled when training has ended.
        cell: ``"lstm"``, ``"gru"``, another name of `corteval_recurrent.CELLS`, or the text of a
            cell.
        width, layers, tied, dropout: see `corteval_recurrent.network.Architecture`.
        plan: how to train.
        overwrite: replace a model that is in the folder.

    Raises:
        OptionError: too little text, or a folder that cannot be written.
    """
    path = Path(out).expanduser()
    folder.check_free(path, overwrite=overwrite)
    given = [texts] if isinstance(texts, (Text, str, Path)) else list(texts)
    read = [
        t if isinstance(t, Text) else of_file(t) if isinstance(t, Path) else of_data(t)
        for t in given
    ]
    plan = plan or Plan()
    trained = fit(
        [passage for text in read for passage in text.passages],
        cell=cell,
        width=width,
        layers=layers,
        tied=tied,
        dropout=dropout,
        plan=plan,
        name=path.name,
    )
    record = recorded(trained, read, plan)
    folder.save(path, trained.network, trained.vocabulary, training=record, overwrite=overwrite)
    return trained


def recorded(trained: Trained, texts: Sequence[Text], plan: Plan) -> dict[str, Any]:
    """What the folder says of a training."""
    return {
        "texts": [{"name": text.name, "sha256": text.digest()} for text in texts],
        "rule": RULE,
        "plan": asdict(plan),
        "words": trained.words[0],
        "held_out_words": trained.words[1],
        "held_out_unknown": trained.unknown,
        "held_out_perplexity_untrained": trained.first_perplexity,
        "held_out_perplexity": trained.perplexity,
        "best_epoch": trained.best,
        "epochs": [epoch._asdict() for epoch in trained.epochs],
        "torch": torch.__version__,
    }
