import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm, pearsonr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.stats.resampling import draw
from corteval_behaviour import Discrimination, HumanDiscrimination
from corteval_behaviour.examples import discrimination, repeated_discrimination

KINDS = {
    "i1": ("image", "all", False),
    "i1n": ("image", "all", True),
    "i2": ("image", "other", False),
    "i2n": ("image", "other", True),
    "o1": ("object", "all", False),
    "o2": ("object", "other", False),
}
SOURCE, TARGET, _ = discrimination()
OBJECTS = list(SOURCE["choice"].values)
SHOWN = dict(zip(TARGET["stimulus_id"].values, TARGET["truth"].values, strict=True))
IMAGES = sorted(SHOWN)


def options(kind):
    level, versus, normalise = KINDS[kind]
    return {"level": level, "versus": versus, "normalise": normalise}


def alarms_of_source(source=SOURCE):
    """{(image, k): chance of k against the shown object}."""
    found = {}
    for image, row in zip(source["stimulus_id"].values, source.values, strict=True):
        p = dict(zip(OBJECTS, row, strict=True))
        shown = p.pop(SHOWN[image])
        found |= {(image, k): p[k] / (p[k] + shown) for k in p}
    return found


def alarms_of_trials(trials):
    counts = {}
    for i, k, right in zip(
        trials["stimulus_id"].values, trials["distractor"].values, trials.values, strict=True
    ):
        wrong, offered = counts.get((i, k), (0, 0))
        counts[i, k] = wrong + (1 - right), offered + 1
    return {cell: wrong / offered for cell, (wrong, offered) in counts.items()}


def mean(values):
    values = [v for v in values if not np.isnan(v)]
    return np.mean(values) if values else np.nan


def cut(hit, alarm):
    return np.clip(norm.ppf(hit) - norm.ppf(alarm), -5, 5)


def sensitivities(alarm, kind):
    """{cell: d'} by the definition, in plain loops."""
    level, versus, normalise = KINDS[kind]
    images_of = {k: [i for i in IMAGES if SHOWN[i] == k] for k in OBJECTS}
    rate = {
        (t, k): mean(alarm.get((i, k), np.nan) for i in images_of[t])
        for t, k in itertools.permutations(OBJECTS, 2)
    }
    if level == "object":
        d = {(t, k): cut(1 - rate[t, k], rate[k, t]) for t, k in rate}
    else:
        d = {(i, k): cut(1 - a, rate[k, SHOWN[i]]) for (i, k), a in alarm.items()}
        if normalise:
            d = {
                (i, k): v - mean(d.get((j, k), np.nan) for j in images_of[SHOWN[i]])
                for (i, k), v in d.items()
            }
    if versus == "all":
        rows = sorted({row for row, _ in d})
        d = {row: mean(d.get((row, k), np.nan) for k in OBJECTS) for row in rows}
    return d


def correlate(a, b):
    cells = sorted(set(a) & set(b))
    pairs = np.array([(a[c], b[c]) for c in cells])
    return pearsonr(*pairs[np.isfinite(pairs).all(axis=1)].T)[0]


def halves(trials, repetitions=2):
    state = np.random.RandomState(0)
    for _ in range(repetitions):
        order = list(range(len(trials)))
        state.shuffle(order)
        middle = len(order) // 2
        yield trials[order[:middle]], trials[order[middle:]]


def loops(trials, kind):
    """Scores and ceilings of all repetitions."""
    model = sensitivities(alarms_of_source(), kind)
    scores, ceilings = [], []
    for pair in halves(trials):
        first, second = (sensitivities(alarms_of_trials(half), kind) for half in pair)
        scores.append(correlate(model, first))
        ceilings.append(correlate(first, second))
    return np.array(scores), np.array(ceilings)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_ceilings_are_those_of_plain_loops(kind):
    trials = TARGET[::20]  # few trials, so that d' is cut and some cells are not defined
    scores, ceilings = loops(trials, kind)
    score = Discrimination(**options(kind), resamples=0)(SOURCE, trials)
    np.testing.assert_allclose(score.samples.values, scores, atol=1e-12)
    assert score.value == pytest.approx(scores.mean(), abs=1e-12)
    assert score.raw.error == pytest.approx(scores.std(), abs=1e-12)
    estimate = HumanDiscrimination(**options(kind), resamples=0)(trials)
    assert estimate.value == pytest.approx(ceilings.mean(), abs=1e-12)
    assert estimate.error == pytest.approx(ceilings.std(), abs=1e-12)


