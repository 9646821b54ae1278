import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from corteval.errors import AssemblyError, OptionError, StimuliError, UnsupportedRequest
from corteval.model import ANY_TARGET, LayerCommitment, perform
from corteval.readouts import LogisticProbabilities, Logits, OddOneOutByDotProduct
from corteval.requests import Label, OddOneOut, Probabilities, ReadingTime
from corteval.stimuli import StimulusSet

FEATURES = np.random.default_rng(0).normal(size=(40, 6))


def stimuli(rows, **columns):
    ids = [f"s{i:02d}" for i in rows]
    table = pd.DataFrame({"text": ids} | columns, index=pd.Index(ids, name="stimulus_id"))
    return StimulusSet(identifier="toy", modality="text", table=table)


class Table:
    """Responds with rows of `FEATURES`."""

    def __init__(self, features=FEATURES):
        self.features = features

    def units(self, layer):
        return {"neuroid_id": np.array([f"{layer}-{i}" for i in range(self.features.shape[1])])}

    def __call__(self, shown, wanted):
        rows = [int(i[1:]) for i in shown.stimulus_ids]
        yield {layer: self.features[rows][:, units] for layer, units in wanted.items()}


def subject(*readouts, features=FEATURES):
    return LayerCommitment(
        identifier="toy",
        extractor=Table(features),
        layers={ANY_TARGET: "layer"},
        modalities=frozenset({"text"}),
        readouts=readouts,
    )


CLASSES = ("dog", "cat", "car", "crane", "boat", "crane")


def test_labels_are_the_mean_probability_over_the_classes_of_a_choice():
    readout = Logits(layer="layer", classes=CLASSES, choices={"animal": ("dog", "Cat")})
    model = subject(readout, features=FEATURES * 30)
    task = Label(("animal", "car", "crane"))
    assert model.supports(task)
    p = softmax(FEATURES * 30, axis=1)
    means = np.stack([p[:, [0, 1]].mean(1), p[:, 2], p[:, [3, 5]].mean(1)], axis=1)
    wanted = np.array(task.choices)[means.argmax(axis=1)]
    answer = perform(model, stimuli(range(40)), task)
    np.testing.assert_array_equal(answer.values, wanted)


def test_huge_logits_do_not_overflow():
    readout = Logits(layer="layer", classes=CLASSES)
    logits = np.array([[1e4, 0, 0, 0, 0, 0], [0, -1e4, 0, 5e3, 0, 4e3]], np.float32)
    answer = perform(subject(readout, features=logits), stimuli(range(2)), Label(("dog", "crane")))
    assert answer.values.tolist() == ["dog", "crane"]


def test_choices_that_are_no_class_are_not_supported():
    readout = Logits(layer="layer", classes=CLASSES)
    assert not subject(readout).supports(Label(("dog", "lamp")))
    with pytest.raises(UnsupportedRequest):
        perform(subject(readout), stimuli(range(2)), Label(("dog", "lamp")))
    with pytest.raises(OptionError, match="no class 'wolf'"):
        Logits(layer="layer", classes=CLASSES, choices={"animal": ("wolf",)})
    with pytest.raises(AssemblyError, match="6 units for 2 classes"):
        perform(subject(Logits(layer="layer", classes=("a", "b"))), stimuli([0]), Label(("a",)))


def test_probabilities_are_those_of_scikit_learn_and_need_no_label_of_what_is_tested():
    labels = np.array(["dog", "car", "boat"])[(FEATURES[:, 0] > 0) + (FEATURES[:, 1] > 0.5) * 1]
    fit = stimuli(range(30), label=labels[:30])
    answer = perform(
        subject(LogisticProbabilities(layer="layer")), stimuli(range(30, 40)), Probabilities(fit)
    )
    x = FEATURES.astype(np.float32).astype(float)
    scaler = StandardScaler().fit(x[:30])
    exact = LogisticRegression(C=1e-3, tol=1e-10, max_iter=1000)
    exact.fit(scaler.transform(x[:30]), labels[:30])
    wanted = exact.predict_proba(scaler.transform(x[30:]))
    np.testing.assert_allclose(answer.values, wanted, atol=1e-4)
    assert answer["choice"].values.tolist() == ["boat", "car", "dog"]


def test_fitting_stimuli_need_two_labels():
    model = subject(LogisticProbabilities(layer="layer"))
    with pytest.raises(StimuliError, match="needs a column 'label'"):
        perform(model, stimuli([1]), Probabilities(stimuli([2, 3])))
    with pytest.raises(StimuliError, match="one label"):
        perform(model, stimuli([1]), Probabilities(stimuli([2, 3], label=["a", "a"])))


def test_the_odd_one_is_left_out_of_the_most_similar_pair():
    triplets = tuple(tuple(f"s{i:02d}" for i in t) for t in ((0, 1, 2), (7, 3, 9), (4, 0, 9)))
    answer = perform(
        subject(OddOneOutByDotProduct(layer="layer")), stimuli(range(10)), OddOneOut(triplets)
    )
    for chosen, triplet in zip(answer.values, triplets, strict=True):
        rows = [int(i[1:]) for i in triplet]
        products = {
            odd: float(FEATURES[a] @ FEATURES[b])
            for odd, a, b in ((0, rows[1], rows[2]), (1, rows[0], rows[2]), (2, rows[0], rows[1]))
        }
        assert chosen == triplet[max(products, key=products.__getitem__)]
    assert answer["second"].values.tolist() == ["s01", "s03", "s00"]
    with pytest.raises(StimuliError, match="not in toy: s20"):
        task = OddOneOut((("s00", "s01", "s20"),))
        perform(subject(OddOneOutByDotProduct(layer="layer")), stimuli(range(10)), task)


def test_a_task_without_a_readout_is_not_supported():
    assert not subject(LogisticProbabilities(layer="layer")).supports(ReadingTime())
