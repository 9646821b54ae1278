"""Allen2022_fmri on files of the archive's form, against scikit-learn, scipy and numpy alone."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit

import corteval
from corteval import registry
from corteval.cli import main
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated

STUDIES = (
    "Allen2022_fmri",
    "Allen2022_fmri_4subj",
    "Allen2022_fmri_surface",
    "Allen2022_fmri_surface_4subj",
)
REGIONS = ("V1", "V2", "V4", "IT")
RIDGE = [f"{study}.{region}-ridge" for study in STUDIES for region in REGIONS]
LEGACY = [f"{identifier}-legacy" for identifier in RIDGE]
RDM = [f"{study}.{region}-rdm" for study in STUDIES for region in REGIONS]
every = pytest.mark.parametrize("identifier", [*RIDGE, *LEGACY, *RDM])
#: Eight people and four, volume and surface; other regions and studies repeat them.
QUICK = ("Allen2022_fmri.V1", "Allen2022_fmri_surface_4subj.IT")


def identifiers(*names):
    """Those that are scored as others are, of another region or file, are slow."""
    values = [
        pytest.param(name, marks=[] if name.startswith(QUICK) else [pytest.mark.slow])
        for name in names
    ]
    return pytest.mark.parametrize("identifier", values)


def people_of(study):
    numbers = (1, 2, 5, 7) if study.endswith("4subj") else range(1, 9)
    return [f"subj{number:02d}" for number in numbers]


def voxels(study, count=7):
    """In each region of each person; the first is not reliable enough."""
    rows = [
        (person, region, f"{person}-{region}-{n}", 20.0 if n == 0 else 45.0)
        for person in people_of(study)
        for region in REGIONS
        for n in range(count)
    ]
    names = ("subject", "region", "neuroid_id", "nc_testset")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


@pytest.fixture(scope="module")
def writings(tmp_path_factory):
    """Of every study; the surface studies name other assemblies, and stimuli of their own here."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield {
            study: write(
                archive, study, voxels(study), train=(80, 1), test=(30, 3), noise=1.0, seed=seed
            )
            for seed, study in enumerate(STUDIES)
        }


def parts(identifier):
    study, rest = identifier.split(".")
    return study, rest.split("-")[0]


def quick(identifier, resamples=0):
    """Without intervals, which take most of the time, or with rough ones."""
    card = registry.benchmarks.card(identifier)
    few = {"resamples": resamples}
    options = {**card.options.get("metric_options", {}), **few}
    return registry.benchmarks.create(identifier, metric_options=options, ceiling_options=few)


def generator(written):
    return ReplaySubject(responses=written.causes, identifier="generator")


def mixed(written, units=25):
    """Units that know the causes in part."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(written.causes.sizes["presentation"], units))
    values[:, :4] += written.causes.values
    template = written.causes.isel(neuroid=[0] * units)
    ids = ("neuroid", [f"u{n:02d}" for n in range(units)])
    return ReplaySubject(responses=template.assign_coords(neuroid_id=ids).copy(data=values))


def reliability(trials):
    """Spec metrics 2.3, of (stimulus, trial, neuroid)."""
    halves = []
    numbers = np.arange(trials.shape[1])
    for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(numbers):
        r = columnwise(trials[:, first].mean(axis=1), trials[:, second].mean(axis=1))
        halves.append(np.median(2 * r / (1 + r)))
    return np.mean(halves)


def columnwise(a, b):
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)])


def kept(study, region):
    """Positions of each person's reliable voxels."""
    table = voxels(study)
    columns = (table[c] for c in ("subject", "region", "nc_testset"))
    rows = list(zip(*columns, strict=True))
    return [
        [i for i, (s, r, n) in enumerate(rows) if s == person and r == region and n > 30]
        for person in people_of(study)
    ]


@identifiers(*RIDGE, *LEGACY)
def test_ridge_is_that_of_scikit_learn_person_by_person(writings, identifier):
    study, region = parts(identifier)
    written = writings[study]
    subject = mixed(written, units=150)  # more than stimuli to fit on
    x = subject.responses.values
    train, test = written.trials["train"][..., 0], written.trials["test"][..., 0]
    shares = []
    for own in kept(study, region):
        fit = Ridge(alpha=1).fit(x[:80], train.mean(axis=1)[:, own])
        r = np.median(columnwise(fit.predict(x[80:]), test.mean(axis=1)[:, own]))
        c = reliability(test[:, :, own])
        shares.append((r / c) ** 2 if identifier in LEGACY else r * abs(r) / c)
    assert corteval.score(subject, quick(identifier)).value == pytest.approx(
        np.mean(shares), abs=1e-9
    )


