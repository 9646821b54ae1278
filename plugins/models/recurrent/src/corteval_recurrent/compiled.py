"""A cell of the language as a torch module."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from corteval.errors import OptionError
from corteval_recurrent.expressions import (
    OUTPUT,
    STATE,
    Cell,
    Expression,
    Named,
    Source,
    cell_of,
)
from corteval_recurrent.parsing import parse

#: Of the sines and cosines of the number of a step, the longest wave in steps is 2π times this.
_LONGEST = 10_000.0


class State(NamedTuple):
    """What a cell hands from step to step.

    Args:
        x_prev, h, c: (batch, unit) input, output and state of the step before.
        position: number of steps before this one.
    """

    x_prev: Tensor
    h: Tensor
    c: Tensor
    position: int


class _Node(NamedTuple):
    """A value of the cell: a source, or an operator applied to earlier values.

    Args:
        kind: source or operator.
        arguments: numbers of the nodes it reads.
        weights: number of its module, -1 if it has none.
        steady: whether it depends on no state, so that all steps are computed at once.
    """

    kind: str
    arguments: tuple[int, ...] = ()
    weights: int = -1
    steady: bool = False


def gate3(x: Tensor, y: Tensor, f: Tensor) -> Tensor:
    """σ(f) ∘ x + (1 - σ(f)) ∘ y."""
    return torch.lerp(y, x, torch.sigmoid(f))


_PLAIN: Mapping[str, Callable[..., Tensor]] = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "SeLU": functional.selu,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Add": torch.add,
    "Mult": torch.mul,
    "Sub": torch.sub,
    "Div": torch.div,
    "Gate3": gate3,
}


def compile_cell(cell: Cell | Expression | str, width: int) -> CompiledCell:
    """A module that computes `cell` over sequences.

    Args:
        cell: or an expression, which is its output; or the text of either.
        width: units of input, output and state.

    Raises:
        OptionError: for a text that describes no cell, or a width below 1.
    """
    if isinstance(cell, str):
        return CompiledCell(parse(cell), width)
    return CompiledCell(cell if isinstance(cell, Cell) else cell_of(cell), width)


@final
class CompiledCell(nn.Module):
    """A cell with weights, run over sequences one step after the other.

    ``MM(a)`` is W a + b with W (unit, unit); ``LayerNorm`` has gain and bias; all other operators
    work unit by unit, and ``Gate3(x, y, f)`` is σ(f) ∘ x + (1 - σ(f)) ∘ y. ``PosEnc`` at step t is
    sin(t / 10000^(2k/width)) in unit 2k and the cosine of the same in unit 2k + 1. What depends on
    the input alone is computed for all steps at once, and products with ``h_prev`` together.

    Weights are drawn as `torch.nn.Linear` draws them. ``weights`` holds the modules of ``MM`` and
    ``LayerNorm`` in the order of the text.

    Source: spec ``models`` section 8; biases and the encoding are this implementation's choice.

    Args:
        cell: what it computes.
        width: units of input, output and state.
    """

    def __init__(self, cell: Cell, width: int) -> None:
        super().__init__()
        if width < 1:
            raise OptionError(f"A cell has at least one unit, not {width}.")
        self.width = width
        self.text = str(cell)
        self.weights = nn.ModuleList()
        self._nodes: list[_Node] = []
        self._sources: dict[str, int] = {}
        names: dict[str, int] = {}
        for definition in cell.definitions:
            names[definition.name] = self._add(definition.expression, names)
        self._output, self._state = names[OUTPUT], names.get(STATE, -1)
        self._stacked = self._products_with("h_prev")

    def forward(self, sequence: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Outputs (batch, token, unit) of a `sequence` of that shape, and the state after it.

        Args:
            sequence: inputs; a step sees none of those that follow it.
            state: before the first; zeros if None.
        """
        if state is None:
            zero = sequence.new_zeros(len(sequence), self.width)
            state = State(zero, zero, zero, 0)
        steps = sequence.shape[1]
        if not steps:
            return sequence, state
        steady = self._steady_values(sequence, state)
        changing = [n for n, node in enumerate(self._nodes) if not node.steady]
        weight, bias = self._joined_products()
        values: list[Tensor] = [sequence] * len(self._nodes)
        h, c, outputs = state.h, state.c, []
        for step in range(steps):
            for number, by_step in steady:
                values[number] = by_step[step]
            if self._stacked:
                together = functional.linear(h, weight, bias).split(self.width, dim=-1)
                for number, product in zip(self._stacked, together, strict=True):
                    values[number] = product
            for number in changing:
                node = self._nodes[number]
                if node.kind == "h_prev":
                    values[number] = h
                elif node.kind == "c_prev":
                    values[number] = c
                elif number not in self._stacked:
                    values[number] = self._value(node, values)
            h = values[self._output]
            c = values[self._state] if self._state >= 0 else c
            outputs.append(h)
        after = State(sequence[:, -1], h, c, state.position + steps)
        return torch.stack(outputs, dim=1), after

    def extra_repr(self) -> str:
        """The text of the cell."""
        return self.text

    def _add(self, expression: Expression, names: Mapping[str, int]) -> int:
        """Number of the node of `expression`, made with those it needs."""
        if isinstance(expression, Named):
            return names[expression.name]
        if isinstance(expression, Source):
            if expression.name not in self._sources:
                steady = expression.name not in ("h_prev", "c_prev")
                self._sources[expression.name] = self._append(_Node(expression.name, steady=steady))
            return self._sources[expression.name]
        weights = -1
        if expression.operator in ("MM", "LayerNorm"):
            weights = len(self.weights)  # before those of the arguments: the order of the text
            self.weights.append(
                nn.Linear(self.width, self.width)
                if expression.operator == "MM"
                else nn.LayerNorm(self.width)
            )
        arguments = tuple(self._add(argument, names) for argument in expression.arguments)
        steady = all(self._nodes[n].steady for n in arguments)
        return self._append(_Node(expression.operator, arguments, weights, steady))

    def _append(self, node: _Node) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _products_with(self, source: str) -> tuple[int, ...]:
        """Nodes ``MM(source)``."""
        of = self._sources.get(source)
        return tuple(
            n for n, node in enumerate(self._nodes) if node.kind == "MM" and node.arguments == (of,)
        )

    def _joined_products(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of all products with ``h_prev``, one below the other."""
        if not self._stacked:
            return torch.empty(0), torch.empty(0)
        modules = [self.weights[self._nodes[n].weights] for n in self._stacked]
        weights: list[Tensor] = [module.get_parameter("weight") for module in modules]
        biases: list[Tensor] = [module.get_parameter("bias") for module in modules]
        return torch.cat(weights), torch.cat(biases)

    def _steady_values(
        self, sequence: Tensor, state: State
    ) -> list[tuple[int, tuple[Tensor, ...]]]:
        """By node that depends on no state and that others need, its value at each step."""
        values: list[Tensor] = [sequence] * len(self._nodes)
        for number, node in enumerate(self._nodes):
            if node.kind == "x":
                values[number] = sequence
            elif node.kind == "x_prev":
                values[number] = torch.cat([state.x_prev[:, None], sequence[:, :-1]], dim=1)
            elif node.kind == "PosEnc":
                values[number] = self._encoding(sequence, state.position)
            elif node.steady:
                values[number] = self._value(node, values)
        needed = {n for node in self._nodes if not node.steady for n in node.arguments}
        needed |= {self._output, self._state}
        return [
            (number, values[number].unbind(1))
            for number, node in enumerate(self._nodes)
            if node.steady and number in needed
        ]

    def _encoding(self, sequence: Tensor, first: int) -> Tensor:
        """``PosEnc`` of each step of `sequence`, the first of which is number `first`."""
        unit = torch.arange(self.width, device=sequence.device, dtype=torch.float64)
        waves = torch.exp(-(math.log(_LONGEST) / self.width) * (unit - unit % 2))
        steps = torch.arange(first, first + sequence.shape[1], device=sequence.device)
        angles = steps[:, None] * waves
        encoding = torch.where(unit % 2 == 0, angles.sin(), angles.cos()).to(sequence.dtype)
        return encoding.expand(len(sequence), -1, -1)

    def _value(self, node: _Node, values: list[Tensor]) -> Tensor:
        arguments = [values[n] for n in node.arguments]
        if node.weights >= 0:
            return self.weights[node.weights](arguments[0])
        return _PLAIN[node.kind](*arguments)
