import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_contour_integration.thresholds import half_loss_level

IDENTIFIERS = (
    "GaborContours.integration-accuracy",
    "GaborContours.integration.V1-accuracy",
    "GaborContours.integration.IT-accuracy",
)
SMALL = {"data_options": {"fit_contours": 12, "test_contours": 4, "side_pixels": 64}}


def small(identifier=IDENTIFIERS[1], **options):
    return registry.benchmarks.create(identifier, **{**SMALL, "resamples": 200, **options})


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_benchmark_asks_for_what_its_card_says(identifier):
    benchmark = small(identifier)
    (request,) = benchmark.requests()
    if benchmark.card.target == "probabilities":
        assert len(request.fit) == 48
        assert sorted(set(request.fit.table["label"])) == ["circle", "square", "star", "triangle"]
    else:
        assert request == Recording(benchmark.card.target)
    assert benchmark.card.chance == 1 / 4


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_subject_that_cannot_do_the_task_is_not_asked(identifier):
    score = corteval.score(RefusingSubject(), small(identifier))
    assert score.status == "not-applicable"
    assert "does not support" in score.reason


def test_the_true_generator_recognises_everything():
    benchmark = small()
    score = corteval.score(ReplaySubject(responses=benchmark.ideal_responses(1)), benchmark)
    assert score.value == 1
    assert "gaps beyond 0.6" in " ".join(score.notes)


def test_shuffled_responses_are_at_chance():
    benchmark = small()
    ideal = ReplaySubject(responses=benchmark.ideal_responses(1))
    values = [corteval.score(shuffled(ideal, seed), benchmark).value for seed in range(4)]
    assert np.mean(values) == pytest.approx(1 / 4, abs=0.07)


def test_samples_are_by_disturbance_and_level():
    benchmark = small()
    score = corteval.score("gabor-colour", benchmark)
    assert score.samples["disturbance"].values.tolist()[0] == "none"
    assert score.samples.sizes["condition"] == 1 + 4 * 3
    assert score.value == pytest.approx(float(score.samples[1:].mean()))


def test_scores_repeat_and_their_value_does_not_depend_on_the_seed():
    first, again, other = (corteval.score("gabor-colour", small(seed=s)) for s in (0, 0, 5))
    assert (first.value, first.interval) == (again.value, again.interval)
    assert first.value == other.value
    assert first.interval != other.interval


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ((1.0, 0.9, 0.75, 0.25), 2 + 0.125 / 0.5),  # half of the way is .625
        ((1.0, 1.0, 1.0, 0.9), np.inf),
        ((0.25, 0.25, 0.25, 0.25), np.nan),
        ((0.75, 0.85, 0.25, 0.25), 1 + (0.8 - 0.525) / (0.8 - 0.25)),  # .75 and .85 are pooled
    ],
)
def test_half_of_the_advantage_is_lost_where_the_line_crosses(accuracies, expected):
    found = half_loss_level(np.arange(4.0), np.array(accuracies), 0.25)
    assert found == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0, 0.9))
def test_a_level_lies_within_those_shown_or_there_is_none(accuracies, chance):
    levels = np.arange(len(accuracies), dtype=float)
    found = half_loss_level(levels, np.array(accuracies), chance)
    assert np.isnan(found) or np.isinf(found) or 0 <= found <= levels[-1]


def test_the_command_line_says_when_it_cannot():
    result = CliRunner().invoke(
        cli, ["score", "vonenet-v1", "GaborContours.integration-accuracy", "--json"]
    )
    found = json.loads(result.stdout)
    assert (result.exit_code, found["status"]) == (0, "not-applicable")
    assert "Probabilities" in found["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("identifier", IDENTIFIERS[:2])
def test_orientation_tells_contours_apart_and_luminance_does_not(identifier):
    energy, pixels = (corteval.score(name, identifier) for name in ("gabor-colour", "pixels"))
    assert float(energy.samples[0]) > 0.85  # undisturbed
    assert energy.value > 0.6
    assert pixels.value == pytest.approx(1 / 4, abs=0.1)
