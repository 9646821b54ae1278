"""The verb, on a lab's own recordings of known origin."""

import csv
import json

import numpy as np
import pytest

from corteval import registry
from corteval.cli import main
from corteval.testing import toys
from corteval_driving.candidates import features_of

WORDS = [f"word{n:02d}" for n in range(40)]


def sentences(count, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 5)) for _ in range(count)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A hundred and twenty sentences, responses of two regions that toy-text explains in part."""
    folder = tmp_path_factory.mktemp("lab")
    home = tmp_path_factory.mktemp("lab-home")
    texts = sentences(120, 0)
    ids = [f"s{n:03d}" for n in range(120)]
    with (folder / "stimuli.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stimulus_id", "text", "story"])
        writer.writerows(zip(ids, texts, [f"story-{n // 6}" for n in range(120)], strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORTEVAL_HOME", str(home))
        shown = _stimuli(ids, texts)
        x = features_of(toys.text(), shown, "language_system")
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        rng = np.random.default_rng(1)
        beta = rng.standard_normal(x.shape[1]) / np.sqrt(x.shape[1])
        y = np.stack([x @ beta, -(x @ beta)], axis=1) + 0.5 * rng.standard_normal((120, 2))
        with (folder / "responses.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["stimulus_id", "neuroid_id", "region", "response"])
            for n, stimulus in enumerate(ids):
                for unit, region in enumerate(("IFG", "MFG")):
                    writer.writerow([stimulus, region, region, f"{y[n, unit]:.6f}"])
        (folder / "pool.txt").write_text("\n".join([*sentences(80, 2), *texts[:3]]))
        with registry.models.temporary(toys.TEXT):
            code = main(
                [
                    *("data", "register", str(folder), "--id", "TheirLab", "-y"),
                    *("--modality", "text", "--stimuli", "stimuli.csv"),
                    *("--responses", "responses.csv"),
                    *("--target", "language_system"),
                ]
            )
            assert code == 0
            registry.reload()
            yield folder, y
    registry.reload()


def _stimuli(ids, texts):
    import pandas as pd

    from corteval.stimuli import StimulusSet

    index = pd.Index(ids, name="stimulus_id")
    return StimulusSet(
        identifier="s", modality="text", table=pd.DataFrame({"text": texts}, index=index)
    )


@pytest.fixture
def drive(lab, capsys):
    folder, _ = lab

    def run(*arguments):
        capsys.readouterr()
        code = main(
            [
                *("drive", "toy-text", "TheirLab", "--candidates", str(folder / "pool.txt")),
                *("--resamples", "20", "--no-store", *map(str, arguments)),
            ]
        )
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_json_tells_effects_and_both_ends(lab, drive):
    _, y = lab
    code, out, err = drive("--k", 5, "--where", "region=IFG", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["schema"] == "corteval.drive/1"
    assert (told["model"], told["data"], told["k"]) == ("toy-text", "TheirLab", 5)
    assert told["candidates"] == 80
    assert told["baseline"] == pytest.approx(y[:, 0].mean(), abs=1e-5)
    assert told["spread"] == pytest.approx(y[:, 0].std(), abs=1e-5)
    assert [e["name"] for e in told["effects"]] == [
        *("drive", "suppress", "difference", "all candidates")
    ]
    drive_effect, suppress_effect = told["effects"][:2]
    assert suppress_effect["high"] < 0 < drive_effect["low"]
    assert told["check"]["r"] > 0.5
    best = [c["predicted"] for c in told["drive"]]
    assert best == sorted(best, reverse=True) and len(best) == 5
    assert all(c["low"] <= c["predicted"] <= c["high"] for c in told["drive"] + told["suppress"])
    pool = sentences(80, 2)
    for chosen in told["drive"]:
        assert pool[int(chosen["stimulus_id"].removeprefix("line-")) - 1] == chosen["stimulus"]
    assert any("3 candidates were recorded" in note for note in told["notes"])
    assert any("one story are drawn" in note for note in told["notes"])


def test_the_other_region_is_driven_by_what_suppresses_the_first(drive):
    """Its responses are the negative of the first's, but for noise."""
    first, second = (
        json.loads(drive("--k", 10, "--where", f"region={name}", "--json")[1])
        for name in ("IFG", "MFG")
    )
    driving, suppressing = (
        {chosen["stimulus_id"] for chosen in part} for part in (first["drive"], second["suppress"])
    )
    assert len(driving & suppressing) >= 6


def test_both_regions_together_are_averaged(drive):
    code, out, err = drive("--k", 3, "--json", "--group-by", "none")
    assert code == 0, err
    notes = json.loads(out)["notes"]
    assert "responses are the mean over 2 neuroids" in notes
    assert not any("drawn and held out together" in note for note in notes)


def test_tables_show_the_same_and_a_file_is_written(drive, tmp_path):
    code, out, err = drive("--k", 4, "--where", "region=IFG", "--output", tmp_path / "c.csv")
    assert code == 0, err
    assert "cross-fitted" in out and "slope" in out
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["end"] for row in rows] == ["drive"] * 4 + ["suppress"] * 4
    for row in rows:
        assert row["stimulus"] in out
        assert f"{float(row['predicted']):.4f}" in out
    assert "note: 3 candidates were recorded" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--k", 41), 2, "1 to 40 can be chosen"),
        (("--k", 0), 2, "not in the range"),
        (("--where", "region"), 2, "not COORDINATE=VALUE"),
        (("--where", "region=V1"), 1, "No neuroid has region"),
        (("--k", 3, "--group-by", "colour"), 1, "Nothing is called 'colour'"),
    ],
)
def test_mistakes_are_told(drive, arguments, code, words):
    found, out, err = drive(*arguments)
    assert (found, out) == (code, "")
    assert words in err


def test_data_that_are_no_text_need_a_target(capsys, tmp_path):
    with registry.data.temporary(toys.DATA):
        code = main(["drive", "pixels", "ToyData", "--candidates", str(tmp_path)])
    assert code == 2
    assert "--target V4" in capsys.readouterr().err


def test_the_benchmark_comes_with_the_registration_and_its_controls(lab, capsys):
    code = main(["score", "toy-text", "TheirLab.language_system-drive_suppress", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (code, told["status"]) == (0, "scored")
    assert told["value"] > 0.5
    assert told["interval"]["low"] > 0.2
    card = registry.benchmarks.card("TheirLab.language_system-drive_suppress")
    assert "{model}-untrained" in card.controls
