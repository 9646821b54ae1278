import numpy as np
import torch
from torch import nn

from corteval.model import perform
from corteval.requests import Label
from corteval_pytorch import (
    commit,
    declare_torchvision_operators,
    imagenet,
    imagenet_categories,
    imagenet_logits,
)


class Fixed(nn.Module):
    """Logits that favour one class."""

    def __init__(self, favoured):
        super().__init__()
        self.favoured = favoured

    def forward(self, x):
        return 20.0 * nn.functional.one_hot(torch.tensor(self.favoured), 1000).expand(len(x), -1)


def test_classes_are_in_the_order_of_the_field():
    declare_torchvision_operators()
    from torchvision.models import AlexNet_Weights

    theirs = AlexNet_Weights.IMAGENET1K_V1.meta["categories"]
    readout = imagenet_logits("output")
    assert len(readout.classes) == 1000 and len(set(readout.classes)) == 1000
    for number in (0, 1, 281, 517, 999):
        assert readout.classes[number] in readout.choices[theirs[number]]
    agreeing = [
        t for t, s in zip(theirs, readout.classes, strict=True) if s in readout.choices.get(t, ())
    ]
    assert len(agreeing) > 985  # torchvision spells a few differently


def test_labels_by_word_and_by_synset(small, pictures, shelf):
    subject = commit(Fixed(281), small, {"IT": "output"}, readouts=[imagenet_logits("output")])
    for choices, wanted in (
        (("tench", "Tabby"), "Tabby"),
        (("n01440764", "n02123045"), "n02123045"),
    ):
        task = Label(choices)
        assert subject.supports(task)
        assert np.all(perform(subject, pictures(3), task) == wanted)
    assert not subject.supports(Label(("tench", "gremlin")))


#: Numbers of classes, from 0, as published for the 16 categories.
SIXTEEN = {
    "airplane": [404],
    "bear": [294, 295, 296, 297],
    "bicycle": [444, 671],
    "bird": [8, *range(10, 17), *range(18, 21), *range(22, 25), *range(80, 84), *range(87, 97),
             *range(98, 101), *range(127, 134), *range(135, 146)],
    "boat": [472, 554, 625, 814, 914],
    "bottle": [440, 720, 737, 898, 899, 901, 907],
    "car": [436, 511, 817],
    "cat": [281, 282, 283, 284, 285, 286],
    "chair": [423, 559, 765, 857],
    "clock": [409, 530, 892],
    "dog": [*range(152, 192), *range(193, 204), *range(205, 227), *range(228, 242),
            *range(243, 251), *range(252, 258), 259, *range(261, 264), *range(265, 269)],
    "elephant": [385, 386],
    "keyboard": [508, 878],
    "knife": [499],
    "oven": [766],
    "truck": [555, 569, 656, 675, 717, 734, 864, 867],
}  # fmt: skip

#: What later benchmarks added, the same way.
ADDED = {
    "aeroplane": [404, 895],
    "beanie": [439, 452, 515, 808],
    "boot": [514],
    "bowl": [659, 809],
    "bunny": [330, 331, 332],
    "bus": [654, 779, 874],
    "frog": [30, 31, 32],
    "glasses": [837],
    "lamp": [470, 607, 818, 846],
    "lizard": list(range(38, 49)),
    "motorbike": [665, 670],
    "pan": [567],
    "turtle": list(range(33, 38)),
    "wolf": list(range(269, 276)),
}


def test_categories_are_made_of_the_classes_that_were_published():
    number = {synset: n for n, synset in enumerate(imagenet_logits("output").classes)}
    found = {
        name: sorted(number[synset] for synset in members)
        for name, members in imagenet_categories().items()
    }
    assert found == SIXTEEN | ADDED
    assert sum(map(len, SIXTEEN.values())) == 207


def test_no_class_is_in_two_of_the_sixteen_categories():
    members = [synset for name in SIXTEEN for synset in imagenet_categories()[name]]
    assert len(set(members)) == len(members)


def test_no_category_has_the_name_of_a_class():
    words = imagenet.__dict__["_classes"]()[1]
    named = {word.casefold() for synonyms in words for word in synonyms}
    assert not named & {name.casefold() for name in imagenet_categories()}
    # so that these are classes
    assert {"banana", "binoculars", "cup", "sewing machine", "shovel", "tiger"} <= named


def test_a_network_of_imagenet_answers_in_categories(small, pictures, shelf):
    subject = commit(Fixed(281), small, {"IT": "output"}, readouts=[imagenet_logits("output")])
    task = Label(tuple(SIXTEEN))
    assert subject.supports(task)
    assert np.all(perform(subject, pictures(3), task) == "cat")


def test_the_choice_is_the_category_of_the_largest_mean_probability(pictures):
    logits = 3 * np.random.default_rng(5).standard_normal((8, 1000))
    p = torch.tensor(logits).softmax(dim=1).numpy()
    names = np.array(list(SIXTEEN))
    of_means, of_sums = (
        names[np.stack([pool(p[:, m], axis=1) for m in SIXTEEN.values()], axis=1).argmax(axis=1)]
        for pool in (np.mean, np.sum)
    )
    answers = imagenet_logits("output")(Label(tuple(SIXTEEN)), pictures(8), lambda shown: logits)
    assert answers.values.tolist() == of_means.tolist() != of_sums.tolist()
