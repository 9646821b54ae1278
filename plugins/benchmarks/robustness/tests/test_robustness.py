import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import corteval
from corteval import registry
from corteval.cards import DataCard
from corteval.cli import cli
from corteval.errors import OptionError, UndefinedScore
from corteval.model import record
from corteval.requests import Recording
from corteval.stimuli import StimulusSet
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_robustness import robustness_of
from corteval_robustness.accuracy import accuracy, require_recognised
from corteval_robustness.features import recorded_features
from corteval_robustness.labelled import divided, labelled
from corteval_robustness.support_vectors import PENALTIES, classified, standardised

IDENTIFIERS = (
    "Shapes.robustness-accuracy",
    "Shapes.robustness.V1-accuracy",
    "Shapes.robustness.IT-accuracy",
)
SMALL = {"objects": 8, "views": 2, "side_pixels": 32}


def small(target="V1", **options):
    chosen = {
        "together": "object_id",
        "corruptions": ("gaussian_noise", "contrast"),
        "severities": (2, 5),
        "test_images": 32,
        "data_options": SMALL,
        "resamples": 200,
    }
    return robustness_of("Shapes", target=target, **{**chosen, **options})


@pytest.fixture(scope="module")
def images():
    return labelled(registry.data.create("Shapes", **SMALL).stimuli(), "label", "object_id")


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_benchmark_asks_for_what_its_card_says(identifier):
    benchmark = registry.benchmarks.create(identifier)
    (request,) = benchmark.requests()
    if benchmark.card.target == "probabilities":
        assert type(request).__name__ == "Probabilities"
        assert list(request.fit.table.columns) == ["label", "object_id"]
    else:
        assert request == Recording(benchmark.card.target)
    assert len(benchmark.stimuli()) == 40 * (1 + 11 * 3)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_subject_that_cannot_do_the_task_is_not_asked(identifier):
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert "does not support" in score.reason


def test_the_true_generator_keeps_all_it_recognises():
    benchmark = small()
    score = corteval.score(ReplaySubject(responses=benchmark.ideal_responses(1)), benchmark)
    assert (score.value, score.raw.value, score.ceiling.value) == (1, 1, 1)
    assert score.samples.dims == ("corruption", "severity")
    assert (score.samples == 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_responses_are_not_recognised(seed):
    benchmark = small()
    ideal = ReplaySubject(responses=benchmark.ideal_responses(1))
    score = corteval.score(shuffled(ideal, seed), benchmark)
    assert score.status == "undefined" or score.raw.value < 0.125 + 0.15
    assert score.status != "undefined" or "undisturbed images are recognised" in score.reason


def test_half_of_the_corrupted_images_confused_halves_the_score():
    benchmark = small()
    ideal = benchmark.ideal_responses(1)
    table = benchmark.stimuli().table
    values = ideal.values.copy()
    ids = list(ideal["stimulus_id"].values)
    hidden = table.index[table["corruption"] == "contrast"]
    labels = sorted(table["label"].unique())
    for stimulus_id in hidden:  # each is shown as the next label
        row = ids.index(stimulus_id)
        values[row] = np.roll(np.eye(8)[labels.index(table.at[stimulus_id, "label"])], 1)
    score = corteval.score(ReplaySubject(responses=ideal.copy(data=values)), benchmark)
    assert score.raw.value == 0.5
    assert score.value == pytest.approx((0.5 - 1 / 8) / (1 - 1 / 8))
    assert score.samples.sel(corruption="contrast").values.tolist() == [0, 0]
    assert score.interval.low == pytest.approx(score.interval.high)  # in every object alike


def test_probabilities_are_those_of_scikit_learn_on_the_same_pixels():
    benchmark = small("probabilities")
    score = corteval.score("pixels", benchmark)
    model = registry.models.create("pixels")
    (request,) = benchmark.requests()
    x, y = (record(model, s, "IT").values.astype(float) for s in (request.fit, benchmark.stimuli()))
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=1e-3, solver="newton-cg")
    ).fit(x, request.fit.table["label"].to_numpy(str))
    table = benchmark.stimuli().table
    right = pd.Series(classifier.predict(y) == table["label"].to_numpy(str), table.index)
    clean = right[table["corruption"] == "none"].mean()
    spoilt = right[table["corruption"] != "none"].mean()
    assert score.raw.value == pytest.approx(spoilt)
    assert score.ceiling.value == pytest.approx(clean)
    assert score.value == pytest.approx((spoilt - 1 / 8) / (clean - 1 / 8))
    by_cell = right.groupby([table["corruption"], table["severity"]]).mean()
    for name in ("gaussian_noise", "contrast"):
        for severity in (2, 5):
            found = score.samples.sel(corruption=name, severity=severity)
            assert float(found) == pytest.approx(by_cell[name, severity])
    assert f"accuracy {clean:.3f} on 32 images as they are" in " ".join(score.notes)


