import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_behaviour import DeltaLogLikelihood, delta_log_likelihood

WORDS = 400
GENERATOR = np.random.default_rng(0)
LENGTH, FREQUENCY, SURPRISAL, NOISE = GENERATOR.standard_normal((4, WORDS))
STORY = np.arange(WORDS) // 80
PLACE = np.arange(WORDS) % 80 + 1


def before(values, n=1):
    """Value of the word n places before, in the same story."""
    return np.array([values[i - n] if i % 80 >= n else np.nan for i in range(WORDS)])


def coords():
    columns = {
        "stimulus_id": [f"w{n:03d}" for n in range(WORDS)],
        "story": [f"story-{n}" for n in STORY],
        "position": PLACE,
        "word_within_sentence_id": np.arange(WORDS) % 16 + 1,
        "length": LENGTH,
        "log_frequency": FREQUENCY,
    }
    return {name: ("presentation", column) for name, column in columns.items()}


def assembly(values):
    return xr.DataArray(values, dims=["presentation"], coords=coords())


def reading(effect=1.0, spill=0.0):
    carried = np.nan_to_num(before(SURPRISAL))
    return 300 + 2 * LENGTH - FREQUENCY + effect * SURPRISAL + spill * carried + NOISE


def gain(nuisance, predictor, values, splits):
    """By scikit-learn and scipy, word by word."""
    found = np.zeros(len(values))
    for train, test in splits:
        for sign, x in ((1, np.column_stack([nuisance, predictor])), (-1, nuisance)):
            model = LinearRegression().fit(x[train], values[train])
            sd = np.sqrt(np.mean((values[train] - model.predict(x[train])) ** 2))
            found[test] += sign * norm.logpdf(values[test], model.predict(x[test]), sd)
    return found


def test_the_gain_is_that_of_held_out_normal_densities():
    nuisance = np.column_stack([LENGTH, FREQUENCY])
    splits = list(GroupKFold(5, shuffle=True, random_state=1).split(nuisance, groups=STORY))
    from corteval.stats.splits import Split

    found = delta_log_likelihood(
        nuisance, SURPRISAL[:, None], reading(), [Split(*split) for split in splits]
    )
    np.testing.assert_allclose(found, gain(nuisance, SURPRISAL, reading(), splits), atol=1e-9)


def test_the_score_holds_out_stories_and_knows_the_words_before():
    columns = [LENGTH, FREQUENCY, PLACE]
    nuisance = np.column_stack([*columns, *(before(c, n) for n in (1, 2) for c in columns)])
    predictor = np.column_stack([SURPRISAL, before(SURPRISAL), before(SURPRISAL, 2)])
    kept = np.isfinite(nuisance).all(axis=1) & (np.arange(WORDS) % 16 != 0)
    splitter = GroupKFold(5, shuffle=True, random_state=1)
    splits = list(splitter.split(nuisance[kept], groups=STORY[kept]))
    expected = gain(nuisance[kept], predictor[kept], reading()[kept], splits)
    score = DeltaLogLikelihood(resamples=0)(assembly(SURPRISAL)[::-1], assembly(reading()))
    np.testing.assert_allclose(score.samples.values, expected, atol=1e-9)
    assert score.value == pytest.approx(expected.mean())
    assert score.raw.quantity == "log likelihood"
    assert len(score.raw.splits) == 64


def test_a_known_effect_gains_half_the_log_of_the_ratio_of_variances():
    score = DeltaLogLikelihood(spill_over=0, resamples=0)(assembly(SURPRISAL), assembly(reading()))
    assert score.value == pytest.approx(0.5 * np.log(2), abs=0.08)


def test_a_predictor_that_is_noise_gains_nothing():
    noise = np.random.default_rng(3).standard_normal(WORDS)
    score = DeltaLogLikelihood(resamples=0)(assembly(noise), assembly(reading()))
    assert -0.05 < score.value < 0.01


def test_a_predictor_that_nuisance_explains_gains_nothing():
    score = DeltaLogLikelihood(spill_over=0, resamples=0)(
        assembly(2 * LENGTH - FREQUENCY), assembly(reading(effect=0))
    )
    assert score.value == pytest.approx(0, abs=1e-9)


def test_spill_over_is_found_only_if_the_words_before_are_known():
    times = assembly(reading(effect=0, spill=1))
    with_it, without = (
        DeltaLogLikelihood(spill_over=n, resamples=0)(assembly(SURPRISAL), times).value
        for n in (1, 0)
    )
    assert with_it > 0.2 > 0.02 > without


