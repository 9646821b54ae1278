import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import corteval
from corteval import store
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.model import record
from corteval.requests import OneOf, Recording, TimeBin, UnitFilter
from corteval.stimuli import StimulusSet
from corteval_pytorch import Preprocessing, commit, presentation_seeds


def bare(network, preprocess, stimuli):
    """The input of the straightforward way: every image alone, nothing shared with the engine."""
    mean, std = torch.tensor(preprocess.mean), torch.tensor(preprocess.std)
    rows = []
    for stimulus_id in stimuli.stimulus_ids:
        image = Image.fromarray(stimuli.image(stimulus_id)).convert("RGB")
        image = image.resize((preprocess.size,) * 2, Image.Resampling.BILINEAR)
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255
        rows.append((x - mean[:, None, None]) / std[:, None, None])
    return torch.stack(rows)


def test_responses_equal_a_bare_forward_pass(plain, passes, small, pictures, shelf):
    stimuli = pictures(70)
    plain.eval()
    with torch.no_grad():
        x = bare(plain, small, stimuli)
        conv = plain.conv1(x)
        second = plain.norm(plain.conv2(conv.relu()))
        logits = plain.head(second.relu().flatten(1))
    plain.train()
    subject = commit(plain, small, {"V1": "conv1", "V4": "norm", "IT": "output"})
    requests = [Recording("V1"), Recording("V4"), Recording("IT")]
    answers = subject.respond(stimuli, requests)
    assert passes == [1, 64, 6]  # a grey image tells the shapes
    # norm is rectified in place after it returned: what it returned is what is recorded
    for request, wanted in zip(requests, (conv, second, logits), strict=True):
        np.testing.assert_allclose(
            answers[request].values, wanted.flatten(1).numpy(), rtol=1e-4, atol=1e-5
        )
    assert plain.training and plain.drop.training


def test_rows_do_not_depend_on_order_names_or_company(plain, small, pictures):
    stimuli = pictures(20)
    subject = commit(plain, small, {"V4": "conv2"})
    with store.using(None):
        together = record(subject, stimuli, "V4")
        order = np.random.default_rng(1).permutation(20)
        moved = record(subject, stimuli.select([stimuli.stimulus_ids[i] for i in order]), "V4")
        alone = record(subject, stimuli.select(stimuli.stimulus_ids[3:4]), "V4")
    np.testing.assert_array_equal(moved.values, together.values[order])  # not a bit differs
    np.testing.assert_allclose(alone.values[0], together.values[3], rtol=1e-5, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 40), batch=st.integers(1, 70), seed=st.integers(0, 3))
def test_the_size_of_batches_changes_nothing_but_rounding(pictures, count, batch, seed):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    stimuli = pictures(count, seed=seed, pixels=12)
    preprocess = Preprocessing(size=12)
    with store.using(None):
        wanted = record(commit(network, preprocess, {"V1": "2"}), stimuli, "V1").values
        got = record(commit(network, preprocess, {"V1": "2"}, batch_size=batch), stimuli, "V1")
    np.testing.assert_allclose(got.values, wanted, atol=1e-5 * np.abs(wanted).max())


def test_equal_images_are_shown_once(plain, passes, small, pictures, shelf):
    stimuli = pictures(3)
    ids = [f"p000{i % 3}{letter}" for i, letter in enumerate("abcdefghi")]
    copies = StimulusSet(
        identifier="copies",
        modality="image",
        table=pd.DataFrame(index=pd.Index(ids, name="stimulus_id")),
        images=lambda stimulus_id: stimuli.image(stimulus_id[:5]),
    )
    answer = record(commit(plain, small, {"V1": "conv1"}), copies, "V1")
    assert passes == [1, 3]
    np.testing.assert_array_equal(answer.values[0], answer.values[3])


def test_the_network_stops_after_the_deepest_layer_wanted(plain, small, pictures, shelf):
    reached = []
    plain.head.register_forward_hook(lambda *_: reached.append(1))
    subject = commit(plain, small, {"V1": "conv1"}, batch_size=4)
    record(subject, pictures(16), "V1")
    assert len(reached) == 2  # the look at the shapes, and the first of four batches


