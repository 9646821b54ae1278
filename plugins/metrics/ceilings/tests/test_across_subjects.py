"""Subjects in the place of trials: reliability of a mean over subjects."""

import numpy as np
import pytest
from sklearn.model_selection import ShuffleSplit

from corteval import registry
from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore

SUBJECTS, STIMULI = 6, 80


def recorded(neuroids=4, noise=1.0, regions=2, seed=0):
    """(stimulus, region) signal, and neuroids of subjects that add noise to it."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((STIMULI, regions))
    rows = [(f"s{s}", n % regions, n) for s in range(SUBJECTS) for n in range(neuroids)]
    values = signal[:, [r for _, r, _ in rows]] + noise * rng.standard_normal((STIMULI, len(rows)))
    whole = neural(
        values,
        [f"i{n:03d}" for n in range(STIMULI)],
        {
            "neuroid_id": [f"{s}.{n}" for s, _, n in rows],
            "subject": [s for s, _, _ in rows],
            "region": [f"r{r}" for _, r, _ in rows],
        },
    )
    return signal, whole


def means(whole, region=None):
    """(stimulus, subject) of plain selections."""
    names = np.unique(whole["subject"].values)
    kept = np.ones(whole.sizes["neuroid"], bool)
    if region is not None:
        kept = whole["region"].values == region
    return np.stack(
        [whole.values[:, kept & (whole["subject"].values == s)].mean(1) for s in names], 1
    )


def test_halves_are_those_of_plain_loops():
    _, whole = recorded()
    found = registry.metrics.create("subject_halves", match_by="region", resamples=0)(whole)
    per_split = []
    for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(range(SUBJECTS)):
        r = [
            np.corrcoef(y[:, first].mean(1), y[:, second].mean(1))[0, 1]
            for y in (means(whole, "r0"), means(whole, "r1"))
        ]
        per_split.append(np.median([2 * x / (1 + x) for x in r]))
    assert found.value == pytest.approx(np.mean(per_split), abs=1e-12)
    assert found.quantity == "reliability"
    assert "6 subjects as trials of 2 regions" in found.method


def test_noise_ceiling_of_a_mean_over_subjects_follows_its_formula():
    """Noise: mean over stimuli of the variance over subjects; spec language 5."""
    _, whole = recorded()
    found = registry.metrics.create("subject_ncsnr", resamples=0)(whole)
    y = means(whole)
    noise = y.var(axis=1, ddof=1).mean()
    signal = max(0.0, y.var(ddof=1) - noise)
    assert found.value == pytest.approx(signal / (signal + noise / SUBJECTS), abs=1e-12)
    rooted = registry.metrics.create("subject_ncsnr", root=True, resamples=0)(whole)
    assert rooted.value == pytest.approx(np.sqrt(found.value), abs=1e-12)
    assert rooted.quantity == "correlation"


def test_the_published_ratio_of_signal_to_noise_gives_the_published_ceiling():
    """Tuckute 2024: ncsnr .30162 with five people is a ceiling of .55915 (spec language 5)."""
    rng = np.random.default_rng(1)
    stimuli, people, noise = 20000, 5, 1 / 0.30162
    signal = rng.standard_normal(stimuli)
    values = signal[:, None] + noise * rng.standard_normal((stimuli, people))
    names = [f"s{n}" for n in range(people)]
    whole = neural(
        values, [f"i{n:05d}" for n in range(stimuli)], {"neuroid_id": names, "subject": names}
    )
    found = registry.metrics.create("subject_ncsnr", root=True, resamples=0)(whole)
    assert found.value == pytest.approx(0.559154577, abs=0.02)


@pytest.mark.parametrize("identifier", ["subject_halves", "subject_ncsnr"])
def test_the_true_signal_is_at_the_ceiling(identifier):
    """r of signal and mean over subjects is the root of the reliability."""
    gaps = []
    for seed in range(20):
        signal, whole = recorded(neuroids=1, regions=1, noise=2.0, seed=seed)
        reliability = registry.metrics.create(identifier, resamples=0)(whole).value
        r = np.corrcoef(signal[:, 0], means(whole).mean(1))[0, 1]
        gaps.append(r**2 - reliability)
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(len(gaps)) + 0.02


def test_three_methods_take_the_same_assembly():
    _, whole = recorded(noise=0.5)
    for identifier in ("subject_extrapolation", "subject_halves", "subject_ncsnr"):
        estimate = registry.metrics.create(identifier, resamples=20)(whole)
        assert 0.5 < estimate.value <= 1
        assert "subjects" in estimate.method
        assert all(np.isfinite(r.values).all() for r in estimate.replicates)


def test_wrong_input_is_refused():
    _, whole = recorded()
    made = registry.metrics.create("subject_halves", match_by="region")
    with pytest.raises(AssemblyError, match="no coordinate 'subject'"):
        made(whole.drop_vars("subject"))
    with pytest.raises(AssemblyError, match="s0 has no neuroid of region r1"):
        made(whole.isel(neuroid=np.r_[0, 2, 4:24]))
    with pytest.raises(OptionError, match="no coordinate 'lobe'"):
        registry.metrics.create("subject_ncsnr", match_by="lobe")(whole)
    with pytest.raises(UndefinedScore, match="s0 alone"):
        made(whole.isel(neuroid=slice(0, 4)))