def test_scores_repeat_and_their_raw_value_does_not_depend_on_the_seed():
    first, again, other = (
        corteval.score("gabor-colour", small("probabilities", seed=seed)) for seed in (0, 0, 5)
    )
    assert first.interval is not None
    assert first.interval == again.interval
    assert first.value == again.value == other.value
    assert first.interval != other.interval


def test_no_object_is_both_fitted_and_tested(images):
    fit, test = divided(images, test_share=0.25, test_images=40, seed=3)
    assert not set(fit.objects) & set(test.objects)
    assert sorted(set(test.labels)) == sorted(set(images.labels))
    counts = pd.Series(test.labels).value_counts()
    assert counts.max() == counts.min() == 4  # two objects with two views each, of 8 labels


def test_the_division_does_not_depend_on_the_order_of_images(images):
    turned = images.select(images.stimuli.stimulus_ids[::-1])
    for part, other in zip(
        *(divided(i, test_share=0.25, test_images=16, seed=3) for i in (images, turned)),
        strict=True,
    ):
        assert set(part.stimuli.stimulus_ids) == set(other.stimuli.stimulus_ids)


def test_a_set_without_enough_objects_is_refused(images):
    one = images.select([i for i in images.stimuli.stimulus_ids if "-00-" in i or "disc" in i])
    with pytest.raises(OptionError, match="has 1 object"):
        divided(one, test_share=0.25, test_images=40, seed=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"label": "category"}, "no column 'category'"),
        ({"together": "car"}, "no column 'car'"),
        ({"severities": (0,)}, "Severities are"),
        ({"corruptions": ("snow",)}, "no corruption 'snow'"),
        ({"corruptions": ()}, "at least one corruption"),
        ({"test_share": 1.0}, "between 0 and 1"),
    ],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(OptionError, match=words):
        corteval.score("pixels", small("probabilities", **options))


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(OptionError, match="together"):
        robustness_of("Shapes", colour="red")


def test_a_registered_set_of_a_lab_can_be_scored(tmp_path, monkeypatch):
    shapes = registry.data.create("Shapes", objects=3, views=3, side_pixels=32).stimuli()
    rows = []
    for stimulus_id in shapes.stimulus_ids:
        label = shapes.table.at[stimulus_id, "label"]
        if label in ("disc", "ring", "star"):
            Image.fromarray(shapes.image(stimulus_id)).save(tmp_path / f"{stimulus_id}.png")
            rows.append({"stimulus_id": stimulus_id, "path": str(tmp_path / f"{stimulus_id}.png"),
                         "category": label})  # fmt: skip

    class Lab:
        def stimuli(self):
            table = pd.DataFrame(rows).set_index("stimulus_id")
            return StimulusSet(identifier="MyObjects", modality="image", table=table)

        def assembly(self):
            raise NotImplementedError

    monkeypatch.setitem(sys.modules, "lab_objects", SimpleNamespace(Lab=Lab))
    card = DataCard(identifier="MyObjects", factory="lab_objects:Lab", summary="", licence="own")
    with registry.data.temporary(card):
        benchmark = robustness_of(
            "MyObjects", "category", corruptions=("jpeg",), severities=(1,), test_images=12
        )
        score = corteval.score("pixels", benchmark)
    assert score.benchmark == "MyObjects.robustness-accuracy"
    assert score.status in ("scored", "undefined")
    assert len(benchmark.stimuli()) == 2 * 6  # a quarter of nine images of each label


