"""SUMA as a subject."""

from __future__ import annotations

from typing import Literal

from corteval.commitment import LayerCommitment
from corteval.errors import OptionError
from corteval_localizer import Localizer, Selection, localized
from corteval_pytorch import default_device
from corteval_pytorch.text import text_commit
from corteval_suma.architecture import Architecture
from corteval_suma.network import drawn
from corteval_suma.tokens import tokenizer_named

#: Recorded in the last cycle: what enters attention, and what comes out of it.
LAYERS = ("layers.0.input_layernorm", "layers.0.self_attn")
TARGET = "language_system"


def build(
    identifier: str = "suma",
    *,
    seed: int = 42,
    units: int | None = -1,
    tokenizer: str = "wordpiece",
    vocabulary: int = 32_000,
    hidden: int = 4_096,
    heads: int = 512,
    cycles: int | Literal["dynamic"] = 2,
    window: int = 512,
    device: str | None = None,
    dtype: str = "float32",
) -> LayerCommitment:
    """SUMA: a language system of the units of both layers that a localizer selects.

    Args:
        identifier: name in tables.
        seed: of all weights.
        units: that the localizer selects when the subject is first asked, by the contrast of
            sentences with non-words (`Fedorenko2010.localization`) at the last token; half of all
            if -1 (4,096 of 8,192); None leaves all.
        tokenizer: ``"wordpiece"``, ``"llama"``, ``"wikitext2-bpe"`` or a file, see
            `corteval_suma.tokens`.
        vocabulary, hidden, heads, cycles: see `Architecture`.
        window: most tokens that are read in one go.
        device: the first GPU if None, else the CPU.
        dtype: see `corteval_pytorch.text.text_commit`.

    Raises:
        OptionError: for sizes that do not fit, or a tokenizer that cannot be had.
    """
    architecture = Architecture(vocabulary=vocabulary, hidden=hidden, heads=heads, cycles=cycles)
    if type(seed) is not int or seed < 0:
        raise OptionError(f"A seed is a whole number of 0 or more, not {seed!r}.")
    if units is not None and (units == 0 or units < -1 or units > 2 * hidden):
        raise OptionError(f"{units} of {2 * hidden} units cannot be selected.")
    subwords = tokenizer_named(tokenizer, vocabulary)
    subject = text_commit(
        drawn(architecture, seed),
        subwords,
        {TARGET: LAYERS},
        identifier=identifier,
        # the number of cycles depends on all that is read, so every beginning is read by itself
        causal=cycles != "dynamic",
        window=window,
        pooling="last",
        notes=(
            f"untrained: weights are random (seed {seed})",
            *([] if tokenizer == "llama" else [f"tokens are {tokenizer}'s, not Llama 2's"]),
        ),
        device=device or default_device(),
        dtype=dtype,
    )
    if units is None:
        return subject
    selection = Selection(top=hidden if units == -1 else units)
    return localized(subject, Localizer(selection=selection), identifier=identifier)
