"""Trained weights that the user gives."""

import hashlib
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from corteval import models
from corteval.errors import FetchError, OptionError, WrongContent
from corteval.model import LayerCommitment
from corteval_cornet import model as factories
from corteval_cornet.weights import Published
from corteval_cornet.z import CORnetZ
from corteval_pytorch import initialised


@pytest.fixture(scope="module")
def state():
    with initialised(11):
        return CORnetZ().state_dict()


@pytest.fixture
def checkpoint(state, tmp_path):
    """A file laid out as the public ones."""
    path = tmp_path / "given.pth"
    torch.save({"epoch": 25, "state_dict": {f"module.{n}": t for n, t in state.items()}}, path)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def published(checkpoint, monkeypatch):
    """The world in which `checkpoint` is what is published as CORnet-Z."""
    prefix = digest(checkpoint)[:8]
    file = Published(url=f"https://weights.example/cornets/cornet_z-{prefix}.pth", prefix=prefix)
    variant = replace(factories.VARIANTS["cornet-z"], published=file)
    monkeypatch.setattr(factories, "VARIANTS", {**factories.VARIANTS, "cornet-z": variant})
    return file


def weights_of(subject):
    assert isinstance(subject, LayerCommitment)
    return subject.extractor.module.state_dict()


def same(subject, state):
    found = weights_of(subject)
    return set(found) == set(state) and all(torch.equal(found[n].cpu(), state[n]) for n in state)


@pytest.mark.parametrize(
    ("identifier", "prefix"),
    [
        ("cornet-s", "1d3f7974"),
        ("cornet-z", "5c427c9c"),
        ("cornet-r", "5930a990"),
        ("cornet-rt", "933c001c"),
    ],
)
def test_without_weights_the_error_says_what_to_download_and_how_to_pass_it(identifier, prefix):
    with pytest.raises(FetchError) as caught:
        models.create(identifier)
    message = str(caught.value)
    file = f"cornet_{identifier.removeprefix('cornet-')}-{prefix}.pth"
    for needed in (
        f"https://s3.amazonaws.com/cornet-models/{file}",
        f"must begin with {prefix}",
        "FOLDER/s3.amazonaws.com/cornet-models/",
        f"corteval score {identifier} BENCHMARK --mirror FOLDER",
        f'corteval.models.create("{identifier}", weights="{file}")',
        f"{identifier}-untrained",
    ):
        assert needed in message


def test_a_variant_without_public_weights_says_so(checkpoint):
    with pytest.raises(FetchError, match="no public address"):
        models.create("cornet-s10")
    with pytest.raises(OptionError, match="pass its sha256"):
        models.create("cornet-s10", weights=checkpoint)


def test_the_published_file_is_loaded_by_name_alone(checkpoint, published, state):
    subject = models.create("cornet-z", weights=checkpoint)
    assert same(subject, state)
    assert subject.notes == ()


def test_the_published_file_is_found_in_the_mirror(
    checkpoint, published, state, tmp_path, monkeypatch
):
    place = tmp_path / "mirror" / "weights.example" / "cornets" / published.filename
    place.parent.mkdir(parents=True)
    place.write_bytes(checkpoint.read_bytes())
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "mirror"))
    assert same(models.create("cornet-z"), state)


def test_a_mirror_that_is_an_address_is_not_asked(published, monkeypatch):
    monkeypatch.setenv("CORTEVAL_MIRROR", "https://mirror.example/")
    with pytest.raises(FetchError, match="are not here"):
        models.create("cornet-z")


def test_another_file_is_refused_unless_its_sha256_is_given(checkpoint, state):
    with pytest.raises(WrongContent, match=r"cornet_z-5c427c9c\.pth is expected.*sha256"):
        models.create("cornet-z", weights=checkpoint)
    subject = models.create("cornet-z", weights=checkpoint, sha256=digest(checkpoint))
    assert same(subject, state)
    assert subject.notes == (f"weights given: given.pth (sha256 {digest(checkpoint)})",)


def test_a_file_with_another_sha256_than_given_is_refused(checkpoint):
    with pytest.raises(WrongContent, match="another file"):
        models.create("cornet-z", weights=checkpoint, sha256="0" * 64)


def test_plain_tensor_files_are_taken(state, tmp_path):
    path = tmp_path / "z.safetensors"
    save_file(state, path)
    assert same(models.create("cornet-z", weights=path, sha256=digest(path)), state)


def test_weights_of_another_network_are_refused_by_name(checkpoint):
    with pytest.raises(OptionError, match="do not fit CORnetR"):
        models.create("cornet-rt", weights=checkpoint, sha256=digest(checkpoint))
