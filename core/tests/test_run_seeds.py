"""Stochastic models: a list of seeds is a list of models, whose records are the same everywhere."""

import os
from importlib.util import find_spec

import pytest
from core.tests.test_run_dask import contents
from core.tests.test_run_faults import HERE, World

from corteval.run.records import Records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="processes are those of POSIX systems"),
]
NAMES = "noisy:seed=0,noisy:seed=1,noisy:seed=2"


@pytest.fixture
def world(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "noisy_models.py").write_text((HERE / "noisy_models.py").read_text())
    return World(tmp_path, plugins)


def test_seeds_have_scores_of_their_own_that_no_executor_changes(world):
    homes = {name: world.home.with_name(name) for name in ("serial", "local", "pull", "dask")}
    if find_spec("distributed") is None:  # the extra corteval[dask]
        del homes["dask"]
    executors = {"serial": "serial", "local": "local", "dask": "dask://local", "pull": "none"}
    for name, home in homes.items():
        more = {"CORTEVAL_HOME": str(home)}
        pull = name == "pull"
        report = world.run(
            NAMES, "--executor", executors[name], "--workers", "2", code=3 * pull, **more
        )
        if pull:
            both = [world.start("worker", "--run", report["folder"], **more) for _ in range(2)]
            codes = [(p.communicate(timeout=240), p.returncode)[1] for p in both]
            assert codes == [0, 0]
    found = [contents(home) for home in homes.values()]
    assert len(found[0]) == 3
    assert all(other == found[0] for other in found[1:])
    kept = Records(homes["serial"] / "records")
    values = {r.cell.model: r.score.value for r in map(kept.read, kept.paths())}
    assert {*values} == {*NAMES.split(",")}
    assert len({*values.values()}) == 3


def test_a_second_attempt_draws_the_noise_of_the_first(world):
    undisturbed = {"CORTEVAL_HOME": str(world.home.with_name("undisturbed"))}
    world.run(NAMES, "--workers", "1", **undisturbed)
    (world.home.parent / "die-1").touch()
    world.run(NAMES, "--workers", "1")
    retries = {model: r.measured.retries for (model, _), r in world.records().items()}
    assert retries == {"noisy:seed=0": 0, "noisy:seed=1": 1, "noisy:seed=2": 0}
    assert contents(world.home) == contents(world.home.with_name("undisturbed"))


def test_threads_change_no_score_beyond_rounding(world):
    values = []
    for threads in ("1", "4"):
        more = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        home = world.home.with_name(f"threads {threads}")
        world.run("noisy:seed=0", "--workers", "1", CORTEVAL_HOME=str(home), **more)
        kept = Records(home / "records")
        (record,) = map(kept.read, kept.paths())
        values.append(record.score.value)
    assert values[0] == pytest.approx(values[1], abs=1e-5)
