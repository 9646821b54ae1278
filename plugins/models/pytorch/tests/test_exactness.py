"""Float32 stays float32 while responses are computed, and torch's settings are left alone."""

import numpy as np
import pytest
import torch

from corteval import record
from corteval_pytorch import commit
from corteval_pytorch.exactness import exact, repeatable

OPERATORS = [
    (backend, name)
    for backend in ("cuda", "cudnn", "mkldnn")
    for name in ("matmul", "conv", "rnn")
    if hasattr(getattr(getattr(torch.backends, backend), name, None), "fp32_precision")
]


def settings():
    """What torch says of its precision; settings of two kinds at once cannot be asked for."""
    found = {}
    for name, get in (
        ("products", torch.get_float32_matmul_precision),
        ("convolutions", lambda: torch.backends.cudnn.allow_tf32),
    ):
        try:
            found[name] = get()
        except RuntimeError:
            found[name] = "mixed"
    for backend, name in OPERATORS:
        found[backend, name] = getattr(getattr(torch.backends, backend), name).fp32_precision
    return found


@pytest.fixture
def as_before():
    """Settings of torch for the whole process, put back after the test."""
    precisions = {key: settings()[key] for key in OPERATORS}
    yield
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = True
    if OPERATORS:
        torch.backends.fp32_precision = "none"
    for (backend, name), value in precisions.items():
        getattr(getattr(torch.backends, backend), name).fp32_precision = value


def by_default():
    pass


def products_in_less():
    torch.set_float32_matmul_precision("medium")


def operator_by_operator():
    if not OPERATORS:
        pytest.skip("this torch sets precision for all operators at once")
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cuda.matmul.fp32_precision = "tf32"


def everything():
    if not OPERATORS:
        pytest.skip("this torch has no setting of everything")
    torch.backends.fp32_precision = "tf32"


SET = [by_default, products_in_less, operator_by_operator, everything]


@pytest.mark.parametrize("choose", SET)
def test_nothing_is_computed_in_less_than_float32_and_settings_are_put_back(choose, as_before):
    choose()
    before = settings()
    with exact():
        inside = settings()
    assert inside["products"] == "highest"
    assert inside["convolutions"] in {False, "mixed"}
    assert not {"tf32", "bf16"} & {inside[key] for key in OPERATORS}
    assert settings() == before


def test_settings_are_put_back_when_a_network_fails(as_before):
    torch.set_float32_matmul_precision("high")
    before = settings()
    with pytest.raises(ValueError, match="broken"), exact():
        raise ValueError("broken")
    assert settings() == before


def test_algorithms_are_not_chosen_by_their_speed(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    with repeatable():
        assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.benchmark and not torch.backends.cudnn.deterministic


@pytest.mark.parametrize(("dtype", "seen"), [("float32", "highest"), ("bfloat16", "medium")])
def test_a_network_is_run_in_the_precision_asked_for(
    plain, small, pictures, unshelved, as_before, dtype, seen
):
    torch.set_float32_matmul_precision("medium")
    found = []
    plain.register_forward_pre_hook(
        lambda *_: found.append(torch.get_float32_matmul_precision()) and None
    )
    subject = commit(plain, small, {"IT": "head"}, visual_degrees=None, dtype=dtype)
    responses = record(subject, pictures(3), "IT")
    assert set(found) == {seen} and np.isfinite(responses.values).all()
    assert torch.get_float32_matmul_precision() == "medium"
