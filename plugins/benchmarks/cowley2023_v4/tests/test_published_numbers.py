import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.model_selection import StratifiedShuffleSplit

import corteval
from corteval import registry
from corteval.errors import UndefinedScore
from corteval_regression import VISION_ALPHAS

pytestmark = pytest.mark.usefixtures("mirror")


@pytest.mark.parametrize(("metric", "raw"), [("pls", 0.2188448), ("ridge", 0.2012482)])
def test_pixels_score_what_independent_code_computed(metric, raw, reference):
    score = corteval.score("pixels", f"Cowley2023.V4-{metric}")
    published = reference("real_data_numbers.json")["brainscore_metrics_on_these_data"]
    for name, estimate in ((metric, score.raw), ("internal_consistency_first6reps", score.ceiling)):
        key = f"V4_210325|pixel14|{name}" if name == metric else f"V4_210325|{name}"
        assert estimate.value == pytest.approx(published[key]["score"], abs=1e-6)
        assert estimate.error == pytest.approx(published[key]["error"], abs=1e-6)
    assert score.raw.value == pytest.approx(raw, abs=1e-6)
    assert score.value == pytest.approx(score.raw.value**2 / score.ceiling.value)
    assert score.normalization == "r^2/c"


def mean_luminance_and_responses(identifier="Cowley2023"):
    """14 x 14 means of grey values, and means of six trials or of all, as plain arrays."""
    data = registry.data.create(identifier)
    stimuli = data.stimuli()
    images = np.stack([stimuli.image(i) for i in stimuli.stimulus_ids])
    x = images.mean(-1).reshape(len(images), 14, 8, 14, 8).mean((2, 4)) / 255
    y = data.assembly().values
    return x.reshape(len(images), -1), y if y.ndim == 2 else y[:, :, :6].mean(axis=2)


def best_single_unit(x, y):
    chosen = np.corrcoef(x.T, y.T)[: x.shape[1], x.shape[1] :].argmax(axis=0)
    return lambda test: test[:, chosen]


def scikit_learn(make):
    return lambda x, y: make().fit(x, y).predict


@pytest.mark.parametrize(
    ("benchmark", "fit"),
    [
        ("V4-pls", scikit_learn(lambda: PLSRegression(25, scale=False))),
        ("V4-ridge", scikit_learn(lambda: Ridge(alpha=1))),
        ("V4-ridgecv", scikit_learn(lambda: RidgeCV(alphas=VISION_ALPHAS))),
        ("V4-linear", scikit_learn(LinearRegression)),
        ("V4-neuron_to_neuron", best_single_unit),
        ("201025-ridge", scikit_learn(lambda: Ridge(alpha=1))),
        ("190923-ridge", scikit_learn(lambda: Ridge(alpha=1))),
    ],
)
def test_benchmarks_equal_plain_arrays_and_scikit_learn(benchmark, fit):
    (data,) = registry.benchmarks.card(f"Cowley2023.{benchmark}").data
    x, y = mean_luminance_and_responses(data)
    splitter = StratifiedShuffleSplit(10, train_size=0.9, random_state=1)
    medians = []
    for train, test in splitter.split(x, np.zeros(len(x))):
        predicted = fit(x[train], y[train])(x[test])
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, y[test].T, strict=True)]
        medians.append(np.median(r))
    score = corteval.score("pixels", f"Cowley2023.{benchmark}")
    assert score.raw.value == pytest.approx(np.mean(medians), abs=1e-7)


def rdm(patterns):
    return (1 - np.corrcoef(patterns))[np.triu_indices(len(patterns), 1)]


def debiased_hsic(k, m):
    """Song et al. 2012, equation 5, for matrices with a diagonal of zero."""
    n, ones = len(k), np.ones(len(k))
    fixed = (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
    return (np.trace(k @ m) + fixed - 2 * ones @ k @ m @ ones / (n - 2)) / (n * (n - 3))


def debiased_cka(x, y):
    k, m = x @ x.T, y @ y.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    return debiased_hsic(k, m) / np.sqrt(debiased_hsic(k, k) * debiased_hsic(m, m))


def test_rdms_of_pixels_and_v4_correlate_as_independent_code_found(reference):
    published = reference("real_data_numbers.json")["brainscore_metrics_on_these_data"]
    score = corteval.score("pixels", "Cowley2023.V4-rdm")
    assert score.value == pytest.approx(published["V4_210325|pixel14|rdm"]["score"], abs=1e-6)
    x, y = mean_luminance_and_responses()
    assert score.value == pytest.approx(spearmanr(rdm(x), rdm(y)).statistic, abs=1e-6)


def test_cka_of_pixels_and_v4_equals_the_formula():
    x, y = mean_luminance_and_responses()
    score = corteval.score("pixels", "Cowley2023.V4-cka")
    assert score.value == pytest.approx(debiased_cka(x, y), abs=1e-7)


@pytest.mark.parametrize("benchmark", ["V4-rdm", "V4-cka", "201025-ridge", "190923-ridge"])
def test_without_a_ceiling_scores_are_raw_and_averaged_with_no_others(benchmark):
    made = registry.benchmarks.create(f"Cowley2023.{benchmark}")
    assert (made.card.ceiling, made.card.parent) == (None, None)
    score = corteval.score("pixels", made)
    assert score.value == score.raw.value
    assert score.interval.low < score.value < score.interval.high
    assert any(note.startswith("not normalised: ") for note in score.notes)
    assert any("one animal, so" in note or "only means over" in note for note in score.notes)
    with pytest.raises(UndefinedScore, match="no ceiling"):
        made.ceiling()


@pytest.mark.parametrize(
    ("compare", "mean"),
    [(lambda x, y: spearmanr(rdm(x), rdm(y)).statistic, 0.609), (debiased_cka, 0.633)],
)
def test_halves_of_the_trials_agree_as_the_readme_says(compare, mean):
    trials = registry.data.create("Cowley2023").assembly().values[:, :, :6]
    halves = [(first, [t for t in range(6) if t not in first])
              for first in itertools.combinations(range(6), 3) if 0 in first]  # fmt: skip
    found = [compare(*(trials[:, :, list(h)].mean(2) for h in both)) for both in halves]
    assert np.mean(found) == pytest.approx(mean, abs=6e-4)


def test_gabor_energy_explains_more_of_v4_than_pixels():
    pixels, gabor = (
        corteval.score(model, "Cowley2023.V4-ridge") for model in ("pixels", "gabor-filterbank")
    )
    assert gabor.interval.low > pixels.interval.high


def test_the_seed_moves_the_interval_and_nothing_else():
    first, second = (corteval.score("pixels", "Cowley2023.V4-ridge", seed=s) for s in (0, 1))
    assert first.value == second.value
    assert first.interval != second.interval
    assert second.interval.seed == 1
