"""The checks of spec `real-data` 2.3, against numbers of independent code."""

import gc
import itertools
import subprocess
import sys
import weakref

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata, spearmanr

from corteval import registry
from corteval.errors import OptionError
from corteval.model import record

NAMES = ("humanIT", "monkeyIT", "behaviour")
REFERENCE = "hIT_4subj_session_mean", "hIT_8_subject_sessions", "behaviour_16subj"
COMPARISONS = {
    "cosine": ("rdm-cosine", "cosine"),
    "corr": ("rdm-pearson", "pearson"),
    "spearman": ("rdm", "spearman"),
    "tau-a": ("rdm-kendall", "kendall"),
}


def create(name, **options):
    return registry.data.create(f"Kriegeskorte2008.{name}", **options)


def pairs(assembly):
    """(subject, pair) or (pair)."""
    if assembly.ndim == 2:
        return squareform(assembly.values)
    return np.stack([squareform(rdm) for rdm in assembly.values])


def rho(a, b):
    return float(spearmanr(a, b).statistic)


@pytest.fixture(scope="module")
def targets(mirror):
    sources = (create("humanIT"), create("humanIT", sessions="separate"), create("behaviour"))
    return {n: source.assembly() for n, source in zip(REFERENCE, sources, strict=True)}


@pytest.fixture(scope="module")
def models(mirror):
    return create("humanIT").model_rdms()


@pytest.fixture(scope="module")
def stimuli(mirror):
    return create("monkeyIT").stimuli()


@pytest.fixture(scope="module")
def mat(mirror):
    """A variable of a file, read plainly."""
    folder = next(mirror.rglob("92_brainRDMs.mat")).parent
    return lambda name, key: loadmat(folder / name, squeeze_me=True, struct_as_record=False)[key]


def test_rdms_are_those_of_the_files_in_float64(targets, models, mat):
    runs = [[run.RDM for run in person] for person in mat("92_brainRDMs.mat", "RDMs")]
    runs = np.array(runs, np.float64)
    mean, separate, judged = targets.values()
    np.testing.assert_array_equal(separate.values, runs.reshape(8, 92, 92))
    np.testing.assert_allclose(mean.values, runs.mean(axis=1), rtol=1e-15)
    behaviour = [one.RDM for one in mat("92_behavRDMs.mat", "rdms_behav_92")]
    np.testing.assert_array_equal(judged.values, behaviour)
    for one in mat("92_modelRDMs.mat", "Models"):
        np.testing.assert_array_equal(models[one.name].values, one.RDM.astype(np.float64))
    assert len(models) == 8
    assert {a.dtype for a in (*targets.values(), *models.values())} == {np.dtype("float64")}


def test_subjects_are_named_and_sessions_told_apart(targets):
    mean, separate, judged = targets.values()
    assert mean["subject"].values.tolist() == ["BE", "KO", "SN", "TI"]
    assert separate["person"].values.tolist() == [p for p in mean["subject"].values for _ in "12"]
    assert separate["session"].values.tolist() == [1, 2] * 4
    assert judged["subject"].values.tolist() == [f"subject{n}" for n in range(1, 17)]


def test_silhouettes_of_the_images_give_the_published_rdm_so_the_order_is_one(stimuli, models):
    """Pixels that differ from the grey ground; correlation distance."""
    images = np.stack([stimuli.image(i) for i in stimuli.stimulus_ids])
    silhouettes = (images != 128).any(axis=-1).reshape(92, -1)
    published = pairs(models["Silhouette"])
    np.testing.assert_allclose(pdist(silhouettes, "correlation"), published, atol=1e-11)
    shifted = np.roll(silhouettes, 1, axis=0)
    assert rho(pdist(shifted, "correlation"), published) < 0.5
    darker = (np.abs(images.astype(int) - 128) > 5).any(axis=-1).reshape(92, -1)
    assert rho(pdist(darker, "correlation"), published) == pytest.approx(0.995, abs=1e-3)


