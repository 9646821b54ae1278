import json

import numpy as np
import pytest
from click.testing import CliRunner

from corteval import registry
from corteval.cards import ModelCard
from corteval_localizer.command import _length, command

CARD = ModelCard(
    identifier="letters",
    factory="corteval_localizer.example:letters",
    summary="How often letters occur",
    licence="MIT",
    modalities=frozenset({"text"}),
)


@pytest.fixture
def call(mirror):
    with registry.models.temporary(CARD):
        yield lambda *arguments: CliRunner().invoke(command, ["letters", "-q", *arguments])


def test_the_table_says_how_many_units_of_each_layer_and_the_effect_held_out(call):
    result = call("--top", "20")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[1].split()[:2] == ["letters", "26"]
    assert "selected       20 of 702" in result.output
    assert "run 1" in result.output
    assert "words a text   12.0 of sentence, 12.0 of nonword, on average" in result.output


def test_json_has_parameters_and_folds(call):
    result = call("--preset", "llm-localization", "--folds", "3", "--seed", "2", "--json")
    content = json.loads(result.stdout)
    assert content["schema"] == "corteval.localize/1"
    assert content["localization"]["localizer"]["responses"] == "absolute"
    assert content["localization"]["selected"] == 7
    assert [fold["stimuli"] for fold in content["validation"]["folds"]] == [160, 160, 160]
    alone = json.loads(call("--layers", "pairs", "--no-validation", "--json").stdout)
    assert alone["validation"] is None
    assert [*alone["localization"]["layers"]] == ["pairs"]


def test_masks_are_written_with_t_and_p(call, tmp_path):
    result = call("--fdr", "0.05", "--no-validation", "--output", str(tmp_path / "mask.npz"))
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "mask.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == [
            f"{a}/{b}" for a in ("letters", "pairs") for b in ("mask", "p", "t")
        ]
        assert arrays["letters/mask"].dtype == bool
        assert (arrays["letters/t"][arrays["letters/mask"]] > 0).all()


def test_what_cannot_be_is_an_error_of_the_command(call):
    result = call("--top", "3", "--fdr", "0.1")
    assert result.exit_code != 0
    assert "one of top, fraction and fdr" in str(result.exception)


def test_steps_are_told_on_stderr_unless_quiet(mirror):
    with registry.models.temporary(CARD):
        loud = CliRunner().invoke(command, ["letters", "--top", "20", "--json"])
        quiet = CliRunner().invoke(command, ["letters", "--top", "20", "--json", "-q"])
    assert [line.split()[0] for line in loud.stderr.splitlines()] == [
        "Building",
        "Localizing:",
        "Testing",
    ]
    assert quiet.stderr == ""
    assert loud.stdout == quiet.stdout


def test_conditions_that_differ_in_length_are_told():
    told = _length({"sentence": 14.5, "nonword": 29.0}, "tokens")
    assert told.startswith("14.5 of sentence, 29.0 of nonword, on average")
    assert "nonword texts have 2.0 times as many tokens" in told
    assert "times" not in _length({"sentence": 12.0, "nonword": 12.5}, "words")
