import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import StratifiedShuffleSplit

import corteval
from corteval import registry
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


def mean_luminance_and_responses():
    """14 x 14 means of grey values, and means of six trials, as plain arrays."""
    data = registry.data.create("Cowley2023")
    stimuli = data.stimuli()
    images = np.stack([stimuli.image(i) for i in stimuli.stimulus_ids])
    x = images.mean(-1).reshape(640, 14, 8, 14, 8).mean((2, 4)).reshape(640, -1) / 255
    return x, data.assembly().values[:, :, :6].mean(axis=2)


def best_single_unit(x, y):
    chosen = np.corrcoef(x.T, y.T)[: x.shape[1], x.shape[1] :].argmax(axis=0)
    return lambda test: test[:, chosen]


def scikit_learn(make):
    return lambda x, y: make().fit(x, y).predict


@pytest.mark.parametrize(
    ("metric", "fit"),
    [
        ("pls", scikit_learn(lambda: PLSRegression(25, scale=False))),
        ("ridge", scikit_learn(lambda: Ridge(alpha=1))),
        ("ridgecv", scikit_learn(lambda: RidgeCV(alphas=VISION_ALPHAS))),
        ("neuron_to_neuron", best_single_unit),
    ],
)
def test_benchmarks_equal_plain_arrays_and_scikit_learn(metric, fit):
    x, y = mean_luminance_and_responses()
    splitter = StratifiedShuffleSplit(10, train_size=0.9, random_state=1)
    medians = []
    for train, test in splitter.split(x, np.zeros(640)):
        predicted = fit(x[train], y[train])(x[test])
        r = [np.corrcoef(predicted[:, n], y[test, n])[0, 1] for n in range(50)]
        medians.append(np.median(r))
    score = corteval.score("pixels", f"Cowley2023.V4-{metric}")
    assert score.raw.value == pytest.approx(np.mean(medians), abs=1e-7)


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
