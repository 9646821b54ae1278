"""Figures of `corteval plot`: files, the numbers beside them, and what cannot be drawn."""

import csv
import json
import re

import numpy as np
import pytest
from scipy import stats

from corteval.cli import main
from corteval.errors import OptionError
from corteval.intervals import Interval, Replicates
from corteval.report.bars import draw
from corteval.report.figures import MOST_ROWS, differences, heatmap, rank_intervals, scatter
from corteval.report.origin import PUBLISHED
from corteval.score import Estimate, Provenance, Score
from corteval.stats.board import Board, means
from corteval.stats.paired import compare
from corteval.stats.ranks import holm, ranks

pytest.importorskip("matplotlib")

MODELS = [f"model-{n}" for n in range(6)]
BENCHMARKS = ["Data0.V4-ridge", "Data1.V4-ridge", "Data2.V4-ridge"]
HOSTILE = ["</svg><script>x()</script>", "$\\frac{1$ ${1}", "\u202egnirts", "x" * 300, "=cmd()"]


def score(model, benchmark, value, draws=400, **fields):
    """Of replicates that all models of a benchmark share half of."""
    common, own = (
        np.random.default_rng([draws, *map(ord, name)]).standard_normal(draws)
        for name in (benchmark, model + benchmark)
    )
    values = value + 0.02 * (common + own)
    replicates = Replicates(
        scope="stimuli", sizes=(1000,), values=tuple(values), median=True, draw="same"
    )
    low, high = np.quantile(values, [0.025, 0.975])
    interval = Interval(
        low=low, high=high, level=0.95, method="m", scope="stimuli", resamples=draws, seed=0
    )
    raw = Estimate(value=value, replicates=(replicates,))
    return Score(
        value=value, raw=raw, interval=interval, model=model, benchmark=benchmark, **fields
    )


def scores():
    rng = np.random.default_rng(0)
    skill = rng.uniform(0.2, 0.8, len(MODELS))
    made = {
        (model, name): score(model, name, float(round(skill[n] + 0.05 * rng.standard_normal(), 4)))
        for n, model in enumerate(MODELS)
        for name in BENCHMARKS
    }
    lost = Score.unscored("failed", "it broke", model=MODELS[0], benchmark=BENCHMARKS[2])
    return [*({**made, (MODELS[0], BENCHMARKS[2]): lost}).values()]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "scores.jsonl"
    path.write_text("\n".join(s.to_json() for s in scores()))
    return path


@pytest.fixture
def plot(file, tmp_path, capsys):
    """Runs the verb; gives exit code, what it printed, the picture and the rows beside it."""

    def run(*arguments, suffix=".svg"):
        out = tmp_path / f"figure{suffix}"
        code = main(["plot", *arguments, "--from", str(file), "--output", str(out), "--json"])
        said = json.loads(capsys.readouterr().out or "{}")
        picture = out.read_bytes() if out.exists() else b""
        beside = out.with_suffix(".csv")
        rows = [*csv.DictReader(beside.open(newline=""))] if beside.exists() else []
        return code, said, picture, rows

    return run


def board():
    return Board.of(scores())


def number(text):
    return float(text) if text else np.nan


STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", STARTS)
def test_every_format_is_written_with_numbers_beside_it(plot, suffix):
    code, said, picture, rows = plot("heatmap", suffix=suffix)
    assert code == 0 and picture.startswith(STARTS[suffix])
    assert [name.rpartition(".")[2] for name in said["files"]] == [suffix[1:], "csv"]
    assert len(rows) == len(MODELS) * len(BENCHMARKS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("scores",),
        ("heatmap",),
        ("scatter", *BENCHMARKS[:2]),
        ("ranks", ",".join(BENCHMARKS)),
        ("differences", *MODELS[1:3]),
    ],
)
def test_names_stand_in_every_figure(plot, arguments):
    code, said, picture, rows = plot(*arguments)
    assert code == 0 and said["kind"] == arguments[0] and rows
    assert (BENCHMARKS[1] if arguments[0] != "ranks" else "model-1") in picture.decode()


