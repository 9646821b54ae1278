"""MajajHong2015 on files in the archive's form, whose origin is known."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import StratifiedShuffleSplit
from tests.archive_recordings import legacy, write

import corteval
from corteval import registry
from corteval.assembly import neural
from corteval.cli import cli
from corteval.errors import AssemblyError
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated
from corteval_majajhong2015.data import in_time_bins
from corteval_regression import VISION_ALPHAS

REGIONS = ("V4", "IT")
STATIC = ("pls", "pls-legacy", "pls-legacy2025")
PUBLIC = (*STATIC, "ridge", "ridgecv", "rdm", "reverse_pls")
PRIVATE_IDS = [f"MajajHong2015.{r}-{m}" for r in REGIONS for m in STATIC]
PUBLIC_IDS = [f"MajajHong2015public.{r}-{m}" for r in REGIONS for m in PUBLIC]
TEMPORAL_IDS = [f"MajajHong2015public.{r}-temporal-pls" for r in REGIONS]
IDS = [*PRIVATE_IDS, *PUBLIC_IDS, *TEMPORAL_IDS]
OBJECTS = {"object_name": lambda n: f"object-{n % 8}"}
WINDOW = (TimeBin(70, 170),)
TEN_MS = [(start, start + 10) for start in range(70, 170, 10)]


#: Member of the archive and stimulus set, by the data of an identifier.
MEMBERS = {
    "MajajHong2015": ("MajajHong2015.private", "hvm-private"),
    "MajajHong2015public": ("MajajHong2015.public", "hvm-public"),
    "temporal": ("MajajHong2015.temporal.public", "hvm"),
}
SIZES = {"neuroids": {"V4": 12, "IT": 12}, "stimuli": 160, "trials": 10, "fewer": 2}
TEMPORAL = {"bins": TEN_MS, "course": np.linspace(0.6, 1.2, 10)}


def data_of(identifier):
    return "temporal" if "temporal" in identifier else identifier.partition(".")[0]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Private, public and temporal recordings, shared by the tests that need no others."""
    with imitated(tmp_path_factory.mktemp("archive")) as made:
        yield made, {
            data: write(made, *names, **SIZES, columns=OBJECTS,
                        **(TEMPORAL if data == "temporal" else {}))
            for data, names in MEMBERS.items()
        }  # fmt: skip


@pytest.fixture
def recorded(recordings):
    return lambda identifier: recordings[1][data_of(identifier)]


@pytest.fixture
def recorded_otherwise(archive):
    def make(identifier, **options):
        data = data_of(identifier)
        given = {**SIZES, "columns": OBJECTS, **(TEMPORAL if data == "temporal" else {})}
        return write(archive, *MEMBERS[data], **{**given, "fewer": 0, **options})

    return make


def region_of(identifier):
    return identifier.partition(".")[2].partition("-")[0]


#: V4 is scored as IT is.
kinds = pytest.mark.parametrize(
    "identifier",
    [pytest.param(i, marks=[pytest.mark.slow] if ".V4" in i else []) for i in IDS],
)


def without_interval(identifier):
    """Intervals take most of the time."""
    card = registry.benchmarks.card(identifier)
    options = {**card.options.get("metric_options", {}), "resamples": 0}
    return registry.benchmarks.create(identifier, metric_options=options)


@kinds
def test_the_true_generator_scores_at_the_ceiling(recorded, identifier):
    data = recorded(identifier)
    region = region_of(identifier)
    score = corteval.score(data.generator(region), identifier)
    # trials have noise of variance 1; four fifths of the images have ten, the others eight
    if not identifier.endswith("-rdm"):
        reliability = np.mean(data.course**2 / (data.course**2 + 1 / 9.6))
        assert score.ceiling.value == pytest.approx(reliability, abs=0.03)
    if identifier.endswith("-legacy2025"):
        assert score.value == pytest.approx(1 / score.ceiling.value, abs=0.06)
    elif identifier.endswith("-rdm"):
        assert score.value > 0.85 and score.ceiling is None
    elif identifier.endswith("-reverse_pls"):
        assert 1 < score.value < 1.15  # units are linear in nine greys, neuroids have noise
    else:
        assert score.value == pytest.approx(1, abs=0.06)
        assert score.interval.low < 1.03 and score.interval.high > 0.97