def test_several_layers_are_joined_and_units_named(plain, small, pictures, shelf):
    subject = commit(plain, small, {"IT": ("conv2", "output"), "V1": "conv1"})
    joined = record(subject, pictures(4), "IT")
    assert joined.sizes["neuroid"] == 6 * 8 * 8 + 5
    assert list(joined["neuroid_id"].values[[0, -1]]) == ["conv2-0", "output-4"]
    one = record(subject, pictures(4), "V1").isel(neuroid=16 * 16 + 3 * 16 + 5)
    assert (int(one["channel"]), int(one["channel_y"]), int(one["channel_x"])) == (1, 3, 5)
    assert float(one["receptive_field_x_degrees"]) == pytest.approx((5.5 / 16 - 0.5) * 8)


def test_a_filter_gives_the_same_responses_as_the_full_layer(plain, small, pictures, shelf):
    subject = commit(plain, small, {"V1": "conv1"})
    conditions = (OneOf("channel", (1, 3)), OneOf("channel_x", (0, 7)))
    request = Recording("V1", units=UnitFilter(conditions))
    part = subject.respond(pictures(5), [request])[request]
    names = tuple(part["neuroid_id"].values[::-1].tolist())
    full = record(subject, pictures(5), "V1")
    chosen = full.isel(neuroid=np.isin(full["neuroid_id"], part["neuroid_id"]))
    np.testing.assert_allclose(part.values, chosen.values, atol=1e-6)
    by_name = Recording("V1", units=UnitFilter((OneOf("neuroid_id", (*names, "V9-0", "conv1-x")),)))
    np.testing.assert_array_equal(subject.respond(pictures(5), [by_name])[by_name], chosen)


def test_time_bins_are_answered_by_the_step_that_starts_nearest(steps, small, pictures, shelf):
    bins = {TimeBin(50 * (k + 1), 50 * (k + 2)): f"area-t{k}" for k in range(3)}
    subject = commit(steps, small, {"IT": bins})
    steps.eval()
    with torch.no_grad():
        drive, states = steps.stem(bare(steps, small, pictures(3))), []
        state = torch.zeros_like(drive)
        for _ in range(3):
            raw = steps.area(drive + state)
            states.append(raw.flatten(1).numpy())
            state = raw.tanh()
    asked = (TimeBin(140, 240), TimeBin(70, 170), TimeBin(10, 20), TimeBin(60, 80))
    answer = record(subject, pictures(3), "IT", time_bins=asked)
    assert answer["time_bin_start_ms"].values.tolist() == [140, 70, 10, 60]
    for place, step in enumerate((2, 0, 0, 0)):
        np.testing.assert_allclose(answer.values[:, :, place], states[step], atol=1e-5)
    mean = record(subject, pictures(3), "IT")
    np.testing.assert_allclose(mean.values, np.mean(states, axis=0), atol=1e-5)


def test_trials_are_an_axis_and_noise_belongs_to_the_presentation(noisy, small, pictures, shelf):
    subject = commit(noisy, small, {"V1": "noise", "retina": "clean"}, stochastic=True, seed=5)
    stimuli = pictures(40)
    responses = record(subject, stimuli, "V1", trials=6)
    assert responses.dims == ("presentation", "neuroid", "trial")
    clean = record(subject, stimuli, "retina", trials=2)
    np.testing.assert_array_equal(clean.values[..., 0], clean.values[..., 1])
    noise = responses.values - clean.values[..., :1]
    assert noise.mean() == pytest.approx(0, abs=0.01) and noise.std() == pytest.approx(1, abs=0.01)
    across = np.corrcoef(noise[:, :, 0].ravel(), noise[:, :, 1].ravel())[0, 1]
    assert abs(across) < 0.02
    with store.using(None):
        alone = record(subject, stimuli.select(["p0007"]), "V1", trials=3)
    np.testing.assert_allclose(alone.values[0], responses.values[7, :, :3], atol=1e-5)
    other = commit(noisy, small, {"V1": "noise"}, stochastic=True, seed=6)
    assert not np.allclose(record(other, stimuli, "V1", trials=1).values, responses[..., :1])


def test_noise_outside_of_a_recording_is_ordinary(noisy):
    x = torch.zeros(2, 3, 32, 32)
    assert not torch.equal(noisy(x), noisy(x))
    with presentation_seeds([1, 2]):
        first = noisy(x)
    with presentation_seeds([2, 1]):
        swapped = noisy(x)
    torch.testing.assert_close(first, swapped.flip(0))


