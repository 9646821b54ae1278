import pytest

from corteval import registry
from corteval.errors import NotInData, OptionError
from corteval_wikitext2.data import heading_levels

FILES = {"Wikitext2": "test.txt", "Wikitext2.validation": "val.txt"}
#: Tokens with one end a line, and articles: Merity et al. 2017, table 1.
PUBLISHED = {"Wikitext2": (245_569, 60), "Wikitext2.validation": (217_646, 60)}

parts = pytest.mark.parametrize("identifier", FILES)


def table(identifier, **options):
    return registry.data.create(identifier, **options).stimuli().table


def content(mirror, identifier):
    (path,) = mirror.rglob(f"wikitext-2/{FILES[identifier]}")
    return path.read_bytes()


@parts
@pytest.mark.parametrize("context", ["article", "file"])
def test_joined_lines_are_the_file_byte_for_byte(mirror, identifier, context):
    rows = table(identifier, context=context)
    assert "".join(rows["text"]).encode() == content(mirror, identifier)
    again = rows.sample(frac=1, random_state=0).sort_values("position")
    assert "".join(again["text"]).encode() == content(mirror, identifier)
    assert rows["context_id"].nunique() == (60 if context == "article" else 1)


@parts
def test_tokens_and_articles_are_as_published(mirror, identifier):
    rows = table(identifier)
    words = rows["text"].str.split().str.len().sum()
    assert (words + len(rows), rows["article"].max()) == PUBLISHED[identifier]


@parts
def test_lines_are_blank_headings_or_text(mirror, identifier):
    rows = table(identifier)
    lines = content(mirror, identifier).decode().split("\n")[:-1]
    assert len(rows) == len(lines)
    assert (rows["kind"] == "blank").tolist() == [line.strip() == "" for line in lines]
    assert ((rows["kind"] == "heading") == (rows["level"] > 0)).all()
    levels = rows["level"].value_counts().to_dict()
    assert (
        levels
        == {
            "Wikitext2": {0: 3654, 1: 60, 2: 302, 3: 298, 4: 43, 5: 1},
            "Wikitext2.validation": {0: 3140, 1: 60, 2: 301, 3: 237, 4: 21, 5: 1},
        }[identifier]
    )


@parts
def test_an_article_is_a_blank_line_its_title_and_what_follows(mirror, identifier):
    for number, rows in table(identifier).groupby("article"):
        assert rows["level"].tolist()[:3] == [0, 1, 0]
        assert rows["kind"].tolist()[:3] == ["blank", "heading", "blank"]
        assert (rows["level"] == 1).sum() == 1
        assert rows["context_id"].unique().tolist() == [f"article-{number:02d}"]


def test_a_formula_broken_over_lines_is_no_title(mirror):
    rows = table("Wikitext2")
    line = rows[rows["text"] == " = 1 henry and capacitance C =\n"]
    assert line["kind"].tolist() == ["text"]
    assert line.index.tolist() == ["test-2151"]


def test_words_are_written_out_and_marks_stand_apart(mirror):
    for identifier in FILES:
        text = content(mirror, identifier).decode()
        assert "<unk>" not in text
        assert " @-@ " in text and " , " in text


def test_line_ends_differ_between_the_parts(mirror):
    assert not table("Wikitext2")["text"].str.endswith(" \n").any()
    assert table("Wikitext2.validation")["text"].str.endswith(" \n").all()


@pytest.mark.parametrize(
    ("lines", "levels"),
    [
        ([" = A =\n", "\n", " = = B = =\n", "\n"], [1, 0, 2, 0]),
        ([" = A =\n"], [1]),
        ([" = A = =\n"], [0]),
        ([" x = y =\n"], [0]),
        (["\n", " = Qualified\n", "\n"], [0, 0, 0]),
        ([" text\n", " = A =\n", "\n"], [0, 0, 0]),
        ([], []),
    ],
)
def test_headings_stand_between_blank_lines(lines, levels):
    assert heading_levels(lines) == levels


def test_there_are_no_responses():
    with pytest.raises(NotInData, match="texts and no responses"):
        registry.data.create("Wikitext2").assembly()


def test_unknown_options_are_answered_with_known_ones():
    with pytest.raises(OptionError, match="no part 'valid'; there is validation"):
        registry.data.create("Wikitext2", part="valid")
    with pytest.raises(OptionError, match="article or file"):
        registry.data.create("Wikitext2", context="line")
