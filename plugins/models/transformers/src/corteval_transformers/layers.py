"""Which layers of a transformer are its language system, and how they are called."""

from __future__ import annotations

from typing import Any

from torch import nn

from corteval.errors import OptionError

#: Recording targets of language.
TARGETS = (
    "language_system",
    "language_system_left_hemisphere",
    "language_system_right_hemisphere",
)

#: Block that Brain-Score language commits to, by repository without its owner (spec ``language``
#: section 1.3).
PUBLISHED = {
    "openai-gpt": 11,
    "distilgpt2": 5,
    "gpt2": 11,
    "gpt2-medium": 22,
    "gpt2-large": 33,
    "gpt2-xl": 43,
    "gpt-neo-125m": 11,
    "gpt-neo-1.3b": 18,
    "gpt-neo-2.7b": 31,
    "falcon-7b": 31,
    "falcon-40b": 59,
    "gemma-2b": 17,
    "mistral-7b-v0.1": 31,
    "mpt-30b": 47,
    "opt-2.7b": 31,
    "opt-6.7b": 31,
    "opt-30b": 47,
    "phi-2": 31,
    "pythia-2.8b": 31,
    "pythia-12b": 35,
    "qwen2.5-3b": 35,
    "qwen2.5-14b": 47,
}


def blocks_of(module: nn.Module, config: Any) -> list[str]:
    """Names of a transformer's blocks, in order.

    They are the members of the module list that is as long as the configuration says, or else of
    the longest one that lies in no other.

    Raises:
        OptionError: if there is none.
    """
    lists = {
        name: len(part)
        for name, part in module.named_modules()
        if isinstance(part, nn.ModuleList) and len(part)
    }
    outer = {n: k for n, k in lists.items() if not any(n.startswith(f"{o}.") for o in lists)}
    counts = {
        getattr(config, key, None)
        for key in ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
    }
    fitting = [name for name, count in outer.items() if count in counts]
    if not fitting and outer:
        fitting = [max(outer, key=lambda name: outer[name])]
    if not fitting:
        raise OptionError(
            f"{type(module).__name__} has no list of blocks; name its layers: "
            'layers={"language_system": ...}.'
        )
    return [f"{fitting[0]}.{number}" for number in range(outer[fitting[0]])]


def default_layer(name: str, blocks: list[str]) -> tuple[str, str]:
    """The layer of the language system, and a note on who chose it.

    Args:
        name: of the repository.
        blocks: of the model.
    """
    number = PUBLISHED.get(name.rpartition("/")[2].casefold())
    if number is not None and number < len(blocks):
        return blocks[number], (
            f"language_system = {blocks[number]}, as committed in Brain-Score language, which does "
            "not say by which data it was chosen"
        )
    return blocks[-1], (
        f"language_system = {blocks[-1]}, the last block: a convention, selected by no data"
    )


def full_name(layer: str, module: nn.Module) -> str:
    """`layer` as the module calls it, with the prefix of its base model where that is missing.

    What is no layer at all is returned as it is; the engine says so, with close names.
    """
    names = dict(module.named_modules(remove_duplicate=False))
    plain = layer.partition("[")[0]
    if plain in names:
        return layer
    prefix = getattr(module, "base_model_prefix", "")
    return f"{prefix}.{layer}" if prefix and f"{prefix}.{plain}" in names else layer
