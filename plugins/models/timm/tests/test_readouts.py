import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from corteval import models
from corteval.model import perform
from corteval.requests import Label, Probabilities
from corteval.stimuli import StimulusSet
from corteval.testing.toys import Pictures, images
from corteval_timm.library import timm
from corteval_timm.model import imagenet_logits


@pytest.fixture
def stimuli():
    generator = np.random.default_rng(0)
    pixels = {f"s{k}": generator.integers(0, 256, (30, 30, 3), np.uint8) for k in range(8)}
    table = pd.DataFrame(
        {"label": ["a", "b"] * 4}, index=pd.Index(list(pixels), name="stimulus_id")
    )
    return StimulusSet(
        identifier="toy", modality="image", table=table, images=Pictures(pixels=pixels)
    )


def test_labels_are_the_choice_of_the_greatest_probability(stimuli, tmp_path):
    from PIL import Image

    torch.manual_seed(0)
    network = timm.create_model("test_resnet").eval()
    transform = timm.data.create_transform(
        **timm.data.resolve_model_data_config(network), is_training=False
    )
    x = torch.stack([transform(Image.fromarray(stimuli.image(i))) for i in stimuli.stimulus_ids])
    with torch.inference_mode():
        # no class is favoured by all images alike, and the images are far apart
        logits = network(x)
        network.fc.bias.sub_(logits.mean(dim=0)).mul_(1e3)
        network.fc.weight.mul_(1e3)
        p = network(x).softmax(dim=1).double().numpy()
    # by ImageNet's numbering: goldfish 1, tench 0; both cranes, a bird 134 and a machine 517
    columns = [p[:, 1], p[:, 0], (p[:, 134] + p[:, 517]) / 2]
    choices = ("goldfish", "n01440764", "crane")
    expected = np.array(choices)[np.argmax(columns, axis=0)]
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    model = models.create("timm/test_resnet", weights=tmp_path / "mine.safetensors")
    answers = perform(model, stimuli, Label(choices))
    assert set(expected) == set(choices)
    assert list(answers.values) == list(expected)


def test_every_word_of_a_class_is_a_choice_and_other_words_are_none():
    readout = imagenet_logits()
    assert readout.supports(Label(("giant panda", "Panda", "n02510455", "great white shark")))
    assert not readout.supports(Label(("giant panda", "unicorn")))
    assert len(readout.classes) == 1000


def test_categories_of_classes_are_choices_of_networks_with_the_thousand_classes():
    readout = imagenet_logits()
    sixteen = (
        "airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat", "chair", "clock",
        "dog", "elephant", "keyboard", "knife", "oven", "truck",
    )  # fmt: skip
    assert readout.supports(Label(sixteen))
    logits = np.zeros((1, 1000))
    logits[0, 296] = 9.0  # the ice bear, by ImageNet's numbering
    answer = readout(Label(sixteen), images(1), lambda stimuli: logits)
    assert answer.values.tolist() == ["bear"]
    # the 21,841 classes have one for dogs of whatever breed, which is meant by its own word
    assert "n02084071" in imagenet_logits("imagenet-22k").choices["dog"]


def test_models_without_classes_label_nothing_but_give_probabilities(stimuli):
    model = models.create("timm/test_vit", model_options={"num_classes": 0})
    assert not model.supports(Label(("goldfish", "tench")))
    answer = perform(model, stimuli, Probabilities(stimuli))
    np.testing.assert_allclose(answer.sum("choice").values, 1)