@kinds
def test_shuffled_responses_score_at_chance(recorded, identifier):
    subject = shuffled(recorded(identifier).generator(region_of(identifier)), seed=3)
    assert abs(corteval.score(subject, without_interval(identifier)).value) < 0.15


@pytest.mark.parametrize("identifier", IDS)
def test_a_subject_without_the_region_is_refused_before_any_compute(recordings, identifier):
    archive, _ = recordings
    before = len(archive.requests)
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert f"a recording of {region_of(identifier)}" in score.reason
    assert len(archive.requests) == before  # nothing was downloaded


@pytest.mark.parametrize("identifier", IDS)
def test_subjects_are_asked_what_was_published(recorded, identifier):
    recorded(identifier)
    benchmark = registry.benchmarks.create(identifier)
    bins = tuple(TimeBin(*b) for b in TEN_MS) if "temporal" in identifier else WINDOW
    assert benchmark.requests() == (Recording(region_of(identifier), bins, trials=50),)
    assert benchmark.stimuli().visual_degrees == 8


@pytest.mark.parametrize("name", ["MajajHong2015", "MajajHong2015public"])
def test_the_legacy_names_give_exactly_the_fields_formulas(recorded, name):
    data = recorded(name)
    subject, x = data.model()
    raw, error, ceiling = legacy(data, "IT", x, stratify_by="object_name")
    now, before = (
        corteval.score(subject, f"{name}.IT-{metric}")
        for metric in ("pls-legacy", "pls-legacy2025")
    )
    for score in (now, before):
        assert score.raw.value == pytest.approx(raw, abs=1e-9)
        assert score.raw.error == pytest.approx(error, abs=1e-9)
        assert score.ceiling.value == pytest.approx(ceiling, abs=1e-9)
    assert now.value == pytest.approx(raw**2 / ceiling, abs=1e-9)
    assert before.value == pytest.approx((raw / ceiling) ** 2, abs=1e-9)
    assert (now.normalization, before.normalization) == ("r^2/c", "(r/c)^2")
    sound = corteval.score(subject, f"{name}.IT-pls")
    assert sound.raw.splits != now.raw.splits
    assert sound.raw.value == pytest.approx(raw, abs=4 * error)


def test_the_order_of_the_files_rows_matters_to_legacy_scores_only(archive, tmp_path):
    found = []
    for order in (0, 1):
        folder = tmp_path / f"order-{order}"
        folder.mkdir()
        with imitated(folder) as made:
            data = write(made, "MajajHong2015.public", "hvm-public", neuroids={"IT": 6}, stimuli=80,
                         trials=4, columns=OBJECTS, order=order)  # fmt: skip
            subject = data.model()[0]
            names = ("MajajHong2015public.IT-pls", "MajajHong2015public.IT-pls-legacy")
            found.append([corteval.score(subject, name).raw for name in names])
    (sound, legacy_), (again, other) = found
    assert again.value == pytest.approx(sound.value, abs=1e-9)
    assert again.splits == sound.splits
    assert other.splits != legacy_.splits


def means_by_id(data, region):
    """Means over trials, and the objects, with rows in the order of image ids."""
    order = np.argsort(data.ids)
    trials = data.in_region(region)[:, :, 0].astype(float)
    means = np.stack([trials[data.stimulus == s].mean(axis=0) for s in order])
    return order, means, np.array(data.columns["object_name"])[order]


