import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from corteval import models
from corteval.errors import OptionError
from corteval_pytorch import Preprocessing
from corteval_timm.inputs import preprocessing_of
from corteval_timm.library import timm


def network(name, **changes):
    """As far as preprocessing is concerned, a network is the configuration of its weights."""
    module = nn.Module()
    module.pretrained_cfg = timm.get_pretrained_cfg(name).to_dict() | changes
    return module


def picture(width, height):
    pixels = np.random.default_rng(width + height).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def as_input(preprocessing, image):
    if not isinstance(preprocessing, Preprocessing):
        return preprocessing(image)
    pixels = torch.from_numpy(preprocessing.pixels(image).copy())
    return preprocessing.standardise(pixels[None])[0]


# The last has no equal in the engine: a margin is added.
@pytest.mark.parametrize(
    ("name", "changes", "expressed"),
    [
        ("test_resnet.r160_in1k", {}, True),
        ("vgg16.tv_in1k", {}, True),
        ("inception_v4.tf_in1k", {}, True),
        ("convnext_tiny.fb_in1k", {"crop_mode": "squash", "crop_pct": 0.95}, True),
        ("vgg16.tv_in1k", {"interpolation": "lanczos"}, True),
        ("vgg16.tv_in1k", {"crop_mode": "border"}, False),
        ("vgg16.tv_in1k", {"input_size": (3, 96, 64)}, False),
    ],
)
def test_input_is_that_of_timms_evaluation(name, changes, expressed):
    module = network(name, **changes)
    ours = preprocessing_of(module)
    config = timm.data.resolve_model_data_config(module)
    theirs = timm.data.create_transform(**config, is_training=False)
    assert isinstance(ours, Preprocessing) is expressed
    for size in [(112, 112), (55, 55), (71, 100), (640, 479), (33, 500)]:
        image = picture(*size)
        difference = (as_input(ours, image) - theirs(image)).abs().max()
        assert difference < 2e-6, size  # one step of a pixel is .015 or more


def test_squashed_input_shows_the_whole_image_at_the_size_asked_for():
    module = network("inception_v3.tv_in1k")
    image = picture(640, 480)
    x = as_input(preprocessing_of(module, "squash", 224), image)
    resized = np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR)) / 255
    expected = (resized.transpose(2, 0, 1) - 0.5) / 0.5
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-6)


def test_another_size_keeps_the_share_that_is_cut_off():
    made = preprocessing_of(network("vgg16.tv_in1k"), image_size=448)
    assert (made.size, made.crop) == (512, 448)


def test_a_transformer_built_for_another_size_is_shown_that_size():
    model = models.create("timm/test_vit", model_options={"img_size": 96})
    assert model.extractor.preprocess.crop == 96
    tokens = 6 * 6 + 1  # patches of 16 pixels and the class token
    assert model.extractor.units("blocks.5").count == tokens * 64


def test_inputs_a_model_cannot_take_are_refused():
    with pytest.raises(OptionError, match="images of 1 channels"):
        preprocessing_of(network("vgg16.tv_in1k", input_size=(1, 28, 28)))
    with pytest.raises(OptionError, match="'evaluation' or 'squash', not 'pad'"):
        preprocessing_of(network("vgg16.tv_in1k"), "pad")
    with pytest.raises(OptionError, match="number of pixels, not 0"):
        preprocessing_of(network("vgg16.tv_in1k"), image_size=0)
    with pytest.raises(OptionError, match=r"160 x 160 pixels; for 96, give .*'img_size': 96"):
        models.create("timm/test_vit", image_size=96)