def test_replicates_are_means_over_drawn_words():
    target = assembly(reading())
    place = "presentation", np.arange(target.sizes["presentation"])
    target = target.drop_vars("story").assign_coords(position=place)
    score = DeltaLogLikelihood(resamples=3000)(assembly(SURPRISAL), target)
    (made,) = score.raw.replicates
    assert made.scope == "stimuli"
    assert np.std(made.values) == pytest.approx(score.raw.error, rel=0.08)
    assert "independent" in score.notes[0]


def test_without_position_words_before_are_not_known():
    target = assembly(reading()).drop_vars("position")
    with pytest.raises(AssemblyError, match="coordinate 'position'"):
        DeltaLogLikelihood(nuisance=("length",))(assembly(SURPRISAL), target)


def test_a_constant_source_is_undefined():
    with pytest.raises(UndefinedScore, match="does not vary"):
        DeltaLogLikelihood()(assembly(np.ones(WORDS)), assembly(reading()))


def test_one_nuisance_may_be_named_alone():
    metric = DeltaLogLikelihood(nuisance="length", resamples=0)
    assert metric == DeltaLogLikelihood(nuisance=("length",), resamples=0)


def test_words_without_words_before_them_are_undefined():
    metric = DeltaLogLikelihood(spill_over=100)
    with pytest.raises(UndefinedScore, match="None of 375 words to compare has 100 before it"):
        metric(assembly(SURPRISAL), assembly(reading()))


def test_reading_times_that_are_fitted_exactly_are_undefined():
    with pytest.raises(UndefinedScore, match="fitted exactly"):
        DeltaLogLikelihood(spill_over=0)(assembly(SURPRISAL), assembly(SURPRISAL + LENGTH))


def test_more_features_than_words_are_undefined():
    few = slice(0, 12)
    with pytest.raises(UndefinedScore, match="takes more than"):
        DeltaLogLikelihood(cross_validation={"group_by": None, "folds": "kfold", "count": 3})(
            assembly(SURPRISAL)[few], assembly(reading())[few]
        )


def test_options_are_checked():
    with pytest.raises(OptionError, match="nuisance"):
        DeltaLogLikelihood(nuisance=())
    with pytest.raises(OptionError, match="Options are"):
        DeltaLogLikelihood(cross_validation={"splits": 3})


def test_sources_with_and_without_first_words_are_compared_on_the_same_words_if_asked():
    lacking = SURPRISAL.copy()
    lacking[PLACE == 1] = np.nan
    target = assembly(reading())
    free = DeltaLogLikelihood(resamples=0)
    assert (
        free(assembly(lacking), target).samples.size
        < free(assembly(SURPRISAL), target).samples.size
    )
    alike = DeltaLogLikelihood(skip_first=3, resamples=0)
    whole, part = (alike(assembly(values), target) for values in (SURPRISAL, lacking))
    assert whole.value == part.value
    places = dict(zip(target["stimulus_id"].values, PLACE, strict=True))
    assert min(places[i] for i in whole.samples["stimulus_id"].values) == 4
    with pytest.raises(OptionError, match="words to skip"):
        DeltaLogLikelihood(skip_first=-1)


def test_the_base_of_surprisal_does_not_matter_and_is_noted():
    from corteval.stimuli import StimulusSet
    from corteval.surprisal import SurprisalSpec, answer

    target = assembly(reading())
    table = target["stimulus_id"].to_dataframe(name="text").set_index("text", drop=False)
    stimuli = StimulusSet(
        identifier="words", modality="text", table=table.rename_axis("stimulus_id")
    )
    scores = [
        DeltaLogLikelihood(resamples=0)(
            answer(SURPRISAL * factor, stimuli, SurprisalSpec(base=base)), target
        )
        for base, factor in (("bits", 1.0), ("nats", np.log(2)))
    ]
    assert scores[0].value == pytest.approx(scores[1].value, abs=1e-12)
    assert any('"base": "bits"' in note for note in scores[0].notes)
    assert any('"base": "nats"' in note for note in scores[1].notes)


@pytest.mark.parametrize("resample_by", ["story", None])
def test_stories_are_drawn_whole(resample_by):
    score = DeltaLogLikelihood(resample_by=resample_by, resamples=10, seed=3)(
        assembly(SURPRISAL), assembly(reading())
    )
    assert not any("independent" in note for note in score.notes)
    (replicates,) = score.raw.replicates
    assert (replicates.scope, replicates.sizes) == ("stories", (5,))
    from corteval.stats.resampling import draw

    names = [f"story-{n}" for n in range(5)]
    (way,) = draw(stimulus_ids=names, stimulus_groups=names, resamples=10, seed=3)
    gains = score.samples.values
    story = np.array([int(i[1:]) // 80 for i in score.samples["stimulus_id"].values])
    for b in range(10):
        drawn = np.repeat(gains, way.stimuli[b][story])
        assert replicates.values[b] == pytest.approx(drawn.mean(), rel=1e-6)
