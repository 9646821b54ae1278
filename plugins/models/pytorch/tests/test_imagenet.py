import numpy as np
import torch
from torch import nn

from corteval.model import perform
from corteval.requests import Label
from corteval_pytorch import commit, declare_torchvision_operators, imagenet_logits


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