def test_stimuli_are_placed_on_the_screen_by_degrees(plain, small, pictures, shelf):
    narrow, wide = pictures(2, visual_degrees=4.0), pictures(2, visual_degrees=16.0)
    seen = []
    plain.conv1.register_forward_hook(lambda m, inputs, o: seen.append(inputs[0].clone()))
    subject = commit(plain, small, {"V1": "conv1"}, visual_degrees=8.0)
    for stimuli in (narrow, wide):
        record(subject, stimuli, "V1")
    grey = (128 / 255 - torch.tensor(small.mean)) / torch.tensor(small.std)
    padded, cropped = seen[1], seen[2]
    torch.testing.assert_close(padded[0, :, 0, 0], grey)
    assert not torch.allclose(cropped[0, :, 0, 0], grey)
    degrees = [corteval.record(subject, s, "V1").values for s in (narrow, wide)]
    assert not np.allclose(*degrees)  # one content, two placements: two artifacts


class Pair(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)), {"a": x[:, :1]}


def test_layers_that_return_tuples_and_mappings(small, pictures, shelf):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), Pair())
    assert record(commit(network, small, {"IT": "1"}), pictures(2), "IT").shape == (2, 4)
    assert record(commit(network, small, {"IT": "1[0]"}), pictures(2), "IT").shape == (2, 4)
    with pytest.raises(OptionError, match=r"returns a dict with a, not a tensor"):
        record(commit(network, small, {"IT": "1[1]"}), pictures(2), "IT")
    with pytest.raises(OptionError, match="no element '7'"):
        record(commit(network, small, {"IT": "1[7]"}), pictures(2), "IT")


def test_a_layer_that_is_not_there_is_answered_with_close_matches(plain, small):
    with pytest.raises(OptionError, match=r"no layer 'conv3'. Did you mean conv[12]"):
        commit(plain, small, {"IT": "conv3"})
    with pytest.raises(OptionError, match="is no submodule of Plain"):
        commit(plain, small, {"IT": lambda network: nn.ReLU()})
    found = commit(plain, small, {"IT": lambda network: network.conv2})
    assert found.layers == {"IT": "conv2"}


def test_a_layer_that_does_not_run_is_an_error(plain, small, pictures, shelf):
    plain.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(AssemblyError, match="spare runs 0 times"):
        record(commit(plain, small, {"IT": "spare"}), pictures(2), "IT")
    with pytest.raises(AssemblyError, match="there is no conv1-t1"):
        record(commit(plain, small, {"IT": "conv1-t1"}), pictures(2), "IT")


class Overflowing(nn.Module):
    """NaN for images brighter than most, and infinite in half precision."""

    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def forward(self, x):
        bright = x.mean((1, 2, 3), keepdim=True) > self.limit
        return torch.where(bright, torch.nan, x)


def test_nan_names_layer_and_stimuli_and_nothing_is_stored(small, pictures, shelf):
    stimuli = pictures(5)
    means = bare(None, small, stimuli).mean((1, 2, 3))
    limit = float(means.sort().values[-2:].mean())
    name = stimuli.stimulus_ids[int(means.argmax())]
    subject = commit(Overflowing(limit), small, {"IT": "output"})
    with pytest.raises(
        AssemblyError, match=rf"layer output responds with NaN .* 1 stimuli: {name}"
    ):
        record(subject, stimuli, "IT")
    assert [entry.kind for entry in shelf.entries()] == ["layouts"]


def test_half_precision_that_overflows_is_an_error(pictures, small, shelf):
    network = nn.Sequential(nn.Conv2d(3, 2, 3, bias=False))
    nn.init.constant_(network[0].weight, 20_000.0)
    subject = commit(network, small, {"IT": "0"}, dtype="float16")
    with pytest.raises(AssemblyError, match="Half precision overflows"):
        record(subject, pictures(3), "IT")


