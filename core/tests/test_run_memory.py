"""Memory: limits, what cells are predicted to take, plans that fit, and batches that fit."""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from corteval import store as stores
from corteval.commitment import LayerCommitment
from corteval.memory import Limit, limits
from corteval.requests import Recording
from corteval.run import probes
from corteval.run.cells import Cell
from corteval.run.failures import kind_of
from corteval.run.fitting import fitted, is_scarce
from corteval.run.index import Row
from corteval.run.one_batch import TooLittleMemory
from corteval.run.one_batch import fitted as with_fitting_batches
from corteval.run.plan import Known, Plan, Task
from corteval.run.prediction import Predictions
from corteval.testing import toys

GB = 10**9


def system(root, files):
    for name, text in {"proc/meminfo": "MemAvailable: 9000000 kB\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {limit.name.removeprefix(f"the control group {root}"): limit for limit in limits(root)}


def group(folder, most, used, cached=0, version=2):
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    else:
        names = ("memory.max", "memory.current", "inactive_file")
    return {
        f"{folder}/{names[0]}": f"{most}\n",
        f"{folder}/{names[1]}": f"{used}\n",
        f"{folder}/memory.stat": f"anon 5\n{names[2]} {cached}\n",
    }


def test_every_control_group_above_the_process_binds_it_in_version_2(tmp_path):
    found = system(
        tmp_path,
        {
            "proc/self/cgroup": "0::/job/step\n",
            **group("sys/fs/cgroup/job", 5 * GB, 4 * GB),
            **group("sys/fs/cgroup/job/step", "max", GB),
        },
    )
    assert found["/sys/fs/cgroup/job"].bytes_left == GB
    assert "/sys/fs/cgroup/job/step" not in found  # it says "max"


def test_version_1_is_read_where_its_controller_is(tmp_path):
    found = system(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu:/other\n4:cpuacct,memory:/a/b\n0::/\n",
            **group("sys/fs/cgroup/memory/a/b", 3 * GB, GB, version=1),
        },
    )
    assert found["/sys/fs/cgroup/memory/a/b"].bytes_left == 2 * GB


@pytest.mark.parametrize("version", [1, 2])
def test_what_the_kernel_caches_of_files_is_not_used_up(tmp_path, version):
    folder = "sys/fs/cgroup/memory" if version == 1 else "sys/fs/cgroup"
    files = group(folder, 3 * GB, 3 * GB, cached=2 * GB, version=version)
    assert system(tmp_path, files)[f"/{folder}"].bytes_left == 2 * GB


def test_a_group_that_is_over_its_limit_leaves_nothing_and_not_less(tmp_path):
    found = system(tmp_path, group("sys/fs/cgroup", GB, 2 * GB))
    assert found["/sys/fs/cgroup"].bytes_left == 0


def test_a_group_by_the_name_it_has_on_the_host_is_that_of_the_container(tmp_path):
    files = {"proc/self/cgroup": "0::/docker/1a2b\n", **group("sys/fs/cgroup", 2 * GB, GB)}
    assert system(tmp_path, files)["/sys/fs/cgroup"].bytes_left == GB


@pytest.mark.parametrize("text", ["", "nonsense", "0::/../../../etc\n", "0:memory\n"])
def test_what_cannot_be_read_sets_no_limit(tmp_path, text):
    found = system(tmp_path, {"proc/self/cgroup": text, "sys/fs/cgroup/memory.max": "?"})
    assert found["the machine"].bytes_left == 9_000_000 * 1024


def test_the_address_space_that_is_left_is_a_limit():
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2);"
        "from corteval.memory import tightest; print(*tightest(), sep='|')"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    name, left = out.strip().split("|")
    assert name == "ulimit -v" and 10**9 < int(left) < 2 * 10**9
    unlimited = resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    assert ("ulimit -v" in [limit.name for limit in limits()]) is not unlimited


# Predictions


