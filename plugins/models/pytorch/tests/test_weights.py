import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from corteval.cards import Resource
from corteval.errors import OptionError, PluginError, WrongContent
from corteval_pytorch import (
    convert_checkpoint,
    given_weights,
    initialised,
    load_state,
    load_weights,
)


class Canary:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("import builtins; builtins.canary_sang = True",))


def pinned(path):
    import hashlib

    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    url = f"https://example.org/{path.name}"
    return Resource(url=url, sha256=digest, size=len(content), licence="MIT")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """`published(content)`: a checkpoint that can be downloaded."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "mirror"))
    folder = tmp_path / "mirror" / "example.org"
    folder.mkdir(parents=True)

    def put(content, name="net.pth"):
        torch.save(content, folder / name)
        return pinned(folder / name), folder / name

    return put


def test_a_checkpoint_is_fetched_converted_once_and_not_opened_again(published, monkeypatch):
    with initialised(1):
        trained, blank = nn.Linear(3, 2), nn.Linear(3, 2)
    state = {f"module.{k}": v for k, v in trained.state_dict().items()}
    resource, _ = published({"state_dict": state, "epoch": 43})
    path = convert_checkpoint(resource)
    load_weights(blank, path)
    assert torch.equal(blank.weight, trained.weight)

    def refuse(*arguments, **options):
        raise AssertionError("the pickle was opened again")

    monkeypatch.setattr(torch, "load", refuse)
    assert convert_checkpoint(resource) == path
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_pickle_with_more_than_tensors_needs_trust(published):
    import builtins

    resource, path = published({"state_dict": {"w": torch.ones(2)}, "bird": Canary()})
    with pytest.raises(PluginError, match="cannot be read as tensors only"):
        convert_checkpoint(resource)
    with pytest.raises(PluginError, match="`trust=True`"):
        given_weights(path)
    assert not hasattr(builtins, "canary_sang")
    assert given_weights(path, trust=True)["w"].tolist() == [1, 1]
    assert builtins.canary_sang
    del builtins.canary_sang


def test_what_is_no_checkpoint_is_named(tmp_path):
    (tmp_path / "broken.pth").write_bytes(b"nonsense")
    with pytest.raises(PluginError, match=r"broken\.pth cannot be read"):
        given_weights(tmp_path / "broken.pth")
    (tmp_path / "raw.pth").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(PluginError):
        given_weights(tmp_path / "raw.pth")
    with pytest.raises(OptionError, match="There is no file"):
        given_weights(tmp_path / "absent.pth")
    torch.save({"epoch": 1}, tmp_path / "empty.pth")
    with pytest.raises(PluginError, match="holds no tensors"):
        given_weights(tmp_path / "empty.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(OptionError, match="no readable safetensors"):
        load_weights(nn.Linear(1, 1), tmp_path / "bad.safetensors")


def test_the_beginning_of_a_digest_is_compared(tmp_path):
    save_file({"weight": torch.ones(1)}, tmp_path / "w.safetensors")
    digest = pinned(tmp_path / "w.safetensors").sha256
    assert given_weights(tmp_path / "w.safetensors", sha256=digest[:8])["weight"].item() == 1
    for wrong in ("0" * 8, digest[:4]):
        with pytest.raises(WrongContent, match="it is another file"):
            given_weights(tmp_path / "w.safetensors", sha256=wrong)


def test_weights_that_do_not_fit_are_listed():
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = {k: v for k, v in network.state_dict().items() if "batches" not in k}
    load_state(network, state, "here")  # counters of batches may be absent
    state["0.weight"] = torch.zeros(5, 2)
    state["extra"] = state.pop("0.bias")
    listed = r"missing: 0\.bias; unexpected: extra; shapes: 0\.weight \(5"
    with pytest.raises(OptionError, match=listed):
        load_state(network, state, "here")


def test_drawing_under_a_seed_leaves_the_global_generator_alone():
    torch.manual_seed(9)
    before = torch.get_rng_state()
    with initialised(4):
        first = torch.rand(3)
    with initialised(4):
        second = torch.rand(3)
    assert torch.equal(first, second) and torch.equal(before, torch.get_rng_state())
