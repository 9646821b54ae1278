"""`commit`: any torch module becomes a subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from corteval.commitment import LayerCommitment, Layers
from corteval.errors import OptionError
from corteval.readouts import Readout
from corteval.requests import TimeBin
from corteval_pytorch.network import Network
from corteval_pytorch.preprocessing import Preprocess, Preprocessing
from corteval_pytorch.reduction import Reduction
from corteval_pytorch.taps import OUTPUT, tap_of

#: A layer by name, or by a function that finds it in the network.
Named = str | Callable[[nn.Module], nn.Module]


def commit(
    network: nn.Module,
    preprocess: Preprocess,
    layers: Mapping[str, Any],
    *,
    identifier: str | None = None,
    visual_degrees: float | None = 8.0,
    readouts: Sequence[Readout] = (),
    notes: tuple[str, ...] = (),
    layer_notes: tuple[str, ...] = (),
    coordinates: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    reduction: Reduction | None = None,
    stochastic: bool = False,
    seed: int = 0,
    batch_size: int | None = None,
    device: str | None = None,
    dtype: str = "float32",
) -> LayerCommitment:
    """Make a subject of a torch module.

        import corteval
        from corteval_pytorch import Preprocessing, commit

        subject = commit(module, Preprocessing(size=224), {"V4": "layer3", "IT": "layer4"})
        corteval.score(subject, "Cowley2023.V4-ridge")

    Args:
        network: runs in evaluation mode while it is recorded, and is left as it was.
        preprocess: a `Preprocessing`, or a function from an RGB `PIL.Image` to a tensor
            (channel, height, width).
        layers: recording target -> layer; a tuple of layers, whose units are joined; or a mapping
            of `TimeBin` to layers, for a network that computes in steps (``"IT-t1"`` is the second
            call of the submodule ``IT`` in a forward pass). A layer is the dotted name of a
            submodule or a function that takes the network and returns one; ``"output"`` is what the
            network returns, ``"encoder[1]"`` an element of an output. The target ``"*"`` answers
            all others.
        identifier: name in tables; that of the class if None.
        visual_degrees: extent of the screen; stimuli are placed on it by theirs. None shows every
            stimulus as it is.
        readouts: for behaviour.
        notes: said with every score, for instance that weights are random.
        layer_notes: said as long as `layers` are these, for instance who chose them.
        coordinates: layer -> further coordinates of its units, such as ``tissue_x_mm``.
        reduction: `SparseProjection` or `PrincipalComponents` of layers with more units.
        stochastic: whether the network draws noise by `normal_like`; its recordings have trials.
        seed: of that noise.
        batch_size: rows of a batch; None chooses by the size of the layers.
        device: moves the network there; None leaves it where it is.
        dtype: ``"float32"``, without TF32 whatever torch is set to; ``"bfloat16"`` or
            ``"float16"`` (`torch.autocast`). It is recorded with the score.

    Returns:
        a subject whose responses do not depend on the order of stimuli, and on the size of batches
        only by rounding: 10⁻⁵ of the largest response in float32.

    Raises:
        OptionError: for a layer the network does not have, with close matches.
    """
    if not isinstance(network, nn.Module):
        raise OptionError(f"A network is a torch.nn.Module, not {type(network).__name__}.")
    if not isinstance(layers, Mapping) or not layers:
        raise OptionError('Name the layer of at least one target, as in {"IT": "layer4"}.')
    if not callable(preprocess) and not isinstance(preprocess, Preprocessing):
        raise OptionError(
            f"Pre-processing is a Preprocessing or a function from an image to a tensor, not a "
            f"{type(preprocess).__name__}."
        )
    if device is not None:
        network = network.to(device)
    name = identifier or type(network).__name__
    return LayerCommitment(
        identifier=name,
        extractor=Network(
            module=network,
            name=name,
            preprocess=preprocess,
            visual_degrees=visual_degrees,
            dtype=str(dtype).removeprefix("torch."),
            batch_rows=batch_size,
            coordinates=coordinates or {},
            reduction=reduction,
            stochastic=stochastic,
            seed=seed,
        ),
        layers={target: named_layers(layer, network) for target, layer in layers.items()},
        visual_degrees=visual_degrees,
        readouts=tuple(readouts),
        notes=(*notes, *said(str(dtype).removeprefix("torch."), reduction)),
        layer_notes=layer_notes,
    )


def said(dtype: str, reduction: Reduction | None) -> list[str]:
    """What a reader of scores must know of how responses were computed."""
    said = [] if dtype == "float32" else [f"responses were computed in {dtype}"]
    if reduction is not None:
        how = ", ".join(str(value) for value in reduction.identity().values())
        said.append(f"larger layers are reduced ({how})")
    return said


def default_device() -> str:
    """Where plugins put their networks: the first GPU, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def named_layers(layer: Any, network: nn.Module) -> Layers:
    """Layers of a target by name, each of them known to the network."""
    if isinstance(layer, Mapping):
        steps = {
            b if isinstance(b, TimeBin) else TimeBin(*b): _name(step, network)
            for b, step in layer.items()
        }
        if not steps:
            raise OptionError("A target is committed to no time step.")
        return steps
    if isinstance(layer, (tuple, list)):
        if not layer:
            raise OptionError("A target is committed to no layer.")
        return tuple(_name(part, network) for part in layer)
    return _name(layer, network)


def _name(layer: Named, network: nn.Module) -> str:
    if isinstance(layer, str):
        tap_of(layer, network)
        return layer
    found = layer(network)
    for name, module in network.named_modules():
        if module is found:
            return name or OUTPUT
    raise OptionError(
        f"The function given for a layer returned a {type(found).__name__} that is no submodule "
        f"of {type(network).__name__}."
    )