@pytest.mark.parametrize(
    ("metric", "make"),
    [("ridge", lambda: Ridge(alpha=1)), ("ridgecv", lambda: RidgeCV(alphas=VISION_ALPHAS))],
)
def test_ridge_equals_plain_scikit_learn(recorded, metric, make):
    data = recorded("MajajHong2015public")
    subject, x = data.model()
    order, y, objects = means_by_id(data, "V4")
    x = x[order]
    medians = []
    for train, test in StratifiedShuffleSplit(10, train_size=0.9, random_state=1).split(x, objects):
        predicted = make().fit(x[train], y[train]).predict(x[test])
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, y[test].T, strict=True)]
        medians.append(np.median(r))
    score = corteval.score(subject, f"MajajHong2015public.V4-{metric}")
    assert score.raw.value == pytest.approx(np.mean(medians), abs=1e-9)


def test_rdms_are_compared_by_spearman_and_scores_are_averaged_with_no_others(recorded):
    data = recorded("MajajHong2015public")
    subject, x = data.model()
    order, y, _ = means_by_id(data, "IT")
    above = np.triu_indices(len(order), 1)
    expected = spearmanr(np.corrcoef(x[order])[above], np.corrcoef(y)[above]).statistic
    score = corteval.score(subject, "MajajHong2015public.IT-rdm")
    assert score.raw.value == pytest.approx(expected, abs=1e-9)
    assert registry.benchmarks.card("MajajHong2015public.IT-rdm").parent is None


def test_temporal_scores_equal_a_loop_over_splits_and_bins(recorded_otherwise):
    data = recorded_otherwise("temporal", stimuli=80, trials=4, neuroids={"IT": 5})
    rng = np.random.default_rng(4)
    x = rng.standard_normal((80, 30, 10)) + data.signal[:, :, None].repeat(6, 1)
    subject = ReplaySubject(
        responses=neural(
            x,
            data.ids,
            {"neuroid_id": [f"u{n}" for n in range(30)]},
            time_bins=[TimeBin(*b) for b in TEN_MS],
        )
    )
    order = np.argsort(data.ids)
    trials = data.in_region("IT").astype(float)
    y = np.stack([trials[data.stimulus == s].mean(axis=0) for s in order])
    x, objects = x[order], np.array(data.columns["object_name"])[order]
    scores = []
    for train, test in StratifiedShuffleSplit(10, train_size=0.9, random_state=1).split(x, objects):
        stacked = [v[train].transpose(0, 2, 1).reshape(-1, v.shape[1]) for v in (x, y)]
        fit = PLSRegression(25, scale=False).fit(*stacked)
        of_bins = []
        for t in range(10):
            predicted = fit.predict(x[test, :, t])
            pairs = zip(predicted.T, y[test, :, t].T, strict=True)
            of_bins.append(np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
        scores.append(np.mean(of_bins))
    score = corteval.score(subject, "MajajHong2015public.IT-temporal-pls")
    assert score.raw.value == pytest.approx(np.mean(scores), abs=1e-9)


def test_a_model_that_does_not_change_in_time_can_be_scored_over_time(recorded):
    data = recorded("temporal")
    subject, _ = data.model()
    assert 0.2 < corteval.score(subject, "MajajHong2015public.IT-temporal-pls").value < 1


def test_bins_of_20_ms_answer_for_the_10_ms_bins_within_them(recorded_otherwise):
    """Half of a 20-ms bin lies in each 10-ms bin, so weights are equal and rates stay rates."""
    twenty = [(start, start + 20) for start in range(70, 170, 20)]
    data = recorded_otherwise("temporal", stimuli=12, trials=2, bins=twenty, course=[1, 2, 3, 4, 5])
    made = registry.benchmarks.create("MajajHong2015public.IT-temporal-pls")
    means = made.ideal_responses(0)
    assert means["time_bin_start_ms"].values.tolist() == list(range(70, 170, 10))
    np.testing.assert_array_equal(means.values[:, :, 0], means.values[:, :, 1])
    trials = data.in_region("IT").astype(float)
    first = means["stimulus_id"].values[0]
    rows = data.stimulus == data.ids.index(first)
    np.testing.assert_allclose(means.values[0, :, 2], trials[rows][:, :, 1].mean(axis=0), rtol=1e-5)


def in_bins(values, bins, wanted):
    assembly = neural(
        np.asarray(values, float)[None, None],
        ["im"],
        {"neuroid_id": ["n"]},
        time_bins=[TimeBin(*b) for b in bins],
    )
    return in_time_bins(assembly, [TimeBin(*b) for b in wanted]).values.ravel().tolist()


def test_time_bins_are_weighted_by_their_share_in_the_wanted_bin():
    overlapping = [(60, 80), (70, 90), (80, 100)]
    assert in_bins([1, 2, 4], overlapping, [(70, 80)]) == [1.5]
    assert in_bins([1, 2, 4], overlapping, [(70, 90)]) == [2]  # a bin that is there
    assert in_bins([1, 4], [(0, 10), (10, 40)], [(5, 20)]) == pytest.approx(
        [(0.5 + 4 / 3) / (5 / 6)]
    )


def test_time_bins_that_are_not_covered_are_refused():
    with pytest.raises(AssemblyError, match=r"from 70 to 90 ms, do not cover 85-95 ms"):
        in_bins([1, 2], [(70, 80), (80, 90)], [(85, 95)])
    with pytest.raises(AssemblyError, match="do not cover 70-100 ms"):
        in_bins([1, 2], [(70, 80), (90, 100)], [(70, 100)])
    flat = neural(np.ones((1, 1)), ["im"], {"neuroid_id": ["n"]})
    with pytest.raises(AssemblyError, match="no time bins"):
        in_time_bins(flat, [TimeBin(70, 80)])


def test_the_reverse_direction_predicts_units_and_says_what_its_ceiling_is(recorded):
    data = recorded("MajajHong2015public")
    subject, x = data.model()
    order, y, objects = means_by_id(data, "IT")
    x = x[order]
    medians = []
    for train, test in StratifiedShuffleSplit(10, train_size=0.9, random_state=1).split(x, objects):
        predicted = PLSRegression(12, scale=False).fit(y[train], x[train]).predict(y[test])
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, x[test].T, strict=True)]
        medians.append(np.median(r))
    score = corteval.score(subject, "MajajHong2015public.IT-reverse_pls")
    # twelve neuroids allow no more than twelve components
    assert score.raw.value == pytest.approx(np.mean(medians), abs=1e-9)
    assert any("does not bound" in note for note in score.notes)


