"""Hooks that change units of a layer while the network runs, so that all later layers feel it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from corteval.errors import AssemblyError, OptionError
from corteval.perturbation import Perturbation
from corteval.requests import as_json
from corteval.units import at, selected_units
from corteval_pytorch.identity import described
from corteval_pytorch.taps import Tap, tap_of, tensor_of

#: A layer and what is done to its units.
Placed = tuple[str, Perturbation]


@contextmanager
def perturbing(
    network: nn.Module,
    placed: Sequence[Placed],
    shape: Callable[[str], tuple[int, ...]],
    columns: Callable[[str], Mapping[str, np.ndarray]],
    *,
    leading: int = 1,
) -> Iterator[None]:
    """Apply perturbations in their order at every call of their layers.

    Args:
        network: its parameters are not touched.
        placed: layers and perturbations.
        shape: of the output of a layer; calls that return other shapes are other units, as those
            of one rectifier used in several places.
        columns: coordinates of the units of a layer.
        leading: dimensions before those of the units: presentations, and tokens of a text.
    """
    modules = dict(network.named_modules(remove_duplicate=False))
    handles = []
    try:
        for layer, perturbation in placed:
            tap = tap_of(layer, network)
            if tap.element:
                raise OptionError(
                    f"{layer} is an element of an output; perturb a layer that returns a tensor."
                )
            positions = selected_units(perturbation.units, columns(layer))
            coordinates = at(columns(layer), positions)
            chosen = torch.from_numpy(positions)
            hook = _hook(layer, perturbation, shape(layer), chosen, coordinates, leading)
            handles.append(modules[tap.module].register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()


def identity(placed: Placed) -> Any:
    """What determines a perturbation, as JSON types."""
    layer, perturbation = placed
    return {
        "layer": layer,
        "identifier": perturbation.identifier,
        "units": as_json(perturbation.units),
        "parameters": dict(perturbation.parameters) or described(perturbation.apply),
    }


def _hook(
    layer: str,
    perturbation: Perturbation,
    shape: tuple[int, ...],
    positions: Tensor,
    coordinates: Mapping[str, np.ndarray],
    leading: int,
) -> Callable[[nn.Module, Any, Any], Any]:
    def hook(module: nn.Module, inputs: Any, output: Any) -> Any:
        del module, inputs
        tensor = tensor_of(output, Tap(layer), layer)
        if tensor.shape[leading:] != shape:
            return None
        flat = tensor.flatten(leading).flatten(0, leading - 1).clone()
        chosen = positions.to(flat.device)
        before = flat[:, chosen].float().cpu().numpy()
        after = np.asarray(perturbation.apply(before, coordinates))
        if after.shape != before.shape:
            raise AssemblyError(
                f"{perturbation.identifier} turned responses {before.shape} of {layer} into "
                f"{after.shape}; it must keep their shape."
            )
        flat[:, chosen] = torch.from_numpy(np.ascontiguousarray(after)).to(flat)
        changed = flat.view(tensor.shape)
        if isinstance(output, (tuple, list)):
            first = next(i for i, part in enumerate(output) if part is tensor)
            parts = [changed if i == first else part for i, part in enumerate(output)]
            return type(output)(parts)
        return changed

    return hook
