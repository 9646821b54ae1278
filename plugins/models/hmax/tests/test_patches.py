import numpy as np
import pytest
import torch

from corteval.errors import OptionError
from corteval_hmax.layers import PATCH_SIZES
from corteval_hmax.network import bands, s1_and_c1
from corteval_hmax.patches import image_files, random_patches, read_patches, sample_patches


def pictures(count=2, size=160):
    generator = torch.Generator().manual_seed(0)
    return {f"{n}.png": torch.rand(3, size, size, generator=generator) for n in range(count)}


def arrays(**changed):
    made = {f"size_{s}": np.full((3, 4, s, s), 0.1) for s in PATCH_SIZES} | changed
    return {name: array for name, array in made.items() if array is not None}


def test_random_patches_are_seeded_and_small():
    first, again, other = random_patches(0, 20), random_patches(0, 20), random_patches(1, 20)
    for size in PATCH_SIZES:
        assert first[size].shape == (20, 4, size, size)
        assert first[size].min() >= 0 and first[size].max() < 0.4
        assert torch.equal(first[size], again[size])
        assert not torch.equal(first[size], other[size])


def test_sampled_patches_are_windows_of_c1():
    images = pictures()
    drawn = sample_patches(images, count=5)
    maps = [bands(s1_and_c1(), image[None])[1][0] for image in images.values()]
    windows = torch.cat([m.unfold(1, 8, 1).unfold(2, 8, 1).flatten(1, 2) for m in maps], dim=1)
    for patch in drawn[8]:
        assert (windows.transpose(0, 1) == patch).all(dim=(1, 2, 3)).any()


def test_sampling_is_seeded_and_the_order_of_images_does_not_matter():
    images = pictures()
    drawn = sample_patches(images, count=4)
    turned = sample_patches(dict(reversed(images.items())), count=4)
    other = sample_patches(images, count=4, seed=1)
    assert all(torch.equal(drawn[s], turned[s]) for s in PATCH_SIZES)
    assert not any(torch.equal(drawn[s], other[s]) for s in PATCH_SIZES)


def test_a_file_is_read_back_as_it_was_written(tmp_path):
    drawn = random_patches(3, 7)
    file = tmp_path / "patches.npz"
    np.savez(file, **{f"size_{s}": p.numpy() for s, p in drawn.items()})
    found = read_patches(file)
    assert all(torch.equal(found[s], drawn[s]) for s in PATCH_SIZES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (arrays(size_6=None), "no array 'size_6'"),
        (arrays(size_4=np.zeros((3, 4, 4, 5))), r"shape \(3, 4, 4, 5\)"),
        (arrays(size_4=np.zeros((0, 4, 4, 4))), r"shape \(0, 4, 4, 4\)"),
        (arrays(size_4=np.full((3, 4, 4, 4), np.nan)), "not finite"),
    ],
)
def test_malformed_files_are_refused_by_array(tmp_path, content, message):
    file = tmp_path / "patches.npz"
    np.savez(file, **content)
    with pytest.raises(OptionError, match=message):
        read_patches(file)


def test_files_that_are_no_patches_are_refused(tmp_path):
    with pytest.raises(OptionError, match="cannot be read"):
        read_patches(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("no patches")
    with pytest.raises(OptionError, match="cannot be read"):
        read_patches(tmp_path / "text.npz")
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(OptionError, match="cannot be read"):
        read_patches(tmp_path / "single.npy")


def test_folders_without_images_and_small_images_are_refused(tmp_path):
    with pytest.raises(OptionError, match="no folder"):
        image_files(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(OptionError, match="holds no image"):
        image_files(tmp_path)
    with pytest.raises(OptionError, match="places per side"):
        sample_patches(pictures(1, 64), count=1)
    with pytest.raises(OptionError, match="no images"):
        sample_patches({})
    with pytest.raises(OptionError, match="bands 0 to 7"):
        sample_patches(pictures(1), band=8)