def test_rdms_of_figure_1_are_those_of_the_other_files(targets, models, mat):
    monkey, human = mat("Kriegeskorte_Neuron2008_supplementalData.mat", "RDMs_mIT_hIT_fig1")
    np.testing.assert_array_equal(pairs(create("monkeyIT").assembly()), monkey.RDM)
    np.testing.assert_array_equal(pairs(models["monkeyIT"]), monkey.RDM)
    sessions = pairs(targets["hIT_8_subject_sessions"])
    np.testing.assert_allclose(sessions.mean(axis=0), human.RDM, rtol=1e-12)


def test_sessions_of_one_subject_correlate_as_published(targets):
    first, second = np.swapaxes(pairs(targets["hIT_8_subject_sessions"]).reshape(4, 2, -1), 0, 1)
    found = [rho(a, b) for a, b in zip(first, second, strict=True)]
    assert found == pytest.approx([0.277, 0.095, 0.383, 0.120], abs=6e-4)


def test_halves_of_the_subjects_agree_as_published(targets):
    """Spearman's correlation of mean RDMs, mean over halvings, then Spearman-Brown.

    All three halvings of four subjects; 100 random ones of sixteen.
    """

    def agreement(rdms, halves):
        r = np.mean([rho(rdms[a].mean(axis=0), rdms[b].mean(axis=0)) for a, b in halves])
        return 2 * r / (1 + r)

    humans = pairs(targets["hIT_4subj_session_mean"])
    halvings = [([0, n], [m for m in (1, 2, 3) if m != n]) for n in (1, 2, 3)]
    assert agreement(humans, halvings) == pytest.approx(0.600, abs=5e-4)
    generator = np.random.default_rng(0)
    halvings = [np.split(generator.permutation(16), 2) for _ in range(100)]
    judged = agreement(pairs(targets["behaviour_16subj"]), halvings)
    assert judged == pytest.approx(0.782, abs=2e-3)


def test_brains_and_judgement_are_related_as_published(targets):
    human = pairs(targets["hIT_4subj_session_mean"]).mean(axis=0)
    judged = pairs(targets["behaviour_16subj"]).mean(axis=0)
    monkey = pairs(create("monkeyIT").assembly())
    found = [rho(a, b) for a, b in itertools.combinations((human, monkey, judged), 2)]
    assert found == pytest.approx([0.439, 0.392, 0.394], abs=5e-4)


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("of", REFERENCE)
def test_registered_ceilings_and_metrics_give_what_rsatoolbox_gave(
    of, comparison, targets, models, reference
):
    published = reference("real_data_numbers.json")["rsatoolbox_92images"][of][comparison]
    metric, name = COMPARISONS[comparison]
    for bound, value in zip(("lower", "upper"), published["noise_ceiling"], strict=True):
        options = {"comparison": name, "pooling": "matched", "resamples": 0}
        estimate = registry.metrics.create(f"rsa_{bound}", **options)(targets[of])
        assert estimate.value == pytest.approx(value, abs=2e-7), bound
    score = registry.metrics.create(metric, resamples=0)
    sources = {**models, "monkeyIT_fig1_674neurons": create("monkeyIT").assembly()}
    assert sources.keys() == published["models"].keys()
    for model, value in published["models"].items():
        assert score(sources[model], targets[of]).value == pytest.approx(value, abs=1e-6), model


@pytest.mark.parametrize("of", REFERENCE)
def test_rho_a_of_the_same_rdms_is_what_rsatoolbox_gave(of, targets, models, reference):
    """No metric of that name is registered: its formula, mean over subjects, pools of ranks."""
    published = reference("real_data_numbers.json")["rsatoolbox_92images"][of]["rho-a"]
    n = 92 * 91 // 2

    def ranks(x):
        return rankdata(x) - (n + 1) / 2

    subjects = [ranks(own) for own in pairs(targets[of])]
    for name, rdm in models.items():
        found = [12 * ranks(pairs(rdm)) @ own / (n**3 - n) for own in subjects]
        assert np.mean(found) == pytest.approx(published["models"][name], abs=1e-6), name
    every = ranks(np.sum(subjects, axis=0))
    others = [ranks(np.sum(subjects, axis=0) - own) for own in subjects]
    lower, upper = (
        np.mean([12 * pool @ own / (n**3 - n) for pool, own in zip(pools, subjects, strict=True)])
        for pools in (others, [every] * len(subjects))
    )
    assert (lower, upper) == pytest.approx(published["noise_ceiling"], abs=1e-6)