def _single(picture):
    table = pd.DataFrame(index=pd.Index(["x"], name="stimulus_id"))
    return StimulusSet(
        identifier="one", modality="image", table=table, images=lambda _: np.asarray(picture)
    )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_close_and_said(dtype, plain, small, pictures, shelf):
    exact = record(commit(plain, small, {"IT": "conv2"}), pictures(8), "IT").values
    subject = commit(plain, small, {"IT": "conv2"}, dtype=dtype)
    half = record(subject, pictures(8), "IT").values
    assert 0 < np.abs(half - exact).max() < 0.03 * np.abs(exact).max()
    assert half.dtype == np.float32
    assert subject.notes == (f"responses were computed in {dtype}",)
    assert subject.extractor.described()["dtype"] == dtype


def test_a_network_in_half_or_double_precision_gets_its_own_type(plain, small, pictures, shelf):
    exact = record(commit(plain, small, {"IT": "conv2"}), pictures(4), "IT").values
    double = record(commit(plain.double(), small, {"IT": "conv2"}), pictures(4), "IT").values
    np.testing.assert_allclose(double, exact, atol=1e-5)
    half = record(commit(plain.bfloat16(), small, {"IT": "conv2"}), pictures(4), "IT").values
    np.testing.assert_allclose(half, exact, atol=0.05)


def test_when_memory_runs_out_the_batch_is_halved(plain, small, pictures, shelf, caplog):
    sizes = []

    def starve(module, inputs):
        sizes.append(len(inputs[0]))
        if len(inputs[0]) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    wanted = record(commit(plain, small, {"IT": "conv2"}), pictures(20), "IT").values
    plain.conv1.register_forward_pre_hook(starve)
    with store.using(None):
        subject = commit(plain, small, {"IT": "conv2"}, batch_size=16)
        got = record(subject, pictures(20), "IT").values
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
    assert max(sizes[-4:]) <= 5 and "out of memory with 16 stimuli" in caplog.text


def test_one_stimulus_that_does_not_fit_is_a_clear_error(plain, small, pictures, shelf):
    subject = commit(plain, small, {"IT": "conv2"})
    subject.extractor.layer_names()

    def starve(module, inputs):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")

    plain.conv1.register_forward_pre_hook(starve)
    with pytest.raises(corteval.errors.CortevalError, match="not enough memory for one stimulus"):
        record(subject, pictures(3), "IT")


def test_odd_images_are_read_or_named(tmp_path, plain, small, shelf):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(pixels).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(pixels[:1, :1]).save(tmp_path / "pixel.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    names = ["cmyk.jpg", "palette.png", "pixel.png", "grey.png"]
    subject = commit(plain, small, {"V1": "conv1"})

    def shown(*files):
        table = pd.DataFrame(
            {"path": [str(tmp_path / f) for f in files]}, index=pd.Index(files, name="stimulus_id")
        )
        return StimulusSet(identifier="odd", modality="image", table=table)

    answer = record(subject, shown(*names), "V1")
    assert np.isfinite(answer.values).all()
    one = Image.new("RGB", (32, 32), tuple(pixels[0, 0].tolist()))
    flat = record(subject, _single(one), "V1")
    np.testing.assert_allclose(answer.values[2], flat.values[0], atol=1e-6)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG not really")
    with pytest.raises(StimuliError, match=r"Stimulus broken\.png"):
        record(subject, shown("grey.png", "broken.png"), "V1")


def test_networks_whose_course_depends_on_their_input_are_refused(small, pictures, shelf):
    class Fickle(nn.Module):
        def __init__(self):
            super().__init__()
            self.area, self.calls = nn.Identity(), 3

        def forward(self, x):
            for _ in range(self.calls):
                x = self.area(x)
            self.calls = 1
            return x

    subject = commit(Fickle(), small, {"IT": "area"}, batch_size=2)
    subject.extractor.layer_names()
    subject.extractor.module.calls = 3
    with pytest.raises(corteval.errors.PluginError, match="whose course depends on its input"):
        record(subject, pictures(6), "IT")


def test_seven_lines_of_a_notebook_are_enough(mirror, shelf):
    """The example of the README, on real data."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 32, 7, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(7))
    subject = commit(module, Preprocessing(size=112), {"V4": "2"})
    score = corteval.score(subject, "Cowley2023.V4-ridge", store=shelf)
    assert score.status == "scored" and score.model == "Sequential"
    assert 0.02 < score.value < 0.5
    assert score.provenance.digests["model"] == subject.extractor.fingerprint
