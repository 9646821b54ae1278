"""Reading trial by trial responses and averaging them, beside an assembly with a row a trial.

Usage: python bench/data/averaging.py [presentations repeats neuroids]

The reference is what tools of the field do: rows are presentation x repeat in the order of
recording with a MultiIndex, grouped by stimulus_id and averaged. Its netCDF has flat coordinates,
from which the MultiIndex is set up after reading. No file is compressed. Each side reads its own
file, in a process of its own. Memory is what the process adds to its start: private memory, and
apart from it pages of mapped files, which belong to the system's file cache and are given back when
memory is short.
"""

import multiprocessing
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import average_trials
from corteval.local.description import Description, Responses
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.survey import survey

DIMS = ("presentation", "neuroid", "repetition")


def write(folder, presentations, repeats, neuroids):
    """The same numbers in each layout, a part of the presentations at a time."""
    generator = np.random.default_rng(0)
    ids = [f"image{n:04d}.png" for n in range(presentations)]
    pd.DataFrame({"stimulus_id": ids, "text": ids}).to_csv(folder / "stimuli.csv", index=False)
    shape = (presentations, neuroids, repeats)
    values = np.lib.format.open_memmap(folder / "r.npy", "w+", np.float32, shape)
    for start in range(0, presentations, 100):
        part = values[start : start + 100]
        signal = generator.normal(size=(*part.shape[:2], 1))
        part[:] = signal + generator.normal(size=part.shape)
    values.flush()
    np.save(folder / "transposed.npy", np.ascontiguousarray(values.transpose(1, 0, 2)))
    stimuli = {"stimulus_id": ("presentation", ids)}
    units = {"neuroid_id": ("neuroid", [f"n{n}" for n in range(neuroids)])}
    plain = xr.DataArray(values, dims=DIMS, coords=stimuli | units, name="responses")
    plain.to_netcdf(folder / "r.nc", engine="h5netcdf")
    rows = np.ascontiguousarray(values.transpose(2, 0, 1)).reshape(-1, neuroids)
    xr.DataArray(
        rows,
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", np.tile(ids, repeats)),
            "repetition": ("presentation", np.repeat(np.arange(repeats), presentations)),
            "object_name": ("presentation", np.tile([i[:-6] for i in ids], repeats)),
            **units,
            "region": ("neuroid", ["IT"] * neuroids),
        },
        name="responses",
    ).to_netcdf(folder / "rows.nc", engine="h5netcdf")


def rows_with_multiindex(folder):
    def run():
        with xr.open_dataset(folder / "rows.nc", engine="h5netcdf") as dataset:
            rows = dataset["responses"].load()
        rows = rows.set_index(
            presentation=["stimulus_id", "repetition", "object_name"],
            neuroid=["neuroid_id", "region"],
        )
        return rows.groupby("stimulus_id").mean("presentation").values

    return run


def ours(folder, file, dims=()):
    def run():
        return average_trials(loaded(folder, file, dims)).values

    return run


def examined(folder, file, dims=()):
    def run():
        return survey(loaded(folder, file, dims)).neuroids["reliability"].to_numpy()

    return run


def loaded(folder, file, dims):
    description = Description(
        folder=folder,
        id="Bench",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(file=file, dims=dims, target="IT"),
    )
    return load_assembly(description, load_stimuli(description))


def measured(run):
    """Seconds, private and mapped megabytes above the start, and the result."""
    context = multiprocessing.get_context("fork")
    ours_end, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(run, theirs))
    process.start()
    theirs.close()
    try:
        result = ours_end.recv()
    except EOFError:
        raise SystemExit("A side died without an answer: its traceback is above.") from None
    process.join()
    return result


def _work(run, pipe):
    before, peak, done = _resident(), np.zeros(2), threading.Event()

    def watch():
        while not done.wait(0.005):
            np.maximum(peak, _resident(), out=peak)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    result = np.asarray(run())
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    private, mapped = np.maximum(peak, _resident()) - before
    pipe.send((seconds, private, mapped, result))


def _resident():
    """Private and file-backed resident megabytes."""
    status = Path("/proc/self/status").read_text()
    return np.array(
        [int(status.partition(f"{name}:")[2].split()[0]) / 1024 for name in ("RssAnon", "RssFile")]
    )


def main():
    sizes = tuple(map(int, sys.argv[1:4])) or (3200, 50, 300)
    import h5netcdf  # noqa: F401 not to be timed
    import sklearn.model_selection  # noqa: F401 not to be timed

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, *sizes)
        megabytes = (folder / "r.npy").stat().st_size / 2**20
        print(
            f"{sizes[0]} presentations x {sizes[1]} repeats x {sizes[2]} neuroids, float32: "
            f"{megabytes:.0f} MiB"
        )
        print(f"{'':52s} {'s':>7s} {'ratio':>6s} {'MiB':>6s} {'mapped':>7s} {'difference':>11s}")
        sides = {
            "rows with a MultiIndex, .nc, groupby, mean": rows_with_multiindex(folder),
            "Corteval, the same .nc": ours(folder, "rows.nc"),
            "Corteval, .nc with an axis of repeats": ours(folder, "r.nc"),
            "Corteval, .npy": ours(folder, "r.npy", DIMS),
            "Corteval, .npy, neuroids first": ours(
                folder, "transposed.npy", ("neuroid", "presentation", "repetition")
            ),
            "Corteval, .npy: the examination's survey instead": examined(folder, "r.npy", DIMS),
        }
        reference = first = None
        for title, run in sides.items():
            seconds, private, mapped, result = measured(run)
            if reference is None:
                first, reference = seconds, result
            same = result.shape == reference.shape
            gap = f"{np.abs(result - reference).max():11.1e}" if same else f"{'':>11s}"
            print(
                f"{title:52s} {seconds:7.2f} {first / seconds:6.1f} {private:6.0f} {mapped:7.0f} "
                f"{gap}",
                flush=True,
            )


if __name__ == "__main__":
    main()
