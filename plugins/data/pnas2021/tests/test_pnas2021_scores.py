import csv
import json
import math
import re

import pytest

from corteval import registry
from corteval.cli import main
from corteval.errors import OptionError, UndefinedScore
from corteval.report.gathering import from_file
from corteval.report.origin import PUBLISHED, is_published
from corteval.report.page import page
from corteval.score import Score
from corteval.stats.paired import compare
from corteval.stats.relations import relate
from corteval_pnas2021.card import SCORES
from corteval_pnas2021.scores import BENCHMARKS, scores

COLUMNS = {name: name.partition("2")[0] for name in BENCHMARKS}  # Pereira2018-... -> Pereira


@pytest.fixture(scope="module")
def table(mirror):
    return registry.data.create("PNAS2021").table()


@pytest.fixture(scope="module")
def found(table):
    return scores(table)


@pytest.fixture(scope="module")
def published(request):
    """Best layers as another program has them."""
    request.getfixturevalue("reference")("real_data_numbers.json")
    folder = request.config.rootpath.parent / "shared" / "reference"
    with (folder / "pnas2021_best_layer.csv").open(newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def test_every_score_is_that_of_another_program(found, published):
    assert len(found) == 88 * 4
    for score in found:
        row = published[score.model]
        column = COLUMNS[score.benchmark]
        if not row[column]:
            assert score.status == "undefined" and "no score" in score.reason
            continue
        assert score.value == pytest.approx(float(row[column]), abs=6e-6)
        released = score.further["released score"]
        assert f"layer {row[f'{column}_layer']};" in released.method
        if row[f"{column}_err"]:
            assert released.error == pytest.approx(float(row[f"{column}_err"]), abs=6e-6)


def test_no_interval_raw_score_or_ceiling_is_invented(found):
    for score in found:
        assert score.interval is None and score.ceiling is None
        assert score.raw is None or math.isnan(score.raw.value)


def test_every_score_says_where_it_comes_from(found):
    for score in found:
        assert is_published(score) and score.notes[0].startswith(PUBLISHED)
        assert SCORES.sha256 in score.provenance.digests.values()
        assert Score.from_json(score.to_json()) == score


def test_scores_above_their_ceiling_stay_and_say_so(found):
    above = [s for s in found if s.value > 1]
    assert {s.model for s in above} >= {"gpt2-xl"}
    assert all(("above its ceiling" in " ".join(s.notes)) == (s.value > 1) for s in found)


@pytest.mark.parametrize("which", ["trained", "untrained"])
def test_half_of_the_models_are_without_training(table, which):
    models = {s.model for s in scores(table, which)}
    assert len(models) == 44
    assert {m.endswith("-untrained") for m in models} == {which == "untrained"}


def test_other_choices_are_errors(table):
    with pytest.raises(OptionError, match="all, trained, untrained, not 'some'"):
        scores(table, "some")


def test_published_scores_cannot_be_compared_by_resampling(found):
    first, second = (s for s in found if (s.model, s.benchmark[:3]) in PAIR)
    with pytest.raises(UndefinedScore, match="too few bootstrap replicates"):
        compare(first, second)


PAIR = {("gpt2", "Per"), ("gpt2-xl", "Per")}


@pytest.mark.usefixtures("mirror")
def test_the_command_writes_what_a_page_marks_as_published(tmp_path, capsys):
    file = tmp_path / "scores.jsonl"
    arguments = ["pnas2021", "--output", str(file), "--models", "trained", "--json"]
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["scores"], said["scored"], said["models"]) == (176, 174, 44)
    gathered = from_file(file)
    source = page(gathered)
    assert "<b>174 scores were published and not computed here</b>" in source
    assert '<td class="p">1.044</td>' in source and source.count('<td class="p">') == 174
    assert 'td.p::after { content: " published"' in source


@pytest.mark.usefixtures("mirror")
def test_the_page_shows_the_published_relations_with_intervals(tmp_path):
    file = tmp_path / "scores.jsonl"
    assert main(["pnas2021", "--output", str(file), "--models", "trained"]) == 0
    gathered = from_file(file)
    source = page(gathered)
    # spec `language` 3
    for one, other, r in (
        ("Pereira2018", "Futrell2018", 0.584),
        ("Pereira2018", "Fedorenko2016", 0.500),
        ("Blank2014", "Pereira2018", 0.589),
        ("Blank2014", "Fedorenko2016", 0.285),
        ("Blank2014", "Futrell2018", 0.471),
        ("Fedorenko2016", "Futrell2018", 0.424),
    ):
        names = [f"{one}-pnas2021", f"{other}-pnas2021"]
        captions = re.findall(r"<figcaption>(.*?)</figcaption>", source, flags=re.S)
        (caption,) = [c for c in captions if all(f"<bdi>{n}</bdi>" in c for n in names)]
        values = gathered.board.values(benchmarks=names)
        interval = relate(values[:, 0], values[:, 1]).interval
        assert float(re.findall(r"r = (\S+) ", caption)[0]) == pytest.approx(r, abs=0.0055)
        assert f"{interval.low:.2f} to {interval.high:.2f}" in caption