def test_the_command_line_scores_it_and_says_when_it_cannot():
    result = CliRunner().invoke(
        cli, ["score", "sentence-length", "Shapes.robustness-accuracy", "--json"]
    )
    found = json.loads(result.stdout)
    assert (result.exit_code, found["status"]) == (0, "not-applicable")
    assert "Probabilities" in found["reason"]


def test_support_vectors_are_those_of_scikit_learn_with_the_best_penalty(images):
    fit, test = divided(images, test_share=0.25, test_images=32, seed=0)
    model = registry.models.create("gabor-colour")
    x, y = (record(model, p.stimuli, "IT").values.astype(float) for p in (fit, test))
    found = classified(x, fit.labels, fit.objects, y)
    a, b = standardised(x, y)
    possible = {c: SVC(C=c, kernel="linear").fit(a, fit.labels).predict(b) for c in PENALTIES}
    same = [c for c, answers in possible.items() if (answers == found).all()]
    assert same
    assert (found == test.labels).mean() > 0.3


def test_a_penalty_cannot_be_chosen_with_one_object_of_a_label():
    x = np.eye(4)
    with pytest.raises(OptionError, match="of one label there is 1"):
        classified(x, np.array(list("aabb")), np.array(list("1233")), x)


def test_standardised_units_have_no_mean_and_constant_ones_vanish():
    x = np.random.default_rng(0).normal(3, 2, (50, 6))
    x[:, 2] = 7
    found, again = standardised(x, x[:5])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose((found**2).sum(axis=1).mean(), 5 / 6)
    assert not found[:, 2].any()
    np.testing.assert_array_equal(found[:5], again)


def test_a_sample_of_units_is_the_same_for_all_stimuli_and_in_any_order():
    stimuli = registry.data.create("Shapes", **SMALL).stimuli()
    ids = stimuli.stimulus_ids[:6]
    model = registry.models.create("pixels")
    some = recorded_features(model, stimuli.select(ids), Recording("V1"), 20)
    turned = recorded_features(model, stimuli.select(ids[::-1]), Recording("V1"), 20)
    every = recorded_features(model, stimuli.select(ids), Recording("V1"), 1000)
    assert some.shape == (6, 20)
    assert every.shape == (6, 196)
    np.testing.assert_array_equal(some, turned[::-1])
    assert all((every == column[:, None]).all(axis=0).any() for column in some.T)


def test_the_error_is_that_of_a_mean_over_objects():
    right = np.random.default_rng(0).integers(0, 2, (12, 4)).astype(float)
    found = accuracy(right, np.arange(12).astype(str), what="", resamples=4000, seed=0)
    each = right.mean(axis=1)
    assert found.value == pytest.approx(each.mean())
    assert found.error == pytest.approx(each.std(ddof=1) / np.sqrt(12))
    (drawn,) = found.replicates
    assert np.std(drawn.values) == pytest.approx(each.std() / np.sqrt(12), rel=0.05)
    assert (drawn.scope, drawn.sizes) == ("objects", (12,))


def test_guessing_is_no_recognition():
    right = np.zeros(40)
    right[:5] = 1  # an eighth
    with pytest.raises(UndefinedScore, match="5 of 40 undisturbed images"):
        require_recognised(right, 8)
    right[:20] = 1
    require_recognised(right, 8)


@pytest.mark.slow
@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_controls_recognise_the_images_and_lose_some(identifier):
    score = corteval.score("gabor-colour", identifier)
    assert score.ceiling.value > 0.3
    assert 0 < score.value < 1
