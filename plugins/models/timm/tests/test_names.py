import pytest

from corteval import models
from corteval.errors import OptionError, UnknownIdentifier
from corteval_timm.library import timm
from corteval_timm.names import parse


def test_a_name_alone_or_untrained_has_random_weights_and_a_tag_trained_ones():
    read = {
        text: (parse(text).name, parse(text).seed)
        for text in (
            "resnet18",
            "resnet18-untrained",
            "resnet18-seed7",
            "resnet18-untrained-seed7",
            "resnet18.tv_in1k",
            "resnet18.tv_in1k-untrained",
            "resnet18.tv_in1k-untrained-seed2",
        )
    }
    assert read == {
        "resnet18": ("resnet18", 0),
        "resnet18-untrained": ("resnet18", 0),
        "resnet18-seed7": ("resnet18", 7),
        "resnet18-untrained-seed7": ("resnet18", 7),
        "resnet18.tv_in1k": ("resnet18.tv_in1k", None),
        "resnet18.tv_in1k-untrained": ("resnet18.tv_in1k", 0),
        "resnet18.tv_in1k-untrained-seed2": ("resnet18.tv_in1k", 2),
    }


def test_every_name_of_timm_is_read_as_itself():
    names = [*timm.list_models(), *timm.list_pretrained()]
    assert len(names) > 2000
    assert [parse(name).name for name in names[::40]] == names[::40]


def test_unknown_names_are_answered_with_close_ones():
    with pytest.raises(UnknownIdentifier, match=r"no model 'resnet19'.*timm/resnet18"):
        models.create("timm/resnet19")
    with pytest.raises(UnknownIdentifier, match=r"no weights 'bogus' of resnet18. It has a1_in1k"):
        models.create("timm/resnet18.bogus")
    with pytest.raises(UnknownIdentifier, match=r"list_models"):
        models.create("timm/zzzzqqqq")


def test_seeds_that_mean_nothing_are_refused():
    with pytest.raises(OptionError, match="trained weights are not drawn"):
        models.create("timm/test_resnet.r160_in1k-seed3")
    with pytest.raises(OptionError, match="only random weights are drawn"):
        models.create("timm/test_resnet.r160_in1k", seed=3)
    with pytest.raises(OptionError, match="names one seed and the option"):
        models.create("timm/test_resnet-seed3", seed=4)