def test_a_heat_map_has_every_cell_and_words_for_what_is_missing(plot):
    _, said, picture, rows = plot("heatmap")
    assert said["facts"] == {"models": 6, "benchmarks": 3}
    known = {(s.model, s.benchmark): s for s in scores()}
    for row in rows:
        made = known[row["model"], row["benchmark"]]
        assert row["status"] == made.status
        if made.status == "scored":
            bounds = (made.value, made.interval.low, made.interval.high)
            assert tuple(float(row[k]) for k in ("value", "low", "high")) == bounds
            assert f">{made.value:.2f}<" in picture.decode()
        else:
            assert row["value"] == "" and ">failed<" in picture.decode()


def test_a_heat_map_has_the_best_model_on_top():
    rows = heatmap(board()).rows
    order = [*dict.fromkeys(row.model for row in rows)]
    found = np.nanmean(board().values(models=order), axis=1)
    assert (np.diff(found) <= 0).all()


def test_a_scatter_has_every_model_and_the_line_of_least_squares(plot):
    _, said, picture, rows = plot("scatter", *BENCHMARKS[:2])
    x, y = board().values(benchmarks=BENCHMARKS[:2]).T
    points = [row for row in rows if row["kind"] == "model"]
    assert {r["model"]: (float(r["x"]), float(r["y"])) for r in points} == {
        m: (a, b) for m, a, b in zip(MODELS, x, y, strict=True)
    }
    fit = stats.linregress(x, y)
    for row in (r for r in rows if r["kind"] == "line"):
        assert float(row["y"]) == pytest.approx(fit.intercept + fit.slope * float(row["x"]))
        assert float(row["y_low"]) <= float(row["y"]) <= float(row["y_high"])
    assert said["facts"]["r"] == pytest.approx(fit.rvalue)
    assert said["facts"]["low"] < fit.rvalue < said["facts"]["high"]
    assert f"r = {fit.rvalue:.2f} (95 % interval" in picture.decode()


def test_three_models_have_points_and_words_instead_of_a_line(plot):
    _, said, picture, rows = plot("scatter", *BENCHMARKS[:2], "--models", "model-[1-3]")
    assert {row["kind"] for row in rows} == {"model"} and len(rows) == 3
    assert said["facts"]["r"] is None and "a relation needs four" in picture.decode()


def test_ranks_are_those_of_the_leaderboard(plot):
    names = BENCHMARKS[:2]
    _, said, picture, rows = plot("ranks", ",".join(names))
    found = means(board(), dict.fromkeys(names, 0.5))
    for row, rank in zip(rows, ranks(found), strict=True):
        assert row["model"] == rank.model
        assert [int(row[k]) for k in ("rank", "low", "high", "group")] == [
            rank.rank, rank.low, rank.high, rank.group,
        ]  # fmt: skip
        assert float(row["probability_best"]) == rank.probability_best
    assert said["facts"]["ranked"] == 6
    assert "% best" in picture.decode()


def test_ranks_of_scores_without_intervals_are_grey_and_said_to_be():
    bare = Board.of(Score(value=n / 10, model=m, benchmark="B") for n, m in enumerate(MODELS))
    found = means(bare, {"B": 1.0})
    drawing = rank_intervals(bare, "B", found, ranks(found))
    assert drawing.facts["exact"] == 6
    text = drawing.picture(".svg").decode()
    assert "grey (6): of scores without intervals" in text and "% best" not in text
    assert [row.rank for row in drawing.rows] == [1, 2, 3, 4, 5, 6]


def test_models_that_are_not_ranked_are_counted(plot):
    _, said, picture, rows = plot("ranks")
    assert (said["facts"]["ranked"], said["facts"]["not_ranked"]) == (5, 1)
    assert "1 not ranked for lack of scores" in picture.decode()
    assert MODELS[0] not in {row["model"] for row in rows}


def test_differences_are_paired_and_corrected_over_the_benchmarks(plot):
    first, second = MODELS[1:3]
    _, said, picture, rows = plot("differences", first, second)
    pairs = {n: (board().scores[first, n], board().scores[second, n]) for n in BENCHMARKS}
    results = {name: compare(*pair) for name, pair in pairs.items()}
    adjusted = holm({name: result.p_value for name, result in results.items()})
    for row in rows:
        result = results[row["benchmark"]]
        bounds = (result.difference, result.interval.low, result.interval.high)
        assert tuple(float(row[k]) for k in ("difference", "low", "high")) == bounds
        assert float(row["p_holm"]) == adjusted[row["benchmark"]]
    certain = [r for r in rows if float(r["p_holm"]) <= 0.05]
    assert said["facts"]["better"] + said["facts"]["worse"] == len(certain)
    assert [float(r["difference"]) for r in rows] == sorted(
        (r.difference for r in results.values()), reverse=True
    )
    assert f"{first} better" in picture.decode()


