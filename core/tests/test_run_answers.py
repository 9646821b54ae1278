"""What models answer amiss, and metrics measure amiss, across the border between processes."""

import shutil

import pytest
from core.tests.test_run_faults import BENCHMARK, HERE

from corteval import registry, settings
from corteval.cli import main
from corteval.run.records import Records

pytestmark = pytest.mark.slow
NAMES = ("toy-vision", "turned", "trials", "short", "strange", "twice", "blind", "gappy", "endless")


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Scores of all models, by model; of all metrics, by benchmark; and the exit codes."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "plugins").mkdir()
    shutil.copy(HERE / "answering_models.py", folder / "plugins")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORTEVAL_HOME", str(folder / "home"))
        patch.setenv("CORTEVAL_PLUGIN_PATH", str(folder / "plugins"))
        patch.setattr(settings, "_flags", {})
        patch.chdir(folder)
        registry.reload()
        measures = ",".join(
            f"ToyData.{n}" for n in ("above", "below", "nan", "complex", "shaped", "plain")
        )
        codes = [
            main(["run", models, benchmarks, "--executor", "serial", "-q", "--json"])
            for models, benchmarks in ((",".join(NAMES), BENCHMARK), ("toy-vision", measures))
        ]
        kept = Records(folder / "home" / "records")
        found = {(r.cell.model, r.cell.benchmark): r.score for r in map(kept.read, kept.paths())}
    registry.reload()
    assert codes == [3, 3]
    return {(m if b == BENCHMARK else b): score for (m, b), score in found.items()}


@pytest.mark.parametrize("model", ["turned", "trials"])
def test_order_and_further_trials_of_answers_change_no_score(scores, model):
    assert scores[model].status == "scored"
    assert scores[model].value == pytest.approx(scores["toy-vision"].value, abs=1e-6)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("short", "No response to 3 stimuli: "),
        ("twice", "stimulus_id repeats"),
        ("gappy", "Responses to 1 stimuli are not finite: "),
        ("endless", "Responses to 1 stimuli are not finite: "),
    ],
)
def test_answers_that_lack_repeat_or_are_not_finite_fail_with_ids(scores, model, said):
    assert scores[model].status == "failed"
    assert said in scores[model].reason


def test_answers_to_stimuli_that_nobody_showed_fail_and_name_some(scores):
    assert scores["strange"].status == "failed"
    assert "x-0" in scores["strange"].reason
    assert scores["strange"].reason.count("x-") <= 5


def test_a_model_that_sees_nothing_is_undefined_and_not_zero(scores):
    assert scores["blind"].status == "undefined"
    assert "constant" in scores["blind"].reason


def test_values_beyond_the_bounds_of_a_metric_are_kept_as_they_are(scores):
    above, below = scores["ToyData.above"], scores["ToyData.below"]
    assert (above.raw.value, below.raw.value) == (1.7, -0.4)
    # r^2 over the ceiling, with the sign of r
    assert above.value == pytest.approx(1.7**2 / above.ceiling.value)
    assert below.value == pytest.approx(-(0.4**2) / below.ceiling.value)
    said = "the raw value 1.7 is beyond the bounds -1 and 1 that the card of toy-above gives"
    assert said in above.notes
    assert not any("beyond the bounds" in note for note in below.notes)


def test_a_value_that_is_not_a_number_is_undefined(scores):
    assert scores["ToyData.nan"].status == "undefined"
    assert "gave nan, which is no number" in scores["ToyData.nan"].reason


@pytest.mark.parametrize("benchmark", ["ToyData.complex", "ToyData.shaped", "ToyData.plain"])
def test_what_is_no_number_fails(scores, benchmark):
    assert scores[benchmark].status == "failed"
    assert scores[benchmark].reason
