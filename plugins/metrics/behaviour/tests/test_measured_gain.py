import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm
from sklearn.linear_model import LinearRegression

from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import normalize
from corteval.stats.splits import Split
from corteval_behaviour import DeltaLogLikelihood, HumanDeltaLogLikelihood, attainable_gain

WORDS = 1200
OPTIONS = {"nuisance": "length", "spill_over": 1, "skip_first": 2, "drop_first_word": False}


def experiment(seed=0, readers=20):
    """True mean reading times of words of twelve stories, and means of readers with noise."""
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 12, WORDS)
    true = 300 + 3 * length + rng.normal(0, 20, WORDS)
    sd = rng.uniform(60, 120, WORDS)
    columns = {
        "stimulus_id": [f"w{n:04d}" for n in range(WORDS)],
        "story": np.arange(WORDS) // 100,
        "position": np.arange(WORDS) % 100 + 1,
        "length": length,
        "sd_ms": sd,
        "n": np.full(WORDS, readers),
    }
    coords = {name: ("presentation", column) for name, column in columns.items()}
    measured = true + rng.normal(0, sd / np.sqrt(readers))
    return (xr.DataArray(v, dims=["presentation"], coords=coords) for v in (true, measured))


def test_the_gain_is_that_of_normal_densities_in_plain_loops():
    _, measured = experiment()
    x, y = measured["length"].values[:, None], measured.values
    noise = measured["sd_ms"].values ** 2 / 20
    half = np.arange(WORDS // 2)
    split = Split(half, half + WORDS // 2)
    model = LinearRegression().fit(x[split.train], y[split.train])
    sd = np.sqrt(np.mean((y[split.train] - model.predict(x[split.train])) ** 2))
    v = noise[split.train].mean()
    for row, found in zip(
        split.test[:50], attainable_gain(x, y, noise, [split])[split.test], strict=False
    ):
        expected = norm.expect(
            lambda e: norm.logpdf(e, 0, np.sqrt(v)), loc=0, scale=np.sqrt(noise[row])
        )
        known = norm.logpdf(y[row], model.predict(x[[row]])[0], sd)
        assert found == pytest.approx(expected - known, abs=1e-6)


def test_who_knows_the_true_means_is_at_the_ceiling():
    shares = []
    for seed in range(20):
        true, measured = experiment(seed)
        score = DeltaLogLikelihood(**OPTIONS, resamples=0)(true, measured)
        ceiling = HumanDeltaLogLikelihood(**OPTIONS, resamples=0)(measured)
        shares.append(normalize(score, ceiling).value)
    assert np.mean(shares) == pytest.approx(1, abs=0.06)  # 3 standard errors
    assert np.std(shares) < 0.1


def test_score_and_ceiling_use_the_same_words_splits_and_draws():
    true, measured = experiment()
    options = {**OPTIONS, "resample_by": "story", "resamples": 20}
    score = DeltaLogLikelihood(**options)(true, measured[::-1])
    ceiling = HumanDeltaLogLikelihood(**options)(measured)
    assert score.raw.splits == ceiling.splits
    assert score.raw.replicates[0].draw == ceiling.replicates[0].draw
    assert HumanDeltaLogLikelihood(**options)(measured[::-1]).value == pytest.approx(ceiling.value)
    assert normalize(score, ceiling).normalization == "r/c"


def test_more_readers_leave_more_to_gain():
    few, many = (
        HumanDeltaLogLikelihood(**OPTIONS, resamples=0)([*experiment(readers=n)][1]).value
        for n in (10, 80)
    )
    assert many > few + 0.5


def test_what_is_missing_is_named():
    _, measured = experiment()
    metric = HumanDeltaLogLikelihood(**OPTIONS, resamples=0)
    with pytest.raises(AssemblyError, match="there is no sd_ms"):
        metric(measured.drop_vars("sd_ms"))
    with pytest.raises(UndefinedScore, match="fewer than two readers"):
        metric(measured.assign_coords(n=("presentation", np.ones(WORDS))))
    with pytest.raises(UndefinedScore, match="predicted exactly"):
        metric(measured.assign_coords(sd_ms=("presentation", np.zeros(WORDS))))
