"""Metrics and ceilings draw stimuli of a group, such as sentences of a passage, together."""

import numpy as np
import pytest

from corteval.assembly import DRAWN_TOGETHER, neural, responses_matrix
from corteval.score import normalize
from corteval.stats.resampling import draw
from corteval_behaviour.reading_times import HumanReadingTimeCorrelation, ReadingTimeCorrelation
from corteval_ceilings.human_human import HumanHuman
from corteval_ceilings.internal_consistency import InternalConsistency
from corteval_ceilings.ncsnr import NoiseCeilingSNR
from corteval_ceilings.rsa import RSANoiseCeiling
from corteval_ceilings.subject_extrapolation import SubjectExtrapolation
from corteval_driving.ceiling import HalvesChoice
from corteval_driving.metric import DriveSuppress
from corteval_regression.metric import ridge
from corteval_regression.per_subject import SubjectsBenchmark
from corteval_regression.spantime import spantime_ridge
from corteval_regression.variance import UniqueVariance
from corteval_similarity.metric import RDMSimilarity

PASSAGES, SIZE = 24, 5


def recording(seed, *, passages=PASSAGES, size=SIZE, features=10, neuroids=20, trials=4):
    """Two equal models and trials, whose sentences of a passage share most of what they have.

    Features of a passage, what no model knows of it (alike in all neuroids) and the drift of each
    trial are shared.
    """
    rng = np.random.default_rng([seed, passages, size])

    def shared(*shape):
        """Unit variance over sentences, four fifths of it between passages."""
        between = rng.standard_normal((passages, *shape)).repeat(size, axis=0)
        return np.sqrt(0.8) * between + np.sqrt(0.2) * rng.standard_normal(between.shape)

    latent = shared(features)
    signal = latent @ (1 + rng.standard_normal((features, neuroids))) / np.sqrt(2 * features)
    values = (signal + shared(1))[:, :, None] + shared(neuroids, trials)
    ids = [f"sentence-{i:03d}" for i in range(len(latent))]
    names = {
        "neuroid_id": [f"neuroid-{i:02d}" for i in range(neuroids)],
        "subject": [f"subject-{i % 4}" for i in range(neuroids)],
    }
    passage = {"passage": np.repeat([f"passage-{p:02d}" for p in range(passages)], size)}
    units = {"neuroid_id": [f"unit-{i:02d}" for i in range(features)]}
    models = [neural(latent + shared(features), ids, units) for _ in range(2)]
    return models, neural(values, ids, names, presentation=passage)


def bands(source):
    return source.assign_coords(band=("neuroid", ["model"] * 6 + ["rest"] * 4))


def in_time(assembly):
    wide = assembly.expand_dims(time_bin=2, axis=2).assign_coords(
        time_bin_start_ms=("time_bin", [0, 10]), time_bin_end_ms=("time_bin", [10, 20])
    )
    return wide


FOLDS = {"folds": "kfold", "count": 4, "group_by": None}
METRICS = {
    "ridge": lambda x, y: ridge(cross_validation=FOLDS, resamples=200)(x, y),
    "spantime": lambda x, y: spantime_ridge(cross_validation=FOLDS, resamples=200)(
        in_time(x), in_time(y)
    ),
    "unique variance": lambda x, y: UniqueVariance(
        band="model", cross_validation=FOLDS, resamples=200
    )(bands(x), y),
    "rdm": lambda x, y: RDMSimilarity(resamples=200)(x, y),
    "contrast": lambda x, y: DriveSuppress(cross_validation=FOLDS, resamples=200)(x, y),
}
CEILINGS = {
    "halves": InternalConsistency(resamples=200),
    "ncsnr": NoiseCeilingSNR(resamples=200),
    "rsa": RSANoiseCeiling(resamples=200),
    "human_human": HumanHuman(resamples=200),
    "extrapolation": SubjectExtrapolation(
        cross_validation={"folds": "kfold", "count": 3, "group_by": None},
        fit="ridge",
        bootstraps=5,
        resamples=200,
    ),
    "contrast": HalvesChoice(resamples=200),
}


