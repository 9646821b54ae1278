import itertools

import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.data.noise import cov_from_unbalanced
from rsatoolbox.rdm import calc_rdm
from sklearn.covariance import ledoit_wolf

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_similarity import crossnobis_rdm, euclidean_rdm, noise_covariance


def trials(stimuli=9, units=6, count=5, noise=1.0, seed=0):
    generator = np.random.default_rng(seed)
    signal = generator.standard_normal((stimuli, units, 1))
    mixing = generator.standard_normal((units, units))
    spread = generator.standard_normal((stimuli, units, count))
    return signal + noise * np.einsum("uv,svt->sut", mixing, spread)


def ragged(**options):
    values = trials(**options)
    values[0, :, 3:] = np.nan
    values[4, :, 1] = np.nan
    return values


def dataset(values):
    """Every trial there was, as an observation of rsatoolbox."""
    stimulus, trial = np.nonzero(~np.isnan(values).any(axis=1))
    return Dataset(
        values[stimulus, :, trial], obs_descriptors={"stimulus": stimulus, "trial": trial}
    )


@pytest.mark.parametrize("noise", ["ledoit-wolf", "none"])
def test_distances_equal_rsatoolbox(noise):
    values = trials()
    covariance = noise_covariance(values, noise)
    peer = calc_rdm(
        dataset(values),
        method="crossnobis",
        descriptor="stimulus",
        cv_descriptor="trial",
        noise=np.linalg.inv(covariance),
    )
    ours = crossnobis_rdm(values, covariance)
    np.testing.assert_allclose(ours, peer.dissimilarities[0], atol=1e-12)


@pytest.mark.parametrize(
    ("noise", "method"), [("ledoit-wolf", "shrinkage_eye"), ("diagonal", "diag")]
)
@pytest.mark.parametrize("values", [trials(), ragged()])
def test_noise_covariances_equal_rsatoolbox(noise, method, values):
    peer = cov_from_unbalanced(dataset(values), "stimulus", method=method)
    np.testing.assert_allclose(noise_covariance(values, noise), peer, atol=1e-12)


def test_shrinkage_equals_scikit_learn():
    values = trials()
    residuals = (values - values.mean(axis=2, keepdims=True)).transpose(0, 2, 1).reshape(45, 6)
    expected = ledoit_wolf(residuals, assume_centered=True)[0] * 45 / 36
    np.testing.assert_allclose(noise_covariance(values), expected, atol=1e-12)


def test_ragged_distances_average_over_all_pairs_of_different_trials():
    values = ragged()
    ours = crossnobis_rdm(values)
    present = ~np.isnan(values).any(axis=1)

    def product(i, j):
        pairs = itertools.product(np.flatnonzero(present[i]), np.flatnonzero(present[j]))
        return np.mean([values[i, :, m] @ values[j, :, k] for m, k in pairs if m != k])

    for pair, (i, j) in enumerate(itertools.combinations(range(len(values)), 2)):
        expected = (product(i, i) + product(j, j) - 2 * product(i, j)) / 6
        assert ours[pair] == pytest.approx(expected, abs=1e-12)


def test_distances_are_unbiased():
    signal, generator = trials(noise=0.0, count=1), np.random.default_rng(1)
    there = np.where(np.isnan(ragged()), np.nan, 0.0)
    repeats = [signal + there + generator.standard_normal(there.shape) for _ in range(400)]
    estimates = [crossnobis_rdm(values) for values in repeats]
    error = np.std(estimates, axis=0) / np.sqrt(len(estimates))
    bias = np.mean(estimates, axis=0) - euclidean_rdm(signal[:, :, 0])
    assert (np.abs(bias) < 4.5 * error).all()


def test_distances_of_noise_lie_on_both_sides_of_zero():
    values = trials() - trials(noise=0.0)
    distances = crossnobis_rdm(values, noise_covariance(values))
    assert distances.min() < 0 < distances.max()


def test_a_linear_change_of_units_does_not_move_whitened_distances():
    values, mixing = trials(), np.random.default_rng(5).standard_normal((6, 6))
    covariance = np.cov(trials().reshape(9, 6, 5).transpose(0, 2, 1).reshape(45, 6).T)
    moved = np.einsum("uv,svt->sut", mixing, values)
    np.testing.assert_allclose(
        crossnobis_rdm(moved, mixing @ covariance @ mixing.T),
        crossnobis_rdm(values, covariance),
        atol=1e-9,
    )


def test_fewer_than_two_trials_of_a_stimulus_are_refused():
    values = trials()
    values[2, :, 1:] = np.nan
    with pytest.raises(UndefinedScore, match=r"1 of 9 stimuli .* number 3"):
        crossnobis_rdm(values)


def test_trials_without_some_units_are_refused():
    values = trials()
    values[2, 1, 1] = np.nan
    with pytest.raises(AssemblyError, match="1 trials have responses of some neuroids only"):
        crossnobis_rdm(values)


def test_trials_that_never_differ_have_no_noise_to_scale_by():
    with pytest.raises(UndefinedScore, match="6 of 6 units respond alike in all trials"):
        noise_covariance(np.repeat(trials(count=1), 3, axis=2))


def test_a_unit_without_noise_has_no_variance_to_divide_by():
    values = trials()
    values[:, 2] = values[:, 2, :1]
    with pytest.raises(UndefinedScore, match=r"1 of 6 units"):
        noise_covariance(values, "diagonal")


def test_one_unit_is_enough():
    values = trials(units=1)
    residuals = values - values.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(noise_covariance(values), [[(residuals**2).sum() / 36]])


def test_unknown_noise_is_refused():
    with pytest.raises(OptionError, match="ledoit-wolf, diagonal, none"):
        noise_covariance(trials(), "pink")


def test_a_covariance_with_a_negative_eigenvalue_is_refused():
    with pytest.raises(AssemblyError, match="positive definite"):
        crossnobis_rdm(trials(), np.diag([1.0, 1, 1, 1, 1, -1]))
