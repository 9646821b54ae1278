"""One pass of a text model over a plan: everything wanted is pooled and streamed into the store.

Sequences are read from short to long in batches of a number of tokens, filled up at the right.
Outputs go from the model's hooks to the rows they belong to, and full blocks are written while it
reads on, so a process killed at any moment loses the blocks that were open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from corteval import hooks
from corteval.errors import AssemblyError
from corteval_pytorch.halving import in_halves
from corteval_pytorch.passes import Stream, evaluating, writing
from corteval_pytorch.taps import recording, tap_of
from corteval_pytorch.text.continuation import continued
from corteval_pytorch.text.plan import Entries, Plan, Use
from corteval_pytorch.text.predictions import logits_of, predictions

#: Layers that are made of the logits, with one unit each.
SURPRISAL, NEXT_WORD = "surprisal", "next_word"

USE_OF: Mapping[str, Use] = {SURPRISAL: "scored", NEXT_WORD: "next"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a pass needs to know.

    Args:
        module: in evaluation mode while it reads.
        name: for progress and messages.
        plan: what is read.
        streams: what to record, by layer.
        calls_of: number of calls of modules in a forward pass, where it is known.
        batch_tokens: of a batch, those included that fill it up; halved when memory runs out.
        word_starts: ids of tokens that begin a word, bool by id; None if they do not matter.
        word_ends: whether the ends of words are counted.
        next_tokens: most tokens of a next word.
        window: positions that the module has, for next words.
        around: context of every forward pass: numerical type, perturbations.
        device: of the module.
    """

    module: nn.Module
    name: str
    plan: Plan
    streams: Mapping[str, Stream]
    calls_of: Mapping[str, int]
    batch_tokens: int
    word_starts: Tensor | None
    word_ends: bool = False
    next_tokens: int = 1
    window: int | None = None
    around: Callable[[], Any]
    device: torch.device


def read(job: Reading) -> None:
    """Fill the missing blocks of all streams.

    Raises:
        AssemblyError: for responses that are not finite, with layer and stimuli.
        CortevalError: when a single sequence does not fit into memory.
    """
    count = len(job.plan.contents)
    lacking = np.array([any(s.lacks(row) for s in job.streams.values()) for row in range(count)])
    if not lacking.any():
        return
    uses = {USE_OF.get(layer, "pooled") for layer in job.streams}
    needed = {int(n) for use in uses for n in _of_rows(job.plan.entries[use], lacking)}
    batches = list(_batches(sorted(needed), job.plan.sequences, job.batch_tokens))
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(evaluating(job.module))
        stack.enter_context(job.around())
        writer = stack.enter_context(writing())
        reader = _Reader(job, lacking)
        reader.calls = stack.enter_context(
            recording(job.module, reader.hooked, reader.keep, job.calls_of)
        )
        reader.calls.stop_after = _last_event(job, reader.hooked)
        done = count - int(lacking.sum())  # what an earlier run has stored
        for batch in batches:
            finished = reader.forward(batch)
            for layer, rows in finished.items():
                for block, values in job.streams[layer].finished(rows):
                    writer.submit(job.streams[layer].artifact, block, values)
            done += max((len(rows) for rows in finished.values()), default=0)
            hooks.notify(hooks.Progress(f"{job.name}: reading", done, count, "stimuli"))


def _last_event(job: Reading, hooked: Sequence[str]) -> int | None:
    """Number of calls of hooked modules after which nothing is wanted; None if it is not known.

    So not even the first batch is read further, to logits over a large vocabulary.
    """
    modules = {tap_of(layer, job.module).module for layer in hooked}
    if len(hooked) < len(job.streams) or not modules <= job.calls_of.keys():
        return None
    return sum(job.calls_of[module] for module in modules)


def _of_rows(entries: Entries, rows: np.ndarray) -> np.ndarray:
    """Sequences that the rows of a mask depend on."""
    return np.unique(entries.sequence[rows[entries.row]])


def _batches(
    numbers: Sequence[int], sequences: Sequence[Sequence[int]], most: int
) -> Iterator[list[int]]:
    """Sequences by number, in batches of at most `most` tokens; longer ones by themselves."""
    batch: list[int] = []
    for number in numbers:
        if batch and (len(batch) + 1) * len(sequences[number]) > most:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


