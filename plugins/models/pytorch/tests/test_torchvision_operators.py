import subprocess
import sys
import textwrap

import pytest

DECLARE = "from corteval_pytorch.torchvision_operators import declare_torchvision_operators"

#: What torchvision 0.28 does when it is imported, as far as operators are concerned.
FAKE_INIT = """
import torch
try:
    torch.ops.load_library(__path__[0] + "/_C.so")
except OSError:
    pass

@torch.library.register_fake("torchvision::nms")
def meta_nms(dets, scores, iou_threshold):
    return dets.new_empty(dets.shape[0], dtype=torch.long)

@torch.library.register_fake("torchvision::qnms")
def meta_qnms(dets, scores, iou_threshold):
    return dets.new_empty(dets.shape[0], dtype=torch.long)
"""

#: Stands for a library of operators that loads: registers what the real one registers.
WORKING_LIBRARY = """
import torch
kept = []
def load_library(path):
    if kept:
        return  # the dynamic loader runs initialisers once
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl(name, lambda dets, scores, threshold: scores.argsort(descending=True), "CPU")
    kept.append(library)
torch.ops.load_library = load_library
"""

CALL = "torch.ops.torchvision.nms(torch.zeros(2, 4), torch.tensor([0.1, 0.9]), 0.5).tolist()"


@pytest.fixture
def python(tmp_path):
    """Runs code in a fresh interpreter, with a fake torchvision whose library is no library."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(FAKE_INIT)
    (package / "_C.so").write_bytes(b"not a library")

    def run(code, fake=True):
        path = [f"import sys; sys.path.insert(0, {str(tmp_path)!r})"] if fake else []
        script = "\n".join([*path, DECLARE, textwrap.dedent(code)])
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )

    return run


def test_without_the_declaration_an_unloadable_library_breaks_the_import(python):
    result = python("import torchvision")
    assert result.returncode == 1
    assert "operator torchvision::nms does not exist" in result.stderr


def test_after_the_declaration_it_is_imported_and_calls_are_still_refused(python):
    result = python(f"""
        import gc, torch
        declare_torchvision_operators()
        declare_torchvision_operators()
        gc.collect()
        import torchvision
        declare_torchvision_operators()
        try:
            {CALL}
        except NotImplementedError as error:
            print("refused", "nms" in str(error))
    """)
    assert (result.stdout.strip(), result.returncode) == ("refused True", 0), result.stderr


def test_operators_that_torchvision_can_load_are_loaded_and_left_alone(python):
    result = python(f"""
        {textwrap.indent(WORKING_LIBRARY, " " * 8).strip()}
        declare_torchvision_operators()
        import torchvision
        print({CALL})
    """)
    assert (result.stdout.strip(), result.returncode) == ("[1, 0]", 0), result.stderr


def test_operators_that_are_registered_already_are_left_alone(python):
    result = python(f"""
        {textwrap.indent(WORKING_LIBRARY, " " * 8).strip()}
        load_library("")
        def load_library(path): raise SystemExit("nothing need be loaded")
        torch.ops.load_library = load_library
        declare_torchvision_operators()
        print({CALL})
    """)
    assert (result.stdout.strip(), result.returncode) == ("[1, 0]", 0), result.stderr


def test_without_torchvision_nothing_is_declared(python):
    result = python(
        """
        import importlib, torch
        module = importlib.import_module(declare_torchvision_operators.__module__)
        module.find_spec = lambda name: None
        declare_torchvision_operators()
        print(hasattr(torch.ops.torchvision, "nms"))
        """,
        fake=False,
    )
    assert (result.stdout.strip(), result.returncode) == ("False", 0), result.stderr


def test_the_installed_torchvision_is_imported_and_its_nms_works_or_says_what_is_wrong(python):
    result = python(
        """
        declare_torchvision_operators()
        try:
            import torchvision
        except ModuleNotFoundError:
            raise SystemExit("no torchvision") from None
        import torch
        boxes = torch.tensor([[0.0, 0, 9, 9], [0.0, 0, 9, 8], [20.0, 20, 30, 30]])
        try:
            print(torchvision.ops.nms(boxes, torch.tensor([0.5, 0.9, 0.1]), 0.5).tolist())
        except RuntimeError as error:
            print("versions are incompatible" in str(error))
        """,
        fake=False,
    )
    if result.stderr.strip() == "no torchvision":
        pytest.skip("torchvision is not installed")
    # of two boxes of overlap 8/9 the better one is kept
    assert result.stdout.strip() in {"[1, 2]", "True"}, result.stderr
