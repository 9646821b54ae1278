"""One pass of a network over stimuli: everything wanted is recorded and streamed into the store.

Stimuli are shown once for each different content, in the order of their digests, so neither their
order nor their names change a batch. Threads decode and pre-process ahead of the network; outputs
go from its hooks into the block being filled; a full block is written while the network runs on.
Blocks lie within groups of rows, and a group is on the disk before the next begins, so a process
killed at any moment loses at most one group of rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from corteval import hooks
from corteval.errors import AssemblyError
from corteval.store import Artifact
from corteval_pytorch.halving import in_halves
from corteval_pytorch.noise import presentation_seeds
from corteval_pytorch.taps import recording

#: Rows of a group: what a killed process may have to compute again.
GROUP = 256

#: A block holds a power of two of rows, as many as fit into this.
_BLOCK_BYTES = 16 * 2**20

#: Most bytes of full blocks that wait to be written.
_WAITING_BYTES = 128 * 2**20

#: Batches that are decoded ahead of the network.
_AHEAD = 2


def rows_per_block(row_bytes: int) -> int:
    """Rows of a block: a power of two up to `GROUP`."""
    fitting = max(1, min(GROUP, _BLOCK_BYTES // max(1, row_bytes)))
    return int(1 << (fitting.bit_length() - 1))


class Selection(NamedTuple):
    """What of a layer's output is kept.

    Args:
        reduce: maps an output (row, ...) to features (row, feature), on the network's device.
        width: number of features.
    """

    reduce: Callable[[Tensor], Tensor]
    width: int


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What a pass needs to know.

    Args:
        network: in evaluation mode while it runs.
        name: for progress.
        load: prepares the stimulus of a row, in any thread.
        batch: makes the network's input of prepared stimuli.
        stimulus_ids: of the rows, for messages.
        streams: what to record.
        calls_of: number of calls of modules in a forward pass, where it is known.
        batch_rows: rows of a batch; halved when memory runs out.
        trials: of each row.
        seeds: of the trials of a row, for stochastic networks; None draws nothing.
        around: context of every forward pass: numerical type, perturbations.
        workers: threads that prepare stimuli.
    """

    network: nn.Module
    name: str
    load: Callable[[int], Any]
    batch: Callable[[list[Any]], Any]
    stimulus_ids: Sequence[str]
    streams: Mapping[str, Stream]
    calls_of: Mapping[str, int]
    batch_rows: int
    trials: int = 1
    seeds: Callable[[int], list[int]] | None = None
    around: Callable[[], Any]
    workers: int