def row(model, benchmark, peak, status="scored", seconds=1.0):
    return Row("n", "f", "k", model, benchmark, status, 0.5, seconds, peak, 1)


def grid(models, benchmarks, noise=0.0, seed=0):
    """Peaks that are sums of what the benchmark and what the model takes."""
    rng = np.random.default_rng(seed)
    return [
        row(m, b, round((own + beside) * float(np.exp(noise * rng.standard_normal()))))
        for m, own in models.items()
        for b, beside in benchmarks.items()
    ]


MODELS = {"small": 200 * 10**6, "middle": 900 * 10**6, "large": 6 * GB}
BENCHMARKS = {"light": 300 * 10**6, "heavy": 2 * GB}


@pytest.mark.parametrize("probed", [None, MODELS])
def test_sums_of_model_and_benchmark_are_predicted_exactly(probed):
    for out in grid(MODELS, BENCHMARKS):
        rows = [r for r in grid(MODELS, BENCHMARKS) if r != out]
        if probed is None:  # by three models the medians are those of what is left
            rows += grid({f"more {n}": own for n, own in enumerate(MODELS.values())}, BENCHMARKS)
        found = Predictions.of(rows, probed).peak_bytes(out.model, out.benchmark)
        assert found == pytest.approx(out.peak_bytes, rel=0.35 if probed is None else 1e-9)


def test_a_model_without_any_record_is_predicted_by_its_probe():
    rows = [r for r in grid(MODELS, BENCHMARKS) if r.model != "large"]
    assert Predictions.of(rows, MODELS).peak_bytes("large", "heavy") == 8 * GB
    assert Predictions.of(rows).peak_bytes("large", "heavy") < 4 * GB  # by the others alone


def test_a_benchmark_without_any_record_is_predicted_by_the_probe_and_a_worker():
    found = Predictions.of([], MODELS).peak_bytes("large", "never run")
    assert 6 * GB < found < 7 * GB
    assert Predictions.of([], {}).peak_bytes("large", "never run") is None


def test_failed_cells_predict_nothing():
    rows = [row("small", "light", 10, status="failed"), row("small", "light", 10, "undefined")]
    assert Predictions.of(rows).peak_bytes("small", "light") is None


def test_predictions_of_a_grid_with_noise_are_within_a_factor_of_two():
    """Row 9 of the fault table, on a synthetic grid: each cell is predicted by the others."""
    rng = np.random.default_rng(1)
    models = {f"m{n}": float(own) for n, own in enumerate(10 ** rng.uniform(8, 9.8, 12))}
    benchmarks = {f"b{n}": float(x) for n, x in enumerate(10 ** rng.uniform(8.3, 9.3, 10))}
    rows = grid(models, benchmarks, noise=0.2)
    probed = {m: round(own * float(rng.uniform(0.7, 1.3))) for m, own in models.items()}
    good = 0
    for out in rows:
        others = [r for r in rows if r is not out]
        predicted = Predictions.of(others, probed).peak_bytes(out.model, out.benchmark)
        good += 0.5 <= predicted / out.peak_bytes <= 2
    assert good / len(rows) >= 0.9


# Plans that fit


def plan(**peaks):
    known = tuple(
        Known(cell=Cell(model=m, benchmark="b"), key=m, state="missing", peak_bytes=peak)
        for m, peak in peaks.items()
    )
    tasks = tuple(Task(kind="score", cells=(k.cell,), keys=(k.key,)) for k in known)
    together = Task(kind="ceiling", cells=tuple(k.cell for k in known), keys=("x",) * len(known))
    return Plan(
        models=tuple(peaks),
        benchmarks=("b",),
        seed=0,
        isolation="process",
        known=known,
        tasks=(together, *tasks),
    )