@identifiers(*RDM)
def test_rdms_are_compared_with_each_person_over_all_images(writings, identifier):
    """Spec metrics 2.3 and 2.5 with scipy: mean over people over the upper bound."""
    study, region = parts(identifier)
    written = writings[study]
    subject = mixed(written)
    means = np.concatenate([written.trials[p][..., 0].mean(axis=1) for p in ("train", "test")])
    rdms = [pdist(means[:, own], "correlation") for own in kept(study, region)]
    model = pdist(subject.responses.values, "correlation")
    raw = np.mean([spearmanr(model, rdm).statistic for rdm in rdms])
    upper = np.mean([spearmanr(np.mean(rdms, axis=0), rdm).statistic for rdm in rdms])
    score = corteval.score(subject, quick(identifier))
    assert score.raw.value == pytest.approx(raw, abs=1e-9)
    assert score.ceiling.value == pytest.approx(upper, abs=1e-9)
    assert score.value == pytest.approx(raw / upper, abs=1e-9)


@identifiers(*RIDGE)
def test_the_true_generator_is_at_the_ceiling_of_ridge(writings, identifier):
    written = writings[parts(identifier)[0]]
    score = corteval.score(generator(written), quick(identifier))
    assert score.value == pytest.approx(1, abs=0.12)
    assert corteval.score(shuffled(generator(written), 1), quick(identifier)).value < 0.15


@identifiers(*RDM)
def test_recorded_patterns_are_at_the_noise_ceiling_of_rdms(writings, identifier):
    benchmark = quick(identifier)
    lower, upper = benchmark.noise_bounds()
    ideal = ReplaySubject(responses=benchmark.ideal_responses(0))
    score = corteval.score(ideal, benchmark)
    assert lower.value < score.raw.value
    assert score.value == pytest.approx(1, abs=1e-6)
    assert abs(corteval.score(shuffled(ideal, 1), benchmark).value) < 0.15
    assert upper.value == benchmark.ceiling().value


@every
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(archive, identifier):
    study, region = parts(identifier)
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording(region),)
    assert benchmark.visual_degrees == 8.4
    assert benchmark.neuroids == {"region": region, "nc_testset": {"at_least": 30}}
    assert benchmark.card.data == (f"brainscore/{study}_train", f"brainscore/{study}_test")
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert region in score.reason


def test_intervals_speak_for_people_where_there_are_eight(writings):
    for study, scope in (
        ("Allen2022_fmri", "stimuli×subjects"),
        ("Allen2022_fmri_4subj", "stimuli×neuroids"),
    ):
        score = corteval.score(generator(writings[study]), quick(f"{study}.V1-ridge", 100))
        assert score.interval.scope == scope
    benchmark = quick("Allen2022_fmri.V1-rdm", 100)
    score = corteval.score(generator(writings["Allen2022_fmri"]), benchmark)
    assert score.interval.scope == "stimuli×subjects"


def test_the_command_line_scores_it(writings, capsys):
    names = "Allen2022_fmri.V1-ridge,Allen2022_fmri_surface.V4-rdm"
    assert main(["score", "pixels", names, "--yes", "--json"]) == 0
    assert capsys.readouterr().out.count("scored") >= 2


@pytest.mark.slow
def test_the_published_images_and_voxels_of_v4_are_scored(archive):
    """3,982 voxels of V4 in eight people; 412 and 103 x 3 images."""
    people = people_of("Allen2022_fmri")
    rows = [(p, "V4", f"{p}-{n}", 45.0) for p in people for n in range(498)][:3982]
    names = ("subject", "region", "neuroid_id", "nc_testset")
    table = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    written = write(archive, "Allen2022_fmri", table, train=(412, 1), test=(103, 3), noise=1.2)
    score = corteval.score(generator(written), "Allen2022_fmri.V4-ridge")
    assert score.value == pytest.approx(1, abs=0.05)
    assert score.ceiling.value == pytest.approx(written.reliability, abs=0.03)
