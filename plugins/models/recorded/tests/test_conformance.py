import numpy as np
import pytest

from corteval.testing import toys
from corteval_recorded import Options, shelf


@pytest.fixture(scope="module", autouse=True)
def recordings(home, tmp_path_factory):
    """Responses and probabilities to all toy stimuli of the kit, as a user would add them."""
    folder, rng = tmp_path_factory.mktemp("records"), np.random.default_rng(0)
    shown = [toys.images(), toys.sentences(), toys.passages()]
    ids = [stimulus_id for stimuli in shown for stimulus_id in stimuli.stimulus_ids]
    np.savez(
        folder / "timed.npz",
        responses=rng.standard_normal((len(ids), 5, 2, 3)),
        stimulus_id=ids,
        neuroid_id=[f"n{n}" for n in range(5)],
        neuroid_channel=np.arange(5),
        time_bin_start_ms=[70, 170],
        time_bin_end_ms=[170, 270],
    )
    table = "stimulus_id,trial,a,b\n" + "".join(
        f"{name},{trial},{rng.random()},{rng.random()}\n" for name in ids for trial in (1, 2)
    )
    (folder / "wide.csv").write_text(table)
    shelf.add(folder / "timed.npz", "toy-timed", Options(targets=("IT",)))
    shelf.add(folder / "wide.csv", "toy-wide", Options(targets=("*",), policy="each"))
    yield
    for name in ("toy-timed", "toy-wide"):
        shelf.remove(name)


@pytest.mark.conformance("recorded/example", "recorded/toy-timed", "recorded/toy-wide")
def test_conformance(identifier, check):
    check(identifier)