class _Places(NamedTuple):
    """Where values of a batch come from and where they go.

    Args:
        sequence, position, column: of each value.
        slot: the place of its row in `rows`.
        weight: of each value.
        rows: different rows, ascending.
        parts: number of sequences of the batch that each of `rows` depends on.
        plain: whether each row is one value as it is, in their order.
    """

    sequence: Tensor
    position: Tensor
    column: Tensor
    slot: Tensor
    weight: Tensor
    rows: np.ndarray
    parts: np.ndarray
    plain: bool


class _Reader:
    """Runs the module on batches, and puts what its hooks see into the streams."""

    def __init__(self, job: Reading, lacking: np.ndarray) -> None:
        self.job = job
        self.calls: Any = None
        self.hooked = [layer for layer in job.streams if layer not in USE_OF]
        self.largest = len(job.plan.sequences)
        self._lacking = lacking
        self._muted = False
        self._shape: tuple[int, int] = (0, 0)
        self._places: dict[Use, _Places] = {}
        self._pooled: dict[str, tuple[_Places, Tensor]] = {}
        self._waiting: dict[tuple[str, int], tuple[int, Tensor]] = {}
        self._finished: dict[str, list[int]] = {}
        self._parts_of = {
            use: _parts_of(job.plan.entries[use], len(job.plan.contents))
            for use in {USE_OF.get(layer, "pooled") for layer in job.streams}
        }

    def forward(self, batch: list[int]) -> dict[str, list[int]]:
        """Read the sequences of `batch`, in halves when memory runs out; rows finished by layer."""
        self._finished = {layer: [] for layer in self.job.streams}
        self.largest = in_halves(
            len(batch),
            lambda part: self._show(batch[part]),
            largest=self.largest,
            name=self.job.name,
            stimulus=lambda number: self._stimulus_in(batch[number]),
            advice="Use a smaller window, fewer layers, dtype='bfloat16' or another device.",
        )
        return self._finished

    def keep(self, layer: str, output: Tensor) -> None:
        """Pool what `layer` returns for the current batch."""
        if self._muted:
            return
        if output.ndim == 3 and len(output) == 1:  # the same for all, as positions are
            output = output.expand(self._shape[0], -1, -1)
        if output.shape[:2] != self._shape or output.ndim != 3:
            raise AssemblyError(
                f"{self.job.name}: layer {layer} returns {tuple(output.shape)} for "
                f"{self._shape} tokens; a layer that is recorded returns (batch, token, unit)."
            )
        places = self._places["pooled"]
        self._pool(layer, places, output[places.sequence, places.position])

    def _show(self, numbers: list[int]) -> None:
        job = self.job
        sequences = [job.plan.sequences[number] for number in numbers]
        self._shape = len(sequences), max(map(len, sequences))
        padded = np.zeros((2, *self._shape), np.int64)
        for row, sequence in enumerate(sequences):
            padded[0, row, : len(sequence)] = sequence
            padded[1, row, : len(sequence)] = 1
        ids, mask = torch.from_numpy(padded).to(job.device)
        self._pooled = {}
        self._places = {
            use: _places(job.plan.entries[use], numbers, self._lacking, job.device)
            for use in self._parts_of
        }
        output = self.calls.forward(job.module, input_ids=ids, attention_mask=mask)
        silent = [layer for layer in self.hooked if layer not in self._pooled]
        if silent:
            raise AssemblyError(
                f"{job.name}: {', '.join(silent[:3])} did not run in the forward pass, or not so "
                "often. Name a layer that the network calls."
            )
        if len(self.hooked) < len(job.streams):
            self._predict(output, ids)
        elif self.calls.stop_after is None:
            self.calls.stop_after = self.calls.events
        for layer, (places, values) in self._pooled.items():
            self._store(layer, places, values)

    def _predict(self, output: Any, ids: Tensor) -> None:
        logits = logits_of(output, self.job.name)
        if logits.shape[:2] != ids.shape:
            raise AssemblyError(
                f"{self.job.name} returns logits {tuple(logits.shape)} for {tuple(ids.shape)} "
                "tokens; they are (batch, token, vocabulary)."
            )
        job = self.job
        found = predictions(logits, ids, job.word_starts if job.word_ends else None)
        if SURPRISAL in self.job.streams:
            places = self._places["scored"]
            picked = found.surprisal[places.sequence, places.position, places.column]
            self._pool(SURPRISAL, places, picked[:, None])
        if NEXT_WORD in self.job.streams:
            places = self._places["next"]
            picked = found.best[places.sequence, places.position]
            self._pool(NEXT_WORD, places, self._words(ids, places, picked))

    def _words(self, ids: Tensor, places: _Places, first: Tensor) -> Tensor:
        """(value, token) ids of the next words whose first tokens are known."""
        job = self.job
        if job.next_tokens == 1 or job.word_starts is None:
            return first[:, None]
        words = torch.full((len(first), job.next_tokens), -1, device=ids.device)
        self._muted = True  # what is read now is no passage
        try:
            for row in places.sequence.unique().tolist():
                own = places.sequence == row
                words[own] = continued(
                    job.module,
                    ids[row],
                    places.position[own],
                    first[own],
                    job.word_starts,
                    longest=job.next_tokens,
                    window=job.window,
                )
        finally:
            self._muted = False
        return words

    def _pool(self, layer: str, places: _Places, picked: Tensor) -> None:
        picked = picked.float()
        if not places.plain:
            summed = picked.new_zeros((len(places.rows), picked.shape[1]))
            picked = _added(summed, places.slot, picked * places.weight[:, None])
        self._pooled[layer] = places, self.job.streams[layer].selection.reduce(picked).cpu()

    def _store(self, layer: str, places: _Places, values: Tensor) -> None:
        """Put values into blocks; those of rows in several sequences when all are there."""
        stream = self.job.streams[layer]
        expected = self._parts_of[USE_OF.get(layer, "pooled")]
        rows, whole = places.rows, np.ones(len(places.rows), bool)
        for slot in np.flatnonzero(expected[rows] > places.parts):
            row = int(rows[slot])
            seen, before = self._waiting.pop((layer, row), (0, torch.zeros_like(values[slot])))
            values[slot] += before
            seen += int(places.parts[slot])
            if seen < expected[row]:
                whole[slot] = False
                self._waiting[layer, row] = seen, values[slot].clone()
        if not whole.all():
            rows, values = rows[whole], values[torch.from_numpy(whole)]
        for part, place in stream.segments(rows.tolist()) if len(rows) else ():
            torch.from_numpy(place).copy_(values[part])
            with np.errstate(invalid="ignore", over="ignore"):
                total = place.sum()
            if not np.isfinite(total):
                self._check_finite(layer, rows[part], place)
        self._finished[layer] += rows.tolist()

    def _check_finite(self, layer: str, rows: np.ndarray, place: np.ndarray) -> None:
        odd = rows[~np.isfinite(place).all(axis=1)]
        if len(odd):
            ids = [self.job.plan.stimulus_ids[row] for row in odd[:5]]
            raise AssemblyError(
                f"{self.job.name}: layer {layer} responds with NaN or infinity to {len(odd)} "
                f"stimuli: {', '.join(ids)}. Half precision overflows at 65,504; untrained "
                "layers may grow without bound. Record another layer or use float32."
            )

    def _stimulus_in(self, number: int) -> str:
        entries = next(iter(self.job.plan.entries.values()))
        return self.job.plan.stimulus_ids[int(entries.row[entries.sequence == number][-1])]


