import socket

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from corteval import models
from corteval.errors import FetchError, OptionError
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval.testing.toys import Pictures
from corteval_timm.library import timm

TRAINED = "timm/test_resnet.r160_in1k"


@pytest.fixture
def stimuli():
    generator = torch.Generator().manual_seed(0)
    pixels = {
        f"s{k}": torch.randint(0, 256, (40, 40, 3), generator=generator, dtype=torch.uint8).numpy()
        for k in range(2)
    }
    table = pd.DataFrame(index=pd.Index(list(pixels), name="stimulus_id"))
    return StimulusSet(
        identifier="toy", modality="image", table=table, images=Pictures(pixels=pixels)
    )


@pytest.fixture
def state():
    """Weights that no seed below draws."""
    torch.manual_seed(1234)
    return timm.create_model("test_resnet").state_dict()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder of the hub, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    return tmp_path / "hub"


def responses(model, stimuli, state):
    """Of the subject, and of a network of timm's own with weights `state`, to the same input."""
    network = timm.create_model("test_resnet").eval()
    network.load_state_dict(state)
    config = timm.data.resolve_model_data_config(network)
    transform = timm.data.create_transform(**config, is_training=False)
    from PIL import Image

    x = torch.stack([transform(Image.fromarray(stimuli.image(i))) for i in stimuli.stimulus_ids])
    seen = {}
    network.layer3.register_forward_hook(lambda module, inputs, output: seen.update(v4=output))
    with torch.inference_mode():
        network(x)
    return record(model, stimuli, "V4").values, seen["v4"].flatten(1).numpy()


def assert_same(model, stimuli, state):
    ours, theirs = responses(model, stimuli, state)
    assert abs(ours - theirs).max() < 1e-5 * abs(theirs).max()


def test_random_weights_are_those_timm_draws_under_the_seed(stimuli):
    torch.manual_seed(3)
    drawn = timm.create_model("test_resnet").state_dict()
    assert_same(models.create("timm/test_resnet-seed3"), stimuli, drawn)
    assert_same(models.create("timm/test_resnet", seed=3), stimuli, drawn)


def test_random_weights_are_said_aloud_with_where_trained_ones_are():
    model = models.create("timm/test_resnet")
    assert f"random weights (seed 0); trained ones: {TRAINED}" in model.notes
    assert any("by convention" in note and "V4 layer3" in note for note in model.layer_notes)


def test_layers_given_are_laid_over_the_convention():
    model = models.create("timm/test_resnet", layers={"V4": "layer2", "EVC": ("layer1", "layer2")})
    assert model.layers == {
        "V1": "layer1",
        "V2": "layer2",
        "V4": "layer2",
        "IT": "layer4",
        "EVC": ("layer1", "layer2"),
    }
    note = next(note for note in model.layer_notes if "convention" in note)
    assert note.endswith("stages: V1 layer1, V2 layer2, IT layer4")
    with pytest.raises(OptionError, match=r"no layer 'layer9'.*Did you mean layer"):
        models.create("timm/test_resnet", layers={"V4": "layer9"})


def test_trained_weights_come_from_the_hub_by_timms_own_path(hub, state, stimuli):
    folder = hub / "models--timm--test_resnet.r160_in1k"
    snapshot = folder / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(snapshot.name)
    save_file(state, snapshot / "model.safetensors")
    model = models.create(TRAINED)
    assert_same(model, stimuli, state)
    assert model.notes[0] == (
        "weights timm/test_resnet.r160_in1k, revision 0123456789ab (licence: apache-2.0)"
    )


@pytest.mark.parametrize("name", ["timm/test_resnet", TRAINED])
@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pth.tar"])
def test_weights_of_a_local_file_are_used_instead_of_a_download(
    name, suffix, tmp_path, hub, state, stimuli
):
    path = tmp_path / f"mine.{suffix}"
    if suffix == "safetensors":
        save_file(state, path)
    else:
        torch.save(state if suffix == "pth" else {"state_dict": state, "epoch": 3}, path)
    model = models.create(name, weights=path)
    assert_same(model, stimuli, state)
    assert model.notes[0] == f"weights of the file mine.{suffix}"


class Command:
    """A pickle that would run code."""

    def __reduce__(self):
        return exec, ("raise SystemExit('code of a checkpoint ran')",)


def test_files_that_are_no_weights_of_the_model_are_refused(tmp_path, state):
    with pytest.raises(OptionError, match="There is no file"):
        models.create(TRAINED, weights=tmp_path / "absent.safetensors")
    (tmp_path / "notes.txt").write_text("weights")
    with pytest.raises(OptionError, match=r"weights are read from \.safetensors"):
        models.create(TRAINED, weights=tmp_path / "notes.txt")
    (tmp_path / "broken.pth").write_bytes(b"broken")
    with pytest.raises(OptionError, match=r"broken\.pth cannot be read as weights of test_resnet"):
        models.create(TRAINED, weights=tmp_path / "broken.pth")
    torch.save({"state_dict": state, "more": Command()}, tmp_path / "code.pth")
    with pytest.raises(OptionError, match="as tensors and nothing else"):
        models.create(TRAINED, weights=tmp_path / "code.pth")
    save_file({"conv1.0.weight": state["conv1.0.weight"]}, tmp_path / "part.safetensors")
    with pytest.raises(OptionError, match=r"of which it must hold all.*Missing key"):
        models.create(TRAINED, weights=tmp_path / "part.safetensors")


def test_weights_that_cannot_be_had_are_an_error_with_the_next_steps(hub):
    with pytest.raises(FetchError) as caught:
        models.create(TRAINED)
    said = str(caught.value)
    assert (
        "https://huggingface.co/timm/test_resnet.r160_in1k/resolve/main/model.safetensors" in said
    )
    assert "offline is set (environment variable CORTEVAL_OFFLINE)" in said
    assert "HF_HOME" in said
    assert 'weights="model.safetensors"' in said
    assert f"{TRAINED}-untrained" in said


def test_weights_with_an_address_of_their_own_name_the_folder_of_torch(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(FetchError, match=r"xception-43020ad28\.pth.*TORCH_HOME .*checkpoints"):
        models.create("timm/legacy_xception.tf_in1k")


def test_a_host_without_address_is_reported_at_once(hub, monkeypatch):
    def unknown(*_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.delenv("CORTEVAL_OFFLINE")
    for proxy in (
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError, match=r"huggingface\.co: Name or service not known"):
        models.create(TRAINED)


def test_options_timm_does_not_take_are_refused():
    with pytest.raises(OptionError, match=r"model_options for test_resnet: .*colour"):
        models.create("timm/test_resnet", model_options={"colour": True})
