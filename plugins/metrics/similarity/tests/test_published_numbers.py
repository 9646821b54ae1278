"""Real data: the 92 images of Kriegeskorte et al. 2008, and V4 session 210325."""

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.spatial.distance import squareform

from corteval import registry
from corteval.assembly import neural
from corteval_similarity import rdm_assembly

FOLDER = (
    "raw.githubusercontent.com/rsagroup/rsatoolbox/f1f83cadb7243492a1aae7460466e0f0140b20ac"
    "/demos/92imageData"
)
IDS = [f"image-{number:02d}" for number in range(92)]
COMPARISONS = {
    "cosine": "rdm-cosine",
    "corr": "rdm-pearson",
    "spearman": "rdm",
    "tau-a": "rdm-kendall",
}


@pytest.fixture(scope="module")
def images(mirror):
    def load(name, key):
        return loadmat(mirror / FOLDER / name, squeeze_me=True, struct_as_record=False)[key]

    brains = [[run.RDM for run in subject] for subject in load("92_brainRDMs.mat", "RDMs")]
    behaviour = [one.RDM for one in load("92_behavRDMs.mat", "rdms_behav_92")]
    models = {one.name: one.RDM for one in load("92_modelRDMs.mat", "Models")}
    figure = load("Kriegeskorte_Neuron2008_supplementalData.mat", "RDMs_mIT_hIT_fig1")
    models["monkeyIT_fig1_674neurons"] = squareform(figure[0].RDM)
    targets = {
        "hIT_4subj_session_mean": np.mean(brains, axis=1),
        "hIT_8_subject_sessions": np.reshape(brains, (8, 92, 92)),
        "behaviour_16subj": np.array(behaviour),
    }
    return (
        {name: rdm_assembly(rdm, IDS) for name, rdm in models.items()},
        {
            name: rdm_assembly(rdms, IDS, [str(number) for number in range(len(rdms))])
            for name, rdms in targets.items()
        },
    )


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize(
    "target", ["hIT_4subj_session_mean", "hIT_8_subject_sessions", "behaviour_16subj"]
)
def test_models_score_on_the_92_images_what_rsatoolbox_gave(target, comparison, images, reference):
    models, targets = images
    expected = reference("real_data_numbers.json")["rsatoolbox_92images"][target][comparison]
    metric = registry.metrics.create(COMPARISONS[comparison], resamples=0)
    for name, value in expected["models"].items():
        assert metric(models[name], targets[target]).value == pytest.approx(value, abs=1e-6), name


def test_judgements_are_nearer_to_animacy_than_to_silhouettes_in_new_subjects_and_stimuli(images):
    models, targets = images
    metric = registry.metrics.create("rdm")
    raw = [metric(models[n], targets["behaviour_16subj"]).raw for n in ("animacy", "Silhouette")]
    animacy, silhouette = (np.percentile(r.replicates[-1].values, [2.5, 97.5]) for r in raw)
    assert animacy[0] > silhouette[1]


def test_pixels_score_on_v4_what_independent_code_computed(mirror, reference):
    data = registry.data.create("Cowley2023")
    stimuli = data.stimuli()
    images = np.stack([stimuli.image(one) for one in stimuli.stimulus_ids])
    pixels = images.mean(-1).reshape(640, 14, 8, 14, 8).mean((2, 4)).reshape(640, -1) / 255
    units = {"neuroid_id": [f"pixel-{number}" for number in range(196)]}
    source = neural(pixels, list(stimuli.stimulus_ids), units)
    target = data.assembly().isel(trial=slice(0, 6))
    expected = reference("real_data_numbers.json")["brainscore_metrics_on_these_data"]
    score = registry.metrics.create("rdm")(source, target)
    assert score.value == pytest.approx(expected["V4_210325|pixel14|rdm"]["score"], abs=1e-6)