def estimate_of(name, assembly, model):
    kind, name = name
    if kind == "metric":
        return METRICS[name](model, responses_matrix(assembly)).raw
    return CEILINGS[name](assembly)


ALL = [*(("metric", name) for name in METRICS), *(("ceiling", name) for name in CEILINGS)]


@pytest.fixture(scope="module")
def recorded():
    (model, _), trials = recording(3)
    return model, trials


@pytest.mark.parametrize("name", ALL, ids=lambda name: " ".join(name))
def test_passages_are_drawn_whole_in_an_order_that_does_not_matter(name, recorded):
    model, trials = recorded
    found = estimate_of(name, trials, model)
    order = np.random.default_rng(0).permutation(trials.sizes["presentation"])
    moved = estimate_of(name, trials.isel(presentation=order), model)
    (way, *_) = found.replicates
    passages = trials["passage"].values
    (expected,) = draw(
        stimulus_ids=trials["stimulus_id"].values, stimulus_groups=passages, resamples=200, seed=0
    )
    assert way.scope == "groups of stimuli" and way.sizes == (PASSAGES,)
    assert way.draw == expected.digest
    for one, other in zip(found.replicates, moved.replicates, strict=True):
        assert one.draw == other.draw
        assert other.values == pytest.approx(one.values, rel=1e-4, abs=1e-6)
    single = estimate_of(name, trials.drop_vars("passage"), model)
    assert single.value == pytest.approx(found.value, abs=1e-12)
    assert single.replicates[0].scope == "stimuli"
    if name[1] not in ("extrapolation", "contrast", "human_human"):
        assert np.std(way.values) > 1.2 * np.std(single.replicates[0].values)


@pytest.mark.parametrize("name", ALL, ids=lambda name: " ".join(name))
@pytest.mark.parametrize("few", ["none", "one each", "four"])
def test_without_enough_groups_single_stimuli_are_drawn_as_if_there_were_none(name, few, recorded):
    model, trials = recorded
    count = trials.sizes["presentation"]
    groups = {"none": None, "one each": np.arange(count), "four": np.arange(count) % 4}[few]
    plain = trials.drop_vars("passage")
    given = plain if groups is None else plain.assign_coords(topic=("presentation", groups))
    assert estimate_of(name, given, model) == estimate_of(name, plain, model)
    if name[0] == "metric":
        notes = METRICS[name[1]](model, responses_matrix(given)).notes
        assert any("4 groups of them (topic) are too few" in n for n in notes) == (few == "four")


def test_metric_and_ceiling_of_one_score_draw_the_same_passages():
    (model, _), trials = recording(1)
    metric, target = ridge(resamples=300), responses_matrix(trials)
    score = normalize(metric(model, target), InternalConsistency(resamples=300)(trials))
    assert score.interval.scope == f"{PASSAGES} groups of stimuli×neuroids"
    assert "jointly with the ceiling" in score.interval.method
    above, below = (
        {r.scope: r for r in e.replicates}["groups of stimuli"] for e in (score.raw, score.ceiling)
    )
    assert above.draw == below.draw
    (way,) = draw(
        stimulus_ids=target["stimulus_id"].values,
        stimulus_groups=target["passage"].values,
        resamples=300,
        seed=0,
    )
    assert (way.stimuli.reshape(300, PASSAGES, SIZE) == way.stimuli[:, ::SIZE, None]).all()


