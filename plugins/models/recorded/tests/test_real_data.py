"""Real people through `respond`: what is known of them comes out again."""

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from corteval.model import perform
from corteval.requests import Label
from corteval.stimuli import StimulusSet
from corteval_recorded import subject

MODEL_VS_HUMAN = (
    "raw.githubusercontent.com/bethgelab/model-vs-human/"
    "79ed7cd1d9ac3a114e71b6638f0a98bdd627316c/raw-data"
)
SIXTEEN = Label(
    (
        "airplane",
        "bear",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "car",
        "cat",
        "chair",
        "clock",
        "dog",
        "elephant",
        "keyboard",
        "knife",
        "oven",
        "truck",
    )
)


@pytest.fixture(scope="module")
def metrics():
    return pytest.importorskip("corteval_behaviour")


@pytest.fixture(scope="module")
def answers(mirror):
    """Answers of all people of a data set, from `respond`, to images as a data set names them."""

    def ask(dataset):
        files = sorted((mirror / MODEL_VS_HUMAN / dataset).glob("*.csv"))
        table = pd.read_csv(files[0], dtype=str, keep_default_na=False)
        names = table["imagename"].str.split("_", n=3).str[3].sort_values()
        parts = names.str.split("_", n=3)  # condition, category, number, image
        truth = parts.str[1].to_numpy(str)
        stimuli = StimulusSet(
            identifier=dataset,
            modality="image",
            table=pd.DataFrame({"path": "unseen"}, index=pd.Index(names, name="stimulus_id")),
        )
        people = {}
        for file in files:
            human = subject(file, match="model-vs-human")
            people[file.stem] = perform(human, stimuli, SIXTEEN).assign_coords(
                subject=("presentation", np.full(len(stimuli), file.stem)),
                condition=("presentation", parts.str[0].to_numpy(str)),
                truth=("presentation", truth),
            )
        return people

    return ask


@pytest.mark.parametrize("dataset", ["cue-conflict", "edge", "silhouette", "colour"])
def test_kappas_among_replayed_people_are_the_known_ones(answers, metrics, reference, dataset):
    people = answers(dataset)
    known = reference("real_data_numbers.json")["model_vs_human"]["human_only_17_datasets"][dataset]
    everyone = xr.concat(people.values(), "presentation")
    assert everyone.sizes["presentation"] == known["trials"]
    ceiling = metrics.HumanErrorConsistency(resamples=0)(everyone).value
    mean = known["human_human_error_consistency_mean_over_conditions"]
    assert ceiling == pytest.approx(mean, abs=1e-12)
    right = {name: (a.values == a["truth"].values).astype(float) for name, a in people.items()}
    conditions = next(iter(people.values()))["condition"].values
    kappas = [
        metrics.error_consistency(a[conditions == c], b[conditions == c])
        for a, b in itertools.combinations(right.values(), 2)
        for c in np.unique(conditions)
    ]
    expected = known["human_pairs_kappa_min_max"]
    np.testing.assert_allclose([min(kappas), max(kappas)], expected, atol=1e-12)
    assert np.mean([r.mean() for r in right.values()]) == pytest.approx(known["accuracy_overall"])


def test_shape_biases_of_replayed_people_are_the_known_ones(answers, metrics, reference):
    known = reference("real_data_numbers.json")["model_vs_human"]
    known = known["texture_shape_humans_and_25_CNNs"]["texture-shape_cue-conflict"]
    for name, answer in answers("cue-conflict").items():
        names = pd.Series(answer["stimulus_id"].values).str.removesuffix(".png")
        texture = names.str.rsplit("-", n=1).str[1].str.rstrip("0123456789").to_numpy(str)
        person = name.removeprefix("cue-conflict_").removesuffix("_session_1")
        bias = metrics.shape_bias(answer.values, answer["truth"].values, texture)
        assert bias == pytest.approx(known["human_shape_bias"][person], abs=1e-12)


def test_a_replayed_person_stands_on_a_leaderboard_of_models(answers, metrics):
    people = answers("cue-conflict")
    one = people.pop("cue-conflict_subject-01_session_1").drop_vars(["subject", "truth"])
    rest = xr.concat(people.values(), "presentation")
    score = metrics.ErrorConsistency(resamples=0)(one, rest)
    assert 0.18 < score.value < 0.46  # range of pairs of people; networks reach .02 to .20


def test_names_of_the_image_files_find_a_persons_trials(mirror):
    root = mirror / "raw.githubusercontent.com/rgeirhos/texture-vs-shape"
    files = sorted(root.glob("*/stimuli/style-transfer-preprocessed-512/*/*.png"))
    index = pd.Index([f"{file.parent.name}/{file.name}" for file in files], name="stimulus_id")
    stimuli = StimulusSet(
        identifier="cue-conflict",
        modality="image",
        table=pd.DataFrame({"path": [str(file) for file in files]}, index=index),
    )
    trials = mirror / MODEL_VS_HUMAN / "cue-conflict/cue-conflict_subject-01_session_1.csv"
    human = subject(trials, match="model-vs-human-image")
    answer = perform(human, stimuli, SIXTEEN)
    shape = np.array([file.parent.name for file in files])
    assert len(files) == 320
    assert (answer.values == shape).mean() > 0.6  # people see shapes