def test_noise_is_corrected_halving_by_halving():
    scores, ceilings = loops(TARGET[::5], "i2n")
    found = Discrimination(noise_corrected=True, resamples=0)(SOURCE, TARGET[::5]).value
    assert found == pytest.approx((scores / np.sqrt(ceilings)).mean(), abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_that_made_the_choices_is_as_consistent_as_the_root_of_the_ceiling(kind):
    unsure = 0.4 * SOURCE + 0.12  # no choice is certain, so no d' is cut
    alarms = alarms_of_source(unsure)
    cells = list(zip(TARGET["stimulus_id"].values, TARGET["distractor"].values, strict=True))
    wrong = np.random.default_rng(0).random(len(cells)) < [alarms[cell] for cell in cells]
    metric = Discrimination(**options(kind), noise_corrected=True, resamples=0)
    assert metric(unsure, TARGET.copy(data=1.0 - wrong)).value == pytest.approx(1, abs=0.03)


def test_words_and_numbers_tell_the_same():
    right = TARGET.values == 1
    words = TARGET.copy(data=np.where(right, TARGET["truth"], TARGET["distractor"]))
    metric = Discrimination(resamples=0)
    assert metric(SOURCE, words).raw == metric(SOURCE, TARGET).raw


def test_neither_the_order_of_images_nor_of_objects_matters():
    metric = Discrimination(resamples=3)
    moved = SOURCE.isel(presentation=slice(None, None, -1), choice=[3, 1, 0, 2])
    assert metric(moved, TARGET).value == pytest.approx(metric(SOURCE, TARGET).value, abs=1e-12)


def test_replicates_over_subjects_repeat_their_trials():
    trials = TARGET[::9]
    metric = Discrimination(level="object", normalise=False, resamples=3, seed=4, repetitions=1)
    score = metric(SOURCE, trials)
    way = draw(subjects=np.unique(trials["subject"].values), resamples=3, seed=4)[0]
    first = next(halves(trials, 1))[0]
    names = np.unique(trials["subject"].values)
    model = sensitivities(alarms_of_source(), "o2")
    for b in range(3):
        times = dict(zip(names, way.neuroids[b], strict=True))
        drawn = first[np.repeat(np.arange(len(first)), [times[s] for s in first["subject"].values])]
        expected = correlate(model, sensitivities(alarms_of_trials(drawn), "o2"))
        assert score.raw.replicates[1].values[b] == pytest.approx(expected, rel=1e-6)


def test_replicates_over_images_repeat_their_rows():
    trials = TARGET[::10]
    score = Discrimination(normalise=False, resamples=3, seed=4, repetitions=1)(SOURCE, trials)
    way = draw(stimulus_ids=IMAGES, resamples=3, seed=4)[0]
    first = next(halves(trials, 1))[0]
    for b in range(3):
        # a copy of an image is an image of its own that shows the same object
        copies = [(i, n) for i, c in zip(IMAGES, way.stimuli[b], strict=True) for n in range(c)]
        pairs = []
        for alarm in (alarms_of_source(), alarms_of_trials(first)):
            rate = {
                (t, k): mean(alarm.get((i, k), np.nan) for i, _ in copies if SHOWN[i] == t)
                for t, k in itertools.permutations(OBJECTS, 2)
            }
            pairs.append(
                [
                    cut(1 - alarm.get((i, k), np.nan), rate[k, SHOWN[i]])
                    for i, _ in copies
                    for k in OBJECTS
                    if k != SHOWN[i]
                ]
            )
        pairs = np.array(pairs)
        expected = pearsonr(*pairs[:, np.isfinite(pairs).all(axis=0)])[0]
        assert score.raw.replicates[0].values[b] == pytest.approx(expected, rel=1e-6)


def test_ceilings_rise_with_the_number_of_trials():
    many, few, _ = repeated_discrimination()
    ceiling = HumanDiscrimination(resamples=0)
    assert ceiling(few).value < ceiling(many[::10]).value < ceiling(many).value


def test_equal_probabilities_tell_objects_apart_nowhere():
    with pytest.raises(UndefinedScore, match="do not vary"):
        Discrimination()(xr.full_like(SOURCE, 0.2), TARGET)


def test_an_object_without_probability_is_refused():
    with pytest.raises(AssemblyError, match="no probability to 1 of 4 objects: object-3"):
        Discrimination()(SOURCE.isel(choice=slice(0, 3)), TARGET)


def test_a_choice_that_was_not_on_offer_is_refused():
    words = TARGET[:3].copy(data=np.array(["object-9"] * 3))
    with pytest.raises(AssemblyError, match="not on offer"):
        HumanDiscrimination()(words)


def test_one_trial_cannot_be_halved():
    with pytest.raises(UndefinedScore, match="1 trial cannot be halved"):
        HumanDiscrimination()(TARGET[:1])


def test_only_images_are_normalised():
    with pytest.raises(OptionError, match="normalise=False"):
        Discrimination(level="object")