def test_the_command_line_scores_pixels(recorded):
    recorded("MajajHong2015public")
    arguments = ["score", "pixels", "MajajHong2015public.IT-pls", "--yes", "--json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    (found,) = [s for s in scores_in(json.loads(result.stdout)) if s["model"] == "pixels"]
    assert found["benchmark"] == "MajajHong2015public.IT-pls"
    assert found["value"] == pytest.approx(1, abs=0.06)  # pixels see the nine greys


def scores_in(answer):
    return answer.get("scores", [answer])


def test_the_published_size_goes_before_that_of_the_table(recorded_otherwise):
    degrees = {"degrees": lambda n: 3}
    recorded_otherwise("MajajHong2015public", stimuli=20, trials=2, columns={**OBJECTS, **degrees})
    made = registry.benchmarks.create("MajajHong2015public.V4-pls")
    assert made.stimuli().visual_degrees == 8


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    """148,480 presentations of 3,200 images, 88 V4 and 168 IT neuroids."""
    data = write(archive, "MajajHong2015.public", "hvm-public", neuroids={"V4": 88, "IT": 168},
                 stimuli=3200, trials=47, fewer=3, columns=OBJECTS, noise=3.0,
                 dtype=np.float32)  # fmt: skip
    assert len(data.values) == 148_480
    score = corteval.score(data.generator("IT"), "MajajHong2015public.IT-pls")
    assert score.ceiling.value == pytest.approx(1 / (1 + 9 / 46.4), abs=0.01)
    assert score.value == pytest.approx(1, abs=0.02)
    assert dict(score.samples.sizes) == {"split": 10, "neuroid": 168}