def test_a_cell_that_cannot_fit_is_refused_with_the_limit_and_its_tasks_are_left_out():
    limit = Limit("the control group /sys/fs/cgroup", 2 * GB)
    found = fitted(plan(a=GB, b=3 * GB, c=None), workers=4, limit=limit)
    (refused,) = found.refused
    assert refused.cell.model == "b" and refused.state == "failed"
    assert "3.0 GB" in refused.reason and "2.0 GB" in refused.reason
    assert "the control group /sys/fs/cgroup" in refused.reason
    assert [t.kind for t in found.plan.tasks] == ["ceiling", "score", "score"]
    assert {t.model for t in found.plan.tasks} == {"", "a", "c"}
    assert found.workers == 2


@pytest.mark.parametrize(("left", "workers"), [(GB, 1), (2 * GB, 2), (3 * GB, 3), (9 * GB, 4)])
def test_as_many_workers_as_fit_are_started(left, workers):
    found = fitted(plan(a=GB), workers=4, limit=Limit("the machine", left))
    assert found.workers == workers and not found.refused


def test_memory_is_scarce_by_the_worker():
    limit = Limit("the machine", 10 * GB)
    assert not is_scarce(limit, 2) and is_scarce(limit, 4)


# Probes


def test_a_probe_is_kept_until_the_model_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path))
    with toys.registered():
        key = probes.key_of_model("toy-vision")
        made = probes.Probe(model="toy-vision", key=key, one_bytes=5, batch_bytes=9, rows=32)
        probes.keep(made)
        assert probes.saved(["toy-vision", "nobody"]) == {"toy-vision": made}
        assert made.peak_bytes == 9
        (file,) = (tmp_path / "probes").iterdir()
        file.write_text(json.dumps({**json.loads(file.read_text()), "key": "another"}))
        assert probes.saved(["toy-vision"]) == {}
        file.write_text("{")
        assert probes.saved(["toy-vision"]) == {}


# Batches


@dataclass(frozen=True, kw_only=True)
class Growing:
    """An extractor whose memory grows with the batch."""

    batch_rows: int | None = None
    shown: tuple = ()

    def rows_of_batch(self, trials):
        return 64

    def units(self, layer):
        return {"neuroid_id": np.array(["0"])}

    def __call__(self, stimuli, wanted):
        yield {layer: np.zeros((len(stimuli), 1), np.float32) for layer in wanted}

    def prepare(self, stimuli, layers):
        assert stores.active() is None  # nothing of a probe is kept
        COUNTS.append(len(stimuli))


COUNTS = []


def batches(left, *, held=GB, alone=GB, each=10**8, **extractor):
    """Rows of a batch of a model that takes `alone` for one stimulus and `each` for one more."""
    COUNTS.clear()
    model = LayerCommitment(
        identifier="growing", extractor=Growing(**extractor), layers={"IT": "x"}
    )

    def peak_of(do):
        do()
        return held, held + alone + each * (COUNTS[-1] - 1)

    limit = Limit("the control group", left)
    found = with_fitting_batches(
        model, toys.images(9), [Recording("IT")], peak_of=peak_of, limit=limit
    )
    return found.extractor.batch_rows


def test_where_memory_is_plentiful_nothing_is_measured():
    assert batches(5 * 2**30) is None and COUNTS == []


def test_a_batch_that_fits_stays_as_it_is():
    assert batches(4 * GB, each=10**6) is None and COUNTS == [1, 4]


def test_a_batch_is_made_as_small_as_the_memory_that_was_measured_wants_it():
    assert batches(3 * GB) == 8  # 0.8 * 3 GB = 1 GB + 14 * 0.1 GB, in halves of 64


def test_a_size_that_somebody_has_set_stays():
    assert batches(2 * GB, batch_rows=16) == 16 and COUNTS == []


def test_one_stimulus_that_cannot_fit_is_refused_with_the_numbers():
    with pytest.raises(TooLittleMemory, match=r"growing takes 1.0 GB .* leaves 500.0 MB") as error:
        batches(GB // 2)
    assert kind_of(error.value) == "memory"