def test_animacy_exceeds_the_lower_bound_of_human_it_by_rank_only(targets, models):
    target = targets["hIT_4subj_session_mean"]
    for metric, comparison, exceeds in (
        ("rdm", "spearman", True),
        ("rdm-pearson", "pearson", False),
    ):
        options = {"comparison": comparison, "pooling": "matched", "resamples": 0}
        bound = registry.metrics.create("rsa_lower", **options)(target).value
        score = registry.metrics.create(metric, resamples=0)(models["animacy"], target).value
        assert (score > bound) == exceeds


def test_categories_are_columns_that_no_subject_sees(stimuli):
    table = stimuli.table
    assert table["category"].value_counts().to_dict() == {
        "human bodypart": 12,
        "human face": 12,
        "nonhuman bodypart": 12,
        "nonhuman face": 12,
        "natural inanimate": 23,
        "artificial inanimate": 21,
    }
    assert (table["human"] == table["category"].str.startswith("human")).all()
    assert (table["face"] == table["category"].str.endswith("face")).all()
    assert (table["animate"] == table["animal"]).all()
    assert (table["artiObj"] == ~table["natural"]).all()
    assert len(stimuli.where(monkeyape=True)) == 7
    assert stimuli.shown().table.columns.tolist() == []


def test_repeated_columns_of_the_file_are_equal(stimuli, mat):
    file = "Kriegeskorte_Neuron2008_supplementalData.mat"
    names, vectors = mat(file, "categoryLabels"), mat(file, "categoryVectors")
    for name, column in zip(names, vectors.T, strict=True):
        np.testing.assert_array_equal(stimuli.table[str(name)], column.astype(bool))


def test_categorical_models_follow_from_the_categories(stimuli, models):
    animate = stimuli.table["animate"].to_numpy()
    np.testing.assert_array_equal(models["animacy"].values, animate[:, None] != animate)


def test_images_are_in_memory_identified_by_content_and_forgotten(stimuli):
    image = stimuli.image("92objs-01")
    assert image.shape == (175, 175, 3)
    assert image.dtype == np.uint8
    assert len(set(stimuli.contents())) == 92
    assert stimuli.visual_degrees is None
    again = create("behaviour").stimuli()
    assert again.digest() == stimuli.digest()
    maker = weakref.ref(again.images)
    assert hash(again.images) != 0
    del again
    gc.collect()
    assert maker() is None


@pytest.mark.parametrize("name", NAMES)
def test_a_models_patterns_are_a_source_too(name, mirror):
    data = create(name)
    pixels = record(registry.models.create("pixels"), data.stimuli(), "IT")
    score = registry.metrics.create("rdm", resamples=0)(pixels, data.assembly())
    patterns = 1 - np.corrcoef(pixels.values)
    expected = np.mean(
        [rho(squareform(patterns, checks=False), r) for r in np.atleast_2d(pairs(data.assembly()))]
    )
    assert score.value == pytest.approx(expected, abs=1e-6)


def test_another_way_to_take_sessions_is_refused():
    with pytest.raises(OptionError, match=r"one of mean, separate, not 'first'"):
        create("humanIT", sessions="first")
    with pytest.raises(OptionError):
        create("monkeyIT", sessions="separate")


def test_neither_pickle_nor_h5py_is_needed(mirror):
    code = (
        "import sys, builtins, pickle\n"
        "def refuse(*a, **k): raise AssertionError('pickle')\n"
        "pickle.load = pickle.loads = refuse\n"
        "from corteval_kriegeskorte2008.data import Behaviour\n"
        "data = Behaviour()\n"
        "data.stimuli(), data.assembly(), data.model_rdms()\n"
        "assert 'h5py' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