def _added(total: Tensor, slot: Tensor, values: Tensor) -> Tensor:
    """`total` with rows of `values` added in place, always in one order."""
    if total.is_cuda:  # there it is index_put_ that sorts first, on a CPU index_add_
        return total.index_put_((slot,), values, accumulate=True)
    return total.index_add_(0, slot, values)


def _parts_of(entries: Entries, count: int) -> np.ndarray:
    """Number of sequences that each row depends on."""
    pairs = np.unique(np.stack([entries.row, entries.sequence]), axis=1)
    return np.bincount(pairs[0], minlength=count)


def _places(
    entries: Entries, numbers: Sequence[int], lacking: np.ndarray, device: torch.device
) -> _Places:
    """The entries of a batch of sequences whose rows are lacking."""
    # numbers ascend, as entries do
    chosen = np.concatenate(
        [np.arange(*np.searchsorted(entries.sequence, [number, number + 1])) for number in numbers]
    )
    chosen = chosen[lacking[entries.row[chosen]]]
    rows, slot = np.unique(entries.row[chosen], return_inverse=True)
    sequence = np.searchsorted(numbers, entries.sequence[chosen])
    pairs = np.unique(np.stack([slot, sequence]), axis=1)
    plain = (
        len(rows) == len(chosen)
        and bool((np.diff(slot) > 0).all())
        and bool((entries.weight[chosen] == 1).all())
    )

    def there(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    return _Places(
        there(sequence),
        there(entries.position[chosen]),
        there(entries.column[chosen]),
        there(slot),
        there(entries.weight[chosen]),
        rows,
        np.bincount(pairs[0], minlength=len(rows)),
        plain,
    )