def test_scores_that_cannot_be_paired_have_a_cross_and_a_reason():
    other = score("model-1", BENCHMARKS[0], 0.5, draws=50)
    mixed = Board.of([*scores(), other])
    drawing = differences(mixed, *MODELS[1:3])
    (row,) = [r for r in drawing.rows if r.benchmark == BENCHMARKS[0]]
    assert np.isnan(row.low) and "different numbers of replicates" in row.reason
    assert "no test" in drawing.picture(".svg").decode()


@pytest.mark.parametrize(("draws", "least"), [(50, "0.12"), (119, ""), (118, "0.05")])
def test_it_is_said_if_so_few_replicates_cannot_pass_holms_correction(
    draws, least, tmp_path, capsys
):
    """Three comparisons of B replicates have no corrected p below 6 / (B + 1)."""
    pair = MODELS[1:3]
    made = [score(m, b, n + 0.1, draws=draws) for n, m in enumerate(pair) for b in BENCHMARKS]
    drawing = differences(Board.of(made), *pair)
    smallest = min(row.p_holm for row in drawing.rows)
    assert smallest == pytest.approx(6 / (draws + 1)) and (smallest > 0.05) == bool(least)
    file = tmp_path / "scores.jsonl"
    file.write_text("\n".join(s.to_json() for s in made))
    assert main(["compare", *pair, "--from", str(file), "--json"]) == 0
    said = capsys.readouterr().err
    if least:
        words = f"{draws} replicates the smallest is {least}"
        assert words in drawing.remark and "can reach 0.05" in drawing.remark and words in said
    else:
        assert not drawing.remark and "replicates" not in said


def test_a_model_against_itself_differs_by_nothing():
    drawing = differences(board(), MODELS[1], MODELS[1])
    assert [row.difference for row in drawing.rows] == [0.0] * 3
    assert drawing.picture(".png").startswith(STARTS[".png"])


def test_bars_of_chosen_models_and_benchmarks_only(plot):
    code, said, picture, rows = plot("scores", "--models", "MODEL-[12]", "--benchmarks", "data0*")
    assert code == 0 and said["facts"] == {"models": 2, "benchmarks": 1, "scores": 2}
    known = {(s.model, s.benchmark): s.value for s in scores()}
    assert {(r["model"], r["benchmark"]): float(r["value"]) for r in rows} == {
        (m, BENCHMARKS[0]): known[m, BENCHMARKS[0]] for m in MODELS[1:3]
    }
    assert "model-3" not in picture.decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_drawn_as_text(name):
    made = [score(name, b, 0.5) for b in BENCHMARKS] + [score("ok", b, 0.4) for b in BENCHMARKS]
    made += [score(m, name, 0.3) for m in (name, "ok")]
    shown = Board.of(made)
    found = means(shown, dict.fromkeys([*BENCHMARKS, name], 0.25))
    for drawing in (
        heatmap(shown),
        scatter(shown, BENCHMARKS[0], name),
        differences(shown, name, "ok"),
        rank_intervals(shown, name, found, ranks(found)),
    ):
        text = drawing.picture(".svg").decode()
        assert "<script" not in text and "\u202e" not in text
        assert len(drawing.csv()) > 0


@pytest.mark.parametrize("suffix", STARTS)
def test_the_same_scores_give_the_same_bytes(suffix):
    first, again = (heatmap(Board.of(s)) for s in (scores(), scores()[::-1]))
    assert first.picture(suffix) == again.picture(suffix) and first.csv() == again.csv()


@pytest.mark.parametrize("suffix", STARTS)
def test_bars_of_the_same_scores_are_the_same_bytes(suffix):
    made = scores()[:4]
    assert draw(made, suffix) == draw(made, suffix) and draw(made, suffix)[:4] == STARTS[suffix][:4]


