import numpy as np
import pytest
import xarray as xr

from corteval.errors import OptionError, UndefinedScore
from corteval_behaviour import HumanShapeBias, ShapeBias, shape_bias

KINDS = np.array(["bird", "boat", "car", "cat"])
SHAPE, TEXTURE = KINDS[np.random.default_rng(0).integers(4, size=(2, 80))]


def trials(*choices):
    count = len(choices)
    coords = {
        "stimulus_id": np.tile([f"s{n:02d}" for n in range(80)], count),
        "subject": np.repeat([f"h{n}" for n in range(count)], 80),
        "truth": np.tile(SHAPE, count),
        "texture": np.tile(TEXTURE, count),
    }
    return xr.DataArray(
        np.concatenate(choices),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def decided(seed, bias):
    generator = np.random.default_rng(seed)
    toss = generator.random(80)
    other = KINDS[generator.integers(4, size=80)]
    return np.where(toss < bias, SHAPE, np.where(toss < 0.9, TEXTURE, other))


def loops(choices):
    shape = texture = 0
    for choice, s, t in zip(choices, SHAPE, TEXTURE, strict=True):
        if s != t:
            shape += choice == s
            texture += choice == t
    return shape / (shape + texture)


HUMANS = [decided(n, 0.7 + 0.02 * n) for n in range(6)]


def test_shape_bias_counts_decisions_in_conflict():
    choices = decided(9, 0.4)
    assert shape_bias(choices, SHAPE, TEXTURE) == pytest.approx(loops(choices))


def test_shape_bias_takes_lists():
    assert shape_bias(["cat", "dog", "na"], ["cat", "cat", "cat"], ["dog"] * 3) == 0.5


def test_shape_bias_refuses_lists_of_other_lengths():
    with pytest.raises(OptionError, match=r"shapes \(2,\), \(1,\) and \(2,\)"):
        shape_bias(["cat", "dog"], ["cat"], ["dog", "cat"])


def test_without_decisions_there_is_no_bias():
    assert np.isnan(shape_bias(np.full(80, "na"), SHAPE, TEXTURE))


def test_the_score_is_the_mean_similarity_to_the_biases_of_subjects():
    source = decided(9, 0.4)
    b = np.array([loops(h) for h in HUMANS])
    expected = 1 - np.abs(loops(source) - b) / np.maximum(b, 1 - b)
    score = ShapeBias(resamples=0)(trials(source), trials(*HUMANS))
    np.testing.assert_allclose(score.samples.values, expected)
    assert score.value == pytest.approx(expected.mean())


def test_the_ceiling_compares_subjects_with_one_another():
    b = [loops(h) for h in HUMANS]
    pairs = [
        1 - abs(b[i] - b[j]) / max(b[j], 1 - b[j]) for i in range(6) for j in range(6) if i != j
    ]
    assert HumanShapeBias(resamples=0)(trials(*HUMANS)).value == pytest.approx(np.mean(pairs))


def test_a_source_that_never_chooses_shape_or_texture_is_undefined():
    with pytest.raises(UndefinedScore, match="neither shape nor texture in any of 480"):
        ShapeBias()(trials(np.full(80, "na")), trials(*HUMANS))
