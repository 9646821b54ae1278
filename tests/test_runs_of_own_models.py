"""Folders of models that lie in the folder where a run is started are found wherever it works."""

import json
import shutil
from pathlib import Path

import pytest

from corteval import model_options, registry, settings
from corteval.cards import ModelFamily
from corteval.cli import main
from corteval.errors import OptionError
from corteval.run import isolation
from corteval.run.placing import placed
from corteval.run.records import Records

CORE_TESTS = Path(__file__).parents[1] / "core" / "tests"
BENCHMARK = "ToyReading.language-predictivity"
LOCALIZED = "localized/hf/near:data=ToyContrast:top=5"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with models in it."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    folder = tmp_path / "here"
    for name in ("near", "models/far-off"):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text("{}")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("hf/near", "near"),
        ("hf/near-untrained-seed3", "near"),
        ("hf/near:dtype=bfloat16", "near"),
        ("hf/models/far-off", "models/far-off"),
        ("hf/models/far-off-untrained", "models/far-off"),
        ("localized/hf/near", "near"),
        ("localized/topolm/random3/hf/models/far-off:top=5", "models/far-off"),
        ("hf/another:folder=near", "near"),
        ("hf/another:folder=./near", "near"),
    ],
)
def test_the_folder_of_a_model_is_named_in_full(here, monkeypatch, typed, part):
    named = placed(typed)
    options = model_options.parse(named)[1]
    assert options["folder"] == str(here / part)
    assert model_options.parse(typed)[1].keys() <= options.keys()
    assert placed(named) == named
    monkeypatch.chdir("/")
    assert [*registry.own_files(named)] == [here / part]


@pytest.mark.parametrize("typed", ["hf/gpt2", "pixels", "pixels:cells=7", "recurrent/nobody"])
def test_what_is_not_here_stays_as_it_was_typed(here, typed):
    (here / "gpt2").mkdir()  # but it holds no model
    assert placed(typed) == typed


def test_what_lies_in_the_home_stays_as_it_was_typed(here, tmp_path):
    path = tmp_path / "home" / "recurrent" / "near"
    path.mkdir(parents=True)
    (path / "model.json").write_text("{}")
    assert placed("recurrent/near") == "recurrent/near"


def files_near(member):
    return [Path(member).resolve()]


def build_near(member):
    return member


def test_a_family_whose_folder_cannot_be_named_is_refused_with_what_works(here):
    family = ModelFamily(
        identifier="nearby",
        factory=f"{__name__}:build_near",
        summary="s",
        licence="MIT",
        files=f"{__name__}:files_near",
    )
    with (
        registry.models.temporary(family),
        pytest.raises(OptionError, match=r"has no option that would name it.*`corteval score`"),
    ):
        placed("nearby/near")


# Through the command line


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small language model as `save_pretrained` writes it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from corteval_pytorch import initialised
    from corteval_transformers.library import transformers

    folder = tmp_path_factory.mktemp("made") / "near"
    letters = pre_tokenizers.ByteLevel.alphabet()
    made = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(sorted(letters))}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made)
    config = transformers.GPT2Config(
        vocab_size=256, n_positions=64, n_embd=16, n_layer=2, n_head=2, initializer_range=0.3,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    with initialised(0):
        module = transformers.GPT2LMHeadModel(config)
    module.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def call(tmp_path, model, monkeypatch, capfd):
    """The command line in a folder with the model `near`."""
    shutil.copytree(model, tmp_path / "here" / "near")
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    shutil.copy(CORE_TESTS / "reading_benchmark.py", plugins)
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(plugins))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(settings, "_flags", {})

    def call(*arguments, code=0, cwd=tmp_path / "here"):
        monkeypatch.chdir(cwd)
        registry.reload()
        done = main(arguments)
        out, err = capfd.readouterr()
        assert done == code, (done, out, err)
        return json.loads(out) if "--json" in arguments else out + err

    yield call
    monkeypatch.undo()
    registry.reload()


def why_no_sandbox():
    """What keeps bubblewrap from working here."""
    try:
        isolation.check("sandbox")
    except OptionError as error:
        return str(error)
    return ""


SANDBOX = pytest.mark.skipif(bool(why_no_sandbox()), reason=why_no_sandbox())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("none", "hf/near"),
        ("process", LOCALIZED),
        pytest.param("sandbox", "hf/near", marks=SANDBOX),
    ],
)
def test_a_run_scores_a_model_of_this_folder_as_score_does(call, where, name):
    asked = call("score", name, BENCHMARK, "-q", "--json")
    report = call(
        "run", name, BENCHMARK, "-q", "--json", "--executor", "serial", "--isolate", where
    )
    assert (report["failures"], report["unfinished"]) == ([], 0)
    (cell,) = report["scores"]
    assert cell["value"] == asked["value"]
    assert ":folder=/" in cell["model"]


@pytest.mark.slow
def test_pull_workers_and_those_who_compute_again_find_it_from_elsewhere(call, tmp_path):
    left = call("run", "hf/near", BENCHMARK, "-q", "--json", "--executor", "none", code=3)
    call("worker", "--run", left["folder"], "--name", "far", cwd=tmp_path)
    kept = Records(tmp_path / "home" / "records")
    (record,) = map(kept.read, kept.paths())
    assert record.score.status == "scored"
    assert record.cell.model == f"hf/near:folder={tmp_path / 'here' / 'near'}"
    # another model of that name, where somebody else stands, changes nothing
    shutil.copytree(tmp_path / "here" / "near", tmp_path / "there" / "near")
    (tmp_path / "there" / "near" / "note.txt").write_text("another one")
    told = call("recompute", "--sample", "1", "--json", cwd=tmp_path / "there")
    assert [c["verdict"] for c in told["compared"]] == ["identical"]


@pytest.mark.slow
def test_a_machine_that_does_not_have_the_folder_says_so(call, tmp_path):
    left = call(
        "run", "hf/near", BENCHMARK, "-q", "--json", "--executor", "none", "--isolate", "none",
        code=3,
    )  # fmt: skip
    (tmp_path / "here" / "near").rename(tmp_path / "moved")
    call("worker", "--run", left["folder"], cwd=tmp_path)
    status = call("status", left["folder"], "--json", code=3)
    assert f"there is no folder {tmp_path / 'here' / 'near'}" in status["failures"][0]["reason"]
