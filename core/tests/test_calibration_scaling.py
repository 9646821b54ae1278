"""How often intervals of scaling laws with a shift, or of two sizes, hold what made the losses."""

import numpy as np
import pytest
from scipy import stats

from corteval.stats.scaling import PARAMETERS, ScalingLaw, fit_scaling

ROUNDS, DRAWS, NOISE = 60, 40, 0.02


def among_chance(share, count, nominal=0.95):
    """Whether 999 of 1000 sets of `count` rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], count, nominal) / count
    return low <= share <= high


def one_size(rng):
    del rng  # sizes are those of a sweep
    return [np.logspace(0, 4, 25)]


def two_sizes(rng):
    return [*10 ** rng.uniform(0, 3, (2, 30))]


LAWS = {
    "shifted": ([np.log(0.4), np.log(0.5), 0.4, 0.7], one_size),
    "two": ([np.log(0.3), np.log(0.6), 0.5, np.log(0.4), 0.3], two_sizes),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", LAWS)
def test_intervals_and_bands_of_laws_of_more_parameters_cover(form, record_testsuite_property):
    """Errors of 2 % in sizes over three or four orders of magnitude; fits start at the truth."""
    truth, sizes_of = LAWS[form]
    law_that_made = ScalingLaw(
        form=form, values=tuple(truth), scales=(1.0,) * (1 + (form == "two")), objective=0, rows=0
    )
    covered, of_band = np.zeros(len(truth)), []
    for seed in range(ROUNDS):
        rng = np.random.default_rng([seed, len(truth)])
        sizes = sizes_of(rng)
        true = law_that_made.loss(*sizes)
        measured = true * np.exp(NOISE * rng.standard_normal(len(true)))
        law = fit_scaling(measured, *sizes, form=form, starts=[truth], resamples=DRAWS, seed=seed)
        low, high = np.transpose([*law.intervals().values()])
        covered += (low <= truth) & (truth <= high)
        lower, upper = law.band(*sizes)
        of_band.append(np.mean((lower <= true) & (true <= upper)))
    for name, times in zip(PARAMETERS[form], covered, strict=True):
        record_testsuite_property(f"{form}: coverage of {name}", times / ROUNDS)
        assert among_chance(times / ROUNDS, ROUNDS)
    record_testsuite_property(f"{form}: coverage of the band", np.mean(of_band))
    assert 0.9 <= np.mean(of_band) <= 0.99
