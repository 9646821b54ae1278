"""`text_commit`: any torch module that reads becomes a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, final, get_args

import numpy as np
import xarray as xr
from torch import nn

from corteval.commitment import LayerCommitment
from corteval.errors import OptionError
from corteval.reading import CLOSING
from corteval.readouts import Features, Readout
from corteval.requests import NextWord, Task
from corteval.stimuli import StimulusSet
from corteval.surprisal import SurprisalReadout, SurprisalSpec
from corteval_pytorch.commit import named_layers, said
from corteval_pytorch.reduction import Reduction
from corteval_pytorch.text.continuation import check_caches
from corteval_pytorch.text.network import TextNetwork
from corteval_pytorch.text.plan import Manner, Pooling, Sees
from corteval_pytorch.text.reading import NEXT_WORD, SURPRISAL
from corteval_pytorch.text.tokens import MarksWords, Tokenizer, tokenised

#: Most tokens of a next word.
_LONGEST_WORD = 8


def text_commit(
    module: nn.Module,
    tokenizer: Tokenizer,
    layers: Mapping[str, Any],
    *,
    identifier: str | None = None,
    causal: bool = True,
    sees: Sees = "left",
    window: int | None = None,
    stride: int | None = None,
    pooling: Pooling = "last",
    surprisal: SurprisalSpec | None = None,
    next_word: Literal["token", "word"] = "token",
    readouts: Sequence[Readout] = (),
    notes: tuple[str, ...] = (),
    layer_notes: tuple[str, ...] = (),
    reduction: Reduction | None = None,
    batch_tokens: int = 2048,
    device: str | None = None,
    dtype: str = "float32",
) -> LayerCommitment:
    """Make a subject of a torch module that reads.

        from corteval_pytorch.text import text_commit

        subject = text_commit(module, tokenizer, {"language_system": "h.11"}, window=1024)

    All rows of one ``context_id`` are one passage, which is tokenised once. A causal module reads
    it once, whatever is asked: representations of all stimuli, surprisals, next words. Another one
    reads it up to each stimulus, so that it never sees the future, unless it ``sees="passage"``.

    Args:
        module: called as ``module(input_ids=ids, attention_mask=mask)`` with (batch, token) tensors
            filled up at the right; a language model returns something with ``.logits`` (batch,
            token, vocabulary), or logits.
        tokenizer: see `corteval_pytorch.text.Tokenizer`.
        layers: recording target -> layer, or a tuple of layers, whose units are joined; a layer is
            the dotted name of a submodule that returns (batch, token, unit). The target ``"*"``
            answers all others.
        identifier: name in tables; that of the class if None.
        causal: whether responses to a token depend on the tokens before it alone.
        sees: what the module sees of a passage when it represents a stimulus: ``"left"``, what came
            before it; ``"passage"``, if it is not causal; or ``"stimulus"``, nothing else.
        window: most tokens the module reads in one go, inserted ones included. What is longer is
            truncated at the left, see `corteval_pytorch.text.windows`.
        stride: fewest tokens by which the window advances, half a window if None. With 1 every
            stimulus has all the context that fits.
        pooling: ``"last"``, ``"mean"`` or ``"first"`` of the tokens of a stimulus.
        surprisal: conventions of surprisal in answers to `ReadingTime`; None for a module that
            predicts no words. With `SurprisalSpec.bos` a token of the beginning stands before
            every passage, for representations too; without it none does.
        next_word: `NextWord` is answered by the most probable next ``"token"``, from the one pass;
            or by a ``"word"``: tokens most probable one after another until one begins a word, for
            a module that takes a cache as those of transformers do.
        readouts: for further behaviour.
        notes: said with every score, for instance that weights are random.
        layer_notes: said as long as `layers` are these, for instance who chose them.
        reduction: `SparseProjection` or `PrincipalComponents` of layers with more units.
        batch_tokens: most tokens of a batch; halved when memory runs out.
        device: moves the module there; None leaves it where it is.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"`` (`torch.autocast`).

    Returns:
        a subject whose responses do not depend on the order of stimuli or contexts, and on the
        size of batches only by rounding: 10⁻⁵ of the largest response in float32. Next words are
        text without white space; by default a word of several tokens is answered by its first.

    Raises:
        OptionError: for a layer the module does not have, with close matches; for conventions that
            the tokenizer does not allow.
    """
    if not isinstance(module, nn.Module):
        raise OptionError(f"A module is a torch.nn.Module, not {type(module).__name__}.")
    if not isinstance(layers, Mapping) or not layers:
        raise OptionError(
            'Name the layer of at least one target, as in {"language_system": "h.11"}.'
        )
    if not isinstance(tokenizer, Tokenizer):
        raise OptionError(
            f"{type(tokenizer).__name__} is no tokenizer: it has encode, decode, identity and "
            "bos_id. See corteval_pytorch.text.Tokenizer."
        )
    for option, value, allowed in (("pooling", pooling, Pooling), ("sees", sees, Sees)):
        if value not in get_args(allowed):
            raise OptionError(f"{option}={value!r} is none of {', '.join(get_args(allowed))}.")
    if surprisal is not None:
        _check_conventions(surprisal, tokenizer, causal)
    _check_window(window, stride, tokenizer, surprisal)
    if next_word not in ("token", "word"):
        raise OptionError(f"next_word is 'token' or 'word', not {next_word!r}.")
    if next_word == "word":
        check_caches(module, identifier or type(module).__name__)
    if device is not None:
        module = module.to(device)
    name = identifier or type(module).__name__
    kind = str(dtype).removeprefix("torch.")
    return LayerCommitment(
        identifier=name,
        extractor=TextNetwork(
            module=module,
            name=name,
            tokenizer=tokenizer,
            manner=Manner(
                causal=causal,
                sees="left" if causal and sees == "passage" else sees,
                window=window,
                stride=stride or (1 if window is None else max(1, window // 2)),
                pooling=pooling,
                word_boundary=surprisal is not None and surprisal.word_boundary,
            ),
            bos=None if surprisal is None else surprisal.bos,
            surprisal=surprisal,
            next_tokens=1 if next_word == "token" else _LONGEST_WORD,
            batch_tokens=batch_tokens,
            dtype=kind,
            reduction=reduction,
        ),
        layers={target: named_layers(layer, module) for target, layer in layers.items()},
        modalities=frozenset({"text"}),
        readouts=(
            *([] if surprisal is None else language(surprisal, tokenizer)),
            *readouts,
        ),
        notes=(*notes, *said(kind, reduction)),
        layer_notes=layer_notes,
    )


def language(spec: SurprisalSpec, tokenizer: Tokenizer) -> tuple[Readout, ...]:
    """Read-outs of a `TextNetwork` that predicts words: surprisal and next words."""
    return SurprisalReadout(layer=SURPRISAL, spec=spec), NextTokens(tokenizer=tokenizer)


@final
@dataclass(frozen=True, kw_only=True)
class NextTokens:
    """Answers `NextWord` by the text of the tokens that are most probable next.

    Args:
        tokenizer: turns them into text; white space at both ends is left out, and so are marks
            that close a word of several tokens.
        layer: whose units are the ids of tokens, in reading order; negative ones are none.
    """

    tokenizer: Tokenizer
    layer: str = NEXT_WORD

    def supports(self, task: Task) -> bool:
        """Next words."""
        return isinstance(task, NextWord)

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """(presentation) words."""
        del task
        numbers = features(stimuli).astype(int)
        known: dict[tuple[int, ...], str] = {}
        words = []
        for row in map(tuple, numbers.tolist()):
            ids = tuple(i for i in row if i >= 0)
            if ids not in known:
                text = self.tokenizer.decode(ids).strip()
                known[ids] = (text.rstrip(CLOSING) or text) if len(ids) > 1 else text
            words.append(known[ids])
        return xr.DataArray(
            np.array(words, dtype=object).astype(str),
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", stimuli.stimulus_ids)},
        )


def with_conventions(subject: LayerCommitment, spec: SurprisalSpec) -> LayerCommitment:
    """`subject` with other conventions of surprisal.

    Raises:
        OptionError: if it is no subject of `text_commit`, or its tokenizer does not allow them.
    """
    network = subject.extractor
    if not isinstance(network, TextNetwork):
        raise OptionError(f"{subject.identifier} was not made by text_commit.")
    _check_conventions(spec, network.tokenizer, network.manner.causal)
    manner = replace(network.manner, word_boundary=spec.word_boundary)
    ours = (SurprisalReadout, NextTokens)
    others = [readout for readout in subject.readouts if not isinstance(readout, ours)]
    return replace(
        subject,
        extractor=replace(network, manner=manner, bos=spec.bos, surprisal=spec),
        readouts=(*language(spec, network.tokenizer), *others),
    )


def _check_conventions(spec: SurprisalSpec, tokenizer: Tokenizer, causal: bool) -> None:
    if not causal:
        raise OptionError(
            "Surprisal is that of a causal model; one that sees both sides has none. Use "
            "surprisal=None."
        )
    if spec.bos and tokenizer.bos_id is None and not tokenised(tokenizer, "a").before:
        raise OptionError("The tokenizer has no token of the beginning; use bos=False.")
    if spec.first_word == "scored" and not spec.bos:
        raise OptionError(
            "A first word is scored where a token marks the beginning: first_word='scored' needs "
            "bos=True."
        )
    if spec.word_boundary and not isinstance(tokenizer, MarksWords):
        raise OptionError(
            "word_boundary=True needs a tokenizer that says which tokens begin a word, by a method "
            "word_starts()."
        )


def _check_window(
    window: int | None, stride: int | None, tokenizer: Tokenizer, spec: SurprisalSpec | None
) -> None:
    if window is None:
        if stride is not None:
            raise OptionError(f"stride={stride} without a window has no meaning.")
        return
    found = tokenised(tokenizer, "a", bos=None if spec is None else spec.bos)
    room = window - len(found.before) - len(found.after)
    if room < 2:
        raise OptionError(f"A window of {window} tokens has room for {max(0, room)} of the text.")
    if stride is not None and not 1 <= stride < room:
        raise OptionError(
            f"The window advances by 1 to {room - 1} tokens, so that something is read twice; "
            f"not by {stride}."
        )
