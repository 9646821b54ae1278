import numpy as np
import pytest
import torch
from PIL import Image

from corteval.errors import OptionError
from corteval_pytorch import Preprocessing, commit, declare_torchvision_operators


@pytest.mark.parametrize("shape", [(40, 60), (61, 37), (1, 1), (32, 32)])
@pytest.mark.parametrize(
    "ours",
    [
        Preprocessing(size=32),
        Preprocessing(size=36, resize="shortest", crop=32),
        Preprocessing(size=32, resize="shortest", interpolation="bicubic"),
    ],
)
def test_preprocessing_equals_that_of_torchvision(shape, ours):
    declare_torchvision_operators()
    from torchvision import transforms as tv

    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    picture = Image.fromarray(pixels)
    mode = tv.InterpolationMode(ours.interpolation)
    steps = [tv.Resize((32, 32) if ours.resize == "squash" else ours.size, mode)]
    steps += [tv.CenterCrop(32)] if ours.resize == "shortest" else []
    theirs = tv.Compose([*steps, tv.ToTensor(), tv.Normalize(ours.mean, ours.std)])(picture)
    mine = ours.standardise(torch.from_numpy(ours.pixels(picture)[None].copy()))[0]
    torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-6)


def test_batches_are_laid_out_channels_last():
    pixels = torch.zeros(4, 8, 8, 3, dtype=torch.uint8)
    x = Preprocessing(size=8).standardise(pixels)
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_any_function_from_image_to_tensor_will_do(plain, small, pictures, shelf):
    from corteval.model import record

    def own(picture):
        return small.standardise(torch.from_numpy(small.pixels(picture)[None].copy()))[0]

    wanted = record(commit(plain, small, {"IT": "conv2"}), pictures(4), "IT").values
    got = record(commit(plain, own, {"IT": "conv2"}), pictures(4), "IT").values
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    with pytest.raises(OptionError, match=r"must be \(channel, height, width\)"):
        record(commit(plain, lambda p: torch.zeros(3), {"IT": "conv2"}), pictures(4), "IT")


def test_impossible_settings_are_refused():
    with pytest.raises(OptionError, match="cannot be cropped"):
        Preprocessing(size=32, crop=40)
    with pytest.raises(OptionError, match="do not fit"):
        Preprocessing(std=(0.0, 1.0, 1.0))


def test_mistakes_in_pre_processing_are_named(plain, small, pictures, shelf):
    from corteval.model import record

    with pytest.raises(OptionError, match="'bicubik' is none of nearest"):
        Preprocessing(interpolation="bicubik")
    with pytest.raises(OptionError, match="not a NoneType"):
        commit(plain, None, {"IT": "conv2"})
    with pytest.raises(OptionError, match="Name the layer of at least one target"):
        commit(plain, small, "conv2")
    for own, complaint in (
        (lambda picture: 1 / 0, "failed on stimulus grey: ZeroDivisionError"),
        (np.asarray, r"must be \(channel, height, width\)"),
    ):
        with pytest.raises(OptionError, match=complaint):
            record(commit(plain, own, {"IT": "conv2"}), pictures(2), "IT")