def test_bars_do_not_depend_on_settings_and_names_are_no_formulas():
    import matplotlib

    made = [score("$\\frac{1$ ${1}", BENCHMARKS[0], 0.4)]
    plain = draw(made, ".svg")
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "path"}):
        assert draw(made, ".svg") == plain
    assert b"$\\frac{1$ ${1}" in plain


@pytest.mark.parametrize("kind", ["scores", "heatmap"])
def test_published_scores_are_said_to_be(tmp_path, kind):
    file, out = tmp_path / "s.jsonl", tmp_path / "f.svg"
    told = [score("a", "B1", 0.5, notes=(f"{PUBLISHED}: somewhere",)), score("b", "B1", 0.4)]
    file.write_text("\n".join(s.to_json() for s in told))
    assert main(["plot", kind, "--from", str(file), "--output", str(out)]) == 0
    text = out.read_text()
    words = ">0.500 published<" if kind == "scores" else "1 of 2 scores were published"
    assert words in text and "0.400 published" not in text
    rows = {r["model"]: r for r in csv.DictReader(out.with_suffix(".csv").open(newline=""))}
    assert {*rows} == {"a", "b"}
    if kind == "scores":
        assert [rows[m]["published"] for m in "ab"] == ["true", "false"]
        assert "published, not computed here" in text


def test_bars_without_published_scores_do_not_speak_of_any(plot):
    _, _, picture, rows = plot("scores")
    assert b"published" not in picture and {row["published"] for row in rows} == {"false"}


def test_a_figure_shows_itself_in_a_notebook_with_its_numbers():
    drawing = heatmap(board())
    assert drawing._repr_png_() == drawing.picture(".png")
    made = drawing.to_frame()
    assert len(made) == len(drawing.rows)
    assert made["value"].tolist() == pytest.approx([r.value for r in drawing.rows], nan_ok=True)


def test_scores_on_private_data_are_left_out_unless_asked_for(tmp_path, capsys):
    file, out = tmp_path / "s.jsonl", tmp_path / "f.svg"
    secret = Provenance(access={"MyLab": "private"})
    told = [score("secret", "B1", 0.5, provenance=secret), score("open", "B1", 0.4)]
    file.write_text("\n".join(s.to_json() for s in told))
    arguments = ["plot", "heatmap", "--from", str(file), "--output", str(out), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["withheld"] == 1
    assert "secret" not in out.read_text() + out.with_suffix(".csv").read_text()
    assert main([*arguments, "--private"]) == 0
    assert "on private data (MyLab)" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scatter", BENCHMARKS[0], "Data9.V4-ridge"), "benchmark 'Data9.V4-ridge'. Did you mean"),
        (("differences", "model-1", "resnet"), "model 'resnet'. There are model-0"),
        (("heatmap", "--models", "vgg*"), "of the model 'vgg\\*'"),
        (("scatter", BENCHMARKS[0]), "takes two benchmarks: given are 1 names"),
        (("heatmap", "model-1"), "--models and --benchmarks choose: given are 1 names"),
        (("ranks", "Nonsense2030.V4"), "Nonsense2030"),
    ],
)
def test_unknown_names_are_usage_errors_that_say_what_there_is(plot, arguments, words):
    code, said, picture, rows = plot(*arguments)
    assert code == 2 and picture == b"" and rows == []
    assert re.search(words, said["error"]["message"])


def test_other_formats_and_folders_that_are_not_there_are_usage_errors(plot, tmp_path, capsys):
    code, said, *_ = plot("heatmap", suffix=".gif")
    assert code == 2 and ".png, .svg, .pdf" in said["error"]["message"]
    assert main(["plot", "heatmap", "--output", str(tmp_path / "no" / "x.png")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_too_many_rows_are_refused():
    many = Board.of(Score(value=0.5, model=str(n), benchmark="B") for n in range(MOST_ROWS + 1))
    with pytest.raises(OptionError, match="choose with --models"):
        heatmap(many)


def test_a_heat_map_says_what_its_short_words_mean_and_no_others():
    few = heatmap(board()).draw().axes[0].get_title(loc="left")
    assert few == "models by the mean of their scores"
    lost = Score.unscored("not-applicable", "no text", model="other", benchmark=BENCHMARKS[0])
    more = heatmap(Board.of([*scores(), lost])).draw().axes[0].get_title(loc="left")
    assert more.endswith("n/a = not applicable, – = not run")
