"""Ceilings are computed once for what determines them, and given back exactly."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from corteval import store
from corteval.ceiling_store import kept, kept_rows, source_of
from corteval.errors import UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate

ESTIMATE = Estimate(
    value=0.1 + 0.2,
    error=float("nan"),
    method="halves",
    quantity="reliability",
    splits="0" * 64,
    replicates=(
        Replicates(scope="stimuli", sizes=(3,), values=(0.1, float("nan")), seed=2, draw="ab"),
    ),
)


@pytest.fixture(autouse=True)
def shelf(tmp_path):
    with store.using(store.Store(tmp_path / "store")) as _:
        yield store.active()


class Counted:
    def __init__(self, result):
        self.result, self.calls = result, 0

    def __call__(self):
        self.calls += 1
        return self.result


def test_a_second_time_it_is_found_and_equal_in_every_field():
    compute = Counted(ESTIMATE)
    first, second = (kept({"data": "x"}, compute) for _ in range(2))
    assert compute.calls == 1
    assert repr(first) == repr(second)
    assert second.replicates[0].values[0] == 0.1
    assert np.isnan(second.replicates[0].values[1])


def test_another_key_is_computed_anew():
    compute = Counted(ESTIMATE)
    for key in ({"data": "x"}, {"data": "y"}, {"data": "x", "seed": 1}):
        kept(key, compute)
    assert compute.calls == 3


def test_rows_come_back_bit_for_bit_with_nan():
    rows = np.array([[0.1, np.nan], [1e-300, -0.0], [np.pi, 1]])
    compute = Counted(rows)
    found = [kept_rows({"data": "x"}, 3, compute) for _ in range(2)]
    assert compute.calls == 1
    assert found[1].tobytes() == rows.tobytes()
    assert kept({"data": "x"}, Counted(ESTIMATE)).value == ESTIMATE.value  # another form


def test_without_a_store_it_is_computed_each_time():
    compute = Counted(ESTIMATE)
    with store.using(None):
        kept({"data": "x"}, compute)
        kept({"data": "x"}, compute)
    assert compute.calls == 2


def test_a_ceiling_that_is_undefined_is_not_kept(shelf):
    def compute():
        raise UndefinedScore("one subject")

    for _ in range(2):
        with pytest.raises(UndefinedScore):
            kept({"data": "x"}, compute)
    assert not shelf.entries()


def test_of_several_threads_one_computes():
    compute = Counted(ESTIMATE)
    chosen = store.active()

    def ask(_):
        with store.using(chosen):
            return kept({"data": "x"}, compute).value

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(8))) == {ESTIMATE.value}
    assert compute.calls == 1


def test_a_store_that_cannot_be_written_to_costs_no_result(tmp_path, caplog):
    compute = Counted(ESTIMATE)
    (tmp_path / "file").write_text("in the way")
    with store.using(store.Store(tmp_path / "file")):
        assert kept({"data": "x"}, compute).value == ESTIMATE.value
        assert (kept_rows({"data": "x"}, 2, Counted(np.ones((2, 1)))) == 1).all()
    assert compute.calls == 1
    assert "is not kept" in caplog.text


def test_a_damaged_file_is_computed_again(shelf):
    rows = np.arange(4.0)
    kept_rows({"data": "x"}, 4, Counted(rows))
    (block,) = shelf.folder.rglob("*.npy")
    block.write_bytes(block.read_bytes()[:-1] + b"?")
    store.blocks.forget()
    compute = Counted(rows)
    assert (kept_rows({"data": "x"}, 4, compute) == rows).all()
    assert compute.calls == 1


def test_the_source_of_a_package_is_that_of_all_its_files(tmp_path, monkeypatch):
    package = tmp_path / "estimator_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mathematics.py").write_text("A = 1")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("estimator_of_a_test.mathematics")
    first = source_of("estimator_of_a_test.mathematics")
    (package / "mathematics.py").write_text("A = 2")
    from corteval import ceiling_store

    ceiling_store._source_of.cache_clear()
    assert source_of("estimator_of_a_test.mathematics") != first
    sys.modules.pop("estimator_of_a_test")
    assert source_of("corteval.stats.splits") != source_of("corteval.score")