@dataclass
class Stream:
    """A layer on its way into an artifact, block by block.

    Args:
        artifact: where it goes.
        selection: what of the output is kept.
        row_shape: of one row in the artifact: (feature) or (trial, feature).
        missing: blocks to fill.
    """

    artifact: Artifact
    selection: Selection
    row_shape: tuple[int, ...]
    missing: frozenset[int]
    _open: dict[int, np.ndarray] = field(default_factory=dict)
    _filled: dict[int, int] = field(default_factory=dict)

    def lacks(self, row: int) -> bool:
        """Whether `row` lies in a missing block."""
        return row // self.artifact.identity.rows_per_block in self.missing

    def segments(self, rows: Sequence[int]) -> Iterator[tuple[slice, np.ndarray]]:
        """Parts of a batch and the places in open blocks they go to; rows ascend."""
        size = self.artifact.identity.rows_per_block
        blocks = np.asarray(rows) // size
        cuts = np.flatnonzero((np.diff(rows) != 1) | (np.diff(blocks) != 0)) + 1
        for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            block = int(blocks[start])
            if block in self.missing:
                offset = rows[start] - block * size
                yield slice(start, stop), self._block(block)[offset : offset + stop - start]

    def finished(self, rows: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Blocks that are full now that `rows` are recorded; they are handed over."""
        size = self.artifact.identity.rows_per_block
        for block, count in zip(
            *np.unique(np.asarray(rows) // size, return_counts=True), strict=True
        ):
            if int(block) not in self._open:
                continue
            self._filled[int(block)] = self._filled.get(int(block), 0) + int(count)
            if self._filled[int(block)] == len(self._open[int(block)]):
                del self._filled[int(block)]
                yield int(block), self._open.pop(int(block))

    def _block(self, block: int) -> np.ndarray:
        if block not in self._open:
            size = self.artifact.identity.rows_per_block
            rows = min(size, self.artifact.identity.rows - block * size)
            self._open[block] = np.empty((rows, *self.row_shape), np.float32)
        return self._open[block]


def run(job: Pass) -> None:
    """Fill the missing blocks of all streams.

    Raises:
        AssemblyError: for responses that are not finite, with layer and stimuli.
        CortevalError: when a single stimulus does not fit into memory.
    """
    rows = [
        row
        for row in range(len(job.stimulus_ids))
        if any(stream.lacks(row) for stream in job.streams.values())
    ]
    if not rows:
        return
    batch_rows = max(1, job.batch_rows // max(1, job.trials))
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(evaluating(job.network))
        stack.enter_context(job.around())
        writer = stack.enter_context(writing())
        recorder = stack.enter_context(_Recorder.on(job))
        total = len(job.stimulus_ids)
        done = total - len(rows)  # what an earlier run has stored
        for batch, inputs in _prepared(job, list(_batches(rows, batch_rows))):
            writer.wait_for_group(batch[0] // GROUP)
            recorder.forward(batch, inputs)
            for stream in job.streams.values():
                for block, values in stream.finished(batch):
                    writer.submit(stream.artifact, block, values)
            done += len(batch)
            hooks.notify(hooks.Progress(f"{job.name}: forward pass", done, total, "stimuli"))


def _batches(rows: Sequence[int], size: int) -> Iterator[list[int]]:
    """`rows` in order, in batches that do not cross groups."""
    batch: list[int] = []
    for row in rows:
        if batch and (len(batch) == size or batch[-1] // GROUP != row // GROUP):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _prepared(job: Pass, batches: Sequence[list[int]]) -> Iterator[tuple[list[int], list[Any]]]:
    """Batches with their prepared stimuli, some of them ahead of the network."""
    pool = ThreadPoolExecutor(job.workers, "corteval-decode")
    try:
        waiting: deque[tuple[list[int], list[Future[Any]]]] = deque()
        for batch in batches:
            waiting.append((batch, [pool.submit(job.load, row) for row in batch]))
            if len(waiting) > _AHEAD:
                ready, futures = waiting.popleft()
                yield ready, [future.result() for future in futures]
        while waiting:
            ready, futures = waiting.popleft()
            yield ready, [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Recorder:
    """Runs the network on batches, and puts what its hooks see into the streams."""

    def __init__(self, job: Pass) -> None:
        self.job = job
        self.rows: list[int] = []
        self.seen: set[str] = set()
        self.largest = len(job.stimulus_ids)
        self.calls: Any = None

    @classmethod
    @contextmanager
    def on(cls, job: Pass) -> Iterator[_Recorder]:
        """With hooks on the network."""
        recorder = cls(job)
        with recording(job.network, list(job.streams), recorder.keep, job.calls_of) as calls:
            recorder.calls = calls
            yield recorder

    def forward(self, rows: list[int], prepared: list[Any]) -> None:
        """Show `rows`; when memory runs out, in halves."""
        self.largest = in_halves(
            len(rows),
            lambda part: self._show(rows[part], prepared[part]),
            largest=self.largest,
            name=self.job.name,
            stimulus=lambda number: self.job.stimulus_ids[rows[number]],
            advice="Use a smaller input size, fewer layers, dtype='bfloat16' or another device.",
        )

    def keep(self, layer: str, output: Tensor) -> None:
        """Put the output of `layer` for the current rows into its blocks."""
        stream, trials = self.job.streams[layer], self.job.trials
        count = len(self.rows)
        if len(output) not in {count, count * trials}:
            raise AssemblyError(
                f"Layer {layer} returns {len(output)} rows for {count} stimuli; a layer whose rows "
                "are not stimuli cannot be recorded."
            )
        self.seen.add(layer)
        features = stream.selection.reduce(output)
        natural = features.shape[1:]
        if len(stream.row_shape) == 2:  # (trial, feature); before noise, the same in all trials
            by_trial = len(output) == count * trials
            features = (
                features[:, None] if not by_trial else features.reshape(count, trials, *natural)
            )
        for part, place in stream.segments(self.rows):
            target = torch.from_numpy(place).view(len(place), *stream.row_shape[:-1], *natural)
            target.copy_(features[part])
            with np.errstate(invalid="ignore", over="ignore"):
                total = place.sum()
            if not np.isfinite(total):
                self._check_finite(layer, self.rows[part], place)

    def _show(self, rows: list[int], prepared: list[Any]) -> None:
        job = self.job
        self.rows, self.seen = rows, set()
        inputs = job.batch(prepared)
        if job.seeds is None:
            self.calls.forward(job.network, inputs)
        else:
            seeds = [seed for row in rows for seed in job.seeds(row)]
            with presentation_seeds(seeds, job.trials):
                self.calls.forward(job.network, inputs)
        silent = [layer for layer in job.streams if layer not in self.seen]
        if silent:
            raise AssemblyError(
                f"{job.name}: {', '.join(silent[:3])} did not run in the forward pass, or not so "
                "often. Name a layer that the network calls."
            )
        if self.calls.stop_after is None:
            self.calls.stop_after = self.calls.events

    def _check_finite(self, layer: str, rows: Sequence[int], place: np.ndarray) -> None:
        finite = np.isfinite(place.reshape(len(rows), -1)).all(axis=1)
        if not finite.all():
            ids = [
                self.job.stimulus_ids[row]
                for row, fine in zip(rows, finite, strict=True)
                if not fine
            ]
            raise AssemblyError(
                f"{self.job.name}: layer {layer} responds with NaN or infinity to {len(ids)} "
                f"stimuli: {', '.join(ids[:5])}. Half precision overflows at 65,504; untrained "
                "layers may grow without bound. Record another layer or use float32."
            )


class Writer:
    """Writes blocks in a thread of its own, and raises what went wrong there."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._waiting: deque[tuple[int, Future[None]]] = deque()
        self._group: int | None = None

    def submit(self, artifact: Artifact, block: int, values: np.ndarray) -> None:
        """Write a block soon; wait if too much waits already."""
        while self._waiting and sum(size for size, _ in self._waiting) > _WAITING_BYTES:
            self._waiting.popleft()[1].result()
        self._waiting.append((values.nbytes, self._pool.submit(artifact.write, block, values)))

    def wait_for_group(self, group: int) -> None:
        """Have everything of the groups before on the disk."""
        if group != self._group:
            self.drain()
            self._group = group

    def drain(self) -> None:
        """Wait for everything."""
        while self._waiting:
            self._waiting.popleft()[1].result()


@contextmanager
def writing() -> Iterator[Writer]:
    """A writer that is done with everything in the end."""
    with ThreadPoolExecutor(1, "corteval-write") as pool:
        writer = Writer(pool)
        yield writer
        writer.drain()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards whatever mode every module was in."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
