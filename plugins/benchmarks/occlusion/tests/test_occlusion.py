import json

import numpy as np
import pytest
from click.testing import CliRunner

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.errors import OptionError
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_occlusion import occlusion_of

IDENTIFIERS = tuple(
    f"Shapes.occlusion{middle}-{read}"
    for middle in ("", ".V1")
    for read in ("accuracy", "hopfield", "rnn5")
)
COMPLETIONS = ("none", "hopfield", "rnn5")


def small(completion="none", **options):
    chosen = {
        "together": "object_id",
        "completion": completion,
        "bubbles": (6, 24),
        "images_each": 1,
        "most_units": 64,
        "data_options": {"objects": 5, "views": 1, "side_pixels": 32, "ground_contrast": 0.0},
        "resamples": 200,
    }
    return occlusion_of("Shapes", **{**chosen, **options})


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_benchmark_asks_for_what_its_card_says(identifier):
    benchmark = registry.benchmarks.create(identifier)
    target = "V1" if ".V1-" in identifier else "IT"
    assert benchmark.requests() == (Recording(target),)
    assert benchmark.completion == {"accuracy": "none"}.get(*[identifier.rpartition("-")[2]] * 2)
    assert benchmark.card.chance == 1 / 8


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_subject_that_cannot_be_recorded_is_not_asked(identifier):
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert "a recording of" in score.reason


@pytest.mark.parametrize("completion", COMPLETIONS)
def test_the_true_generator_recognises_everything(completion):
    benchmark = small(completion)
    score = corteval.score(ReplaySubject(responses=benchmark.ideal_responses(1)), benchmark)
    assert score.value == 1
    assert (score.samples == 1).all()


@pytest.mark.parametrize("completion", COMPLETIONS)
def test_shuffled_responses_are_at_chance(completion):
    benchmark = small(completion)
    ideal = ReplaySubject(responses=benchmark.ideal_responses(1))
    values = [corteval.score(shuffled(ideal, seed), benchmark).value for seed in range(3)]
    assert np.mean(values) == pytest.approx(1 / 8, abs=0.1)


def test_samples_are_by_the_share_of_pixels_that_is_visible():
    benchmark = small()
    score = corteval.score("pixels", benchmark)
    table = benchmark.stimuli().table
    assert score.samples["bubbles"].values.tolist() == [6, 24]
    for row, count in enumerate((6, 24)):
        own = table[table["bubbles"] == count]
        masks = [benchmark.stimuli().images.mask(i, (32, 32)) for i in own.index]
        share = np.mean([(mask >= 0.134).mean() for mask in masks])
        assert float(score.samples["visible"][row]) == pytest.approx(share)
    assert score.value == pytest.approx(float(score.samples.mean()))
    assert score.value < 0.9


@pytest.mark.parametrize("completion", ["hopfield", "rnn5"])
def test_a_completion_is_compared_with_the_feed_forward_readout(completion):
    plain = corteval.score("pixels", small())
    notes = " ".join(corteval.score("pixels", small(completion)).notes)
    assert f"without completion {plain.value:.3f}: it adds " in notes


@pytest.mark.parametrize("completion", COMPLETIONS)
def test_scores_repeat_and_their_value_does_not_depend_on_the_seed(completion):
    first, again, other = (corteval.score("pixels", small(completion, seed=s)) for s in (0, 0, 5))
    assert (first.value, first.interval) == (again.value, again.interval)
    assert first.value == other.value
    assert first.interval != other.interval


def test_only_whole_images_of_other_objects_are_fitted_on(monkeypatch):
    from corteval_occlusion import benchmark as module

    seen = []

    def watched(fit, labels, objects, test, *, seed):
        seen.append((len(fit), set(objects), len(test)))
        return np.resize(labels, len(test))

    monkeypatch.setattr(module, "classified", watched)
    benchmark = small()
    corteval.score("pixels", benchmark)
    assert len(seen) == 5
    for count, objects, tested in seen:
        assert count == len(objects) == 32  # whole images of four of five objects of each label
        assert tested == 8 * (1 + 2)
    left_out = [set(benchmark.stimuli().table["object_id"]) - objects for _, objects, _ in seen]
    assert set.union(*left_out) == set(benchmark.stimuli().table["object_id"])


def test_a_set_with_fewer_objects_than_folds_is_refused():
    with pytest.raises(OptionError, match="4 objects; 5 folds"):
        corteval.score("pixels", small(data_options={"objects": 4, "views": 1}))
    with pytest.raises(OptionError, match="at least 1"):
        corteval.score("pixels", small(bubbles=(0,)))


def test_the_command_line_says_when_it_cannot():
    result = CliRunner().invoke(cli, ["score", "vonenet-v1", "Shapes.occlusion-hopfield", "--json"])
    found = json.loads(result.stdout)
    assert (result.exit_code, found["status"]) == (0, "not-applicable")
    assert "a recording of IT" in found["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("identifier", IDENTIFIERS[:3])
def test_a_control_recognises_whole_images_and_fewer_occluded_ones(identifier):
    score = corteval.score("pixels", identifier)
    assert 0.1 < score.value < 0.4
    assert float(score.samples[-1]) > float(score.samples[0])  # more is visible