def test_a_coordinate_that_says_so_counts_before_other_groupings():
    (model, _), trials = recording(2)
    target = responses_matrix(trials)
    half = np.arange(target.sizes["presentation"]) // (2 * SIZE)
    told = target.assign_coords({DRAWN_TOGETHER: ("presentation", half)})
    (way, *_) = ridge(resamples=50)(model, told).raw.replicates
    assert way.sizes == (PASSAGES // 2,)


def test_stimuli_without_a_group_are_groups_of_their_own():
    (model, _), trials = recording(2)
    passage = trials["passage"].values.astype(object)
    passage[:SIZE] = np.nan
    target = trials.drop_vars("passage").assign_coords(passage=("presentation", passage))
    (way, *_) = NoiseCeilingSNR(resamples=50)(target).replicates
    count = PASSAGES * SIZE
    effective = count**2 / ((PASSAGES - 1) * SIZE**2 + SIZE)
    assert way.sizes == (round(effective),)
    del model


def test_reading_times_and_their_ceiling_draw_the_same_stories():
    import xarray as xr

    rng = np.random.default_rng(4)
    words, people, stories = 120, 6, 6
    times = rng.standard_normal(words)[:, None] + rng.standard_normal((words, people))
    word, person = (a.ravel() for a in np.indices(times.shape))
    target = xr.DataArray(
        times.ravel() + 330,
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", [f"w{n:03d}" for n in word]),
            "subject": ("presentation", [f"s{n}" for n in person]),
            "story": ("presentation", [f"story-{n * stories // words}" for n in word]),
        },
    )
    source = xr.DataArray(
        times.mean(axis=1) + rng.standard_normal(words),
        dims=["presentation"],
        coords={"stimulus_id": ("presentation", [f"w{n:03d}" for n in range(words)])},
    )
    options = {"drop_first_word": False, "resamples": 100}
    score = normalize(
        ReadingTimeCorrelation(**options)(source, target),
        HumanReadingTimeCorrelation(**options)(target),
    )
    assert score.interval.scope == "stories×subjects"
    assert "jointly" in score.interval.method


def test_means_over_people_keep_the_draws_of_passages():
    (model, _), trials = recording(5)
    target = responses_matrix(trials)
    scores = {
        name: ridge(cross_validation=FOLDS, resamples=100)(model, part).raw
        for name, part in target.groupby("subject")
    }
    benchmark = object.__new__(SubjectsBenchmark)
    benchmark.__dict__.update(_reliabilities=scores, seed=0)
    found = benchmark._combined([*scores.values()], lambda rows, counts: rows.mean(axis=0))
    drawn = {r.scope: r for r in found}
    assert drawn["groups of stimuli"].values == pytest.approx(
        np.mean([s.replicates[0].values for s in scores.values()], axis=0), rel=1e-5
    )
    assert "groups of stimuli×neuroids" in drawn


@pytest.mark.slow
def test_normalised_intervals_over_passages_cover_as_often_as_over_as_many_single_sentences(
    record_testsuite_property,
):
    """Intervals hold fits fixed, so that with 60 passages to fit on both cover too little."""
    count, fitted, passages = 250, 60, 90
    metric = ridge(cross_validation={"folds": "fixed"}, resamples=200)
    covered = {}
    for kind, size in (("passages", SIZE), ("sentences of passages", SIZE), ("sentences", 1)):
        scores = []
        for seed in range(count):
            (model, _), trials = recording(seed, passages=passages, size=size, features=5)
            split = np.repeat(["train", "test"], [fitted * size, (passages - fitted) * size])
            given = trials.assign_coords(split=("presentation", split))
            given = given if kind == "passages" else given.drop_vars("passage")
            ceiling = InternalConsistency(resamples=200)(given)
            scores.append(normalize(metric(model, responses_matrix(given)), ceiling))
        truth = np.mean([score.value for score in scores])
        covered[kind] = np.mean([s.interval.low <= truth <= s.interval.high for s in scores])
        record_testsuite_property(f"coverage over {kind}", covered[kind])
    assert covered["passages"] > 0.86
    assert covered["passages"] == pytest.approx(covered["sentences"], abs=0.06)
    assert covered["sentences of passages"] < covered["passages"] - 0.08
