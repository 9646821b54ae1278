import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.benchmarks.wikitext2_language.tests.wikitext2_readers import SPEC, reader, uniform

from corteval import registry
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.model import LayerCommitment
from corteval.score import Score
from corteval.scoring import score
from corteval.stats.paired import compare
from corteval.surprisal import SurprisalSpec, answer
from corteval.testing.subjects import InterposedSubject, ReplaySubject, reordered
from corteval_wikitext2_language.perplexity import perplexity


@pytest.fixture(scope="module")
def whole(mirror):
    return registry.benchmarks.create("Wikitext2-perplexity")


@pytest.fixture(scope="module")
def ten(mirror):
    return registry.benchmarks.create("Wikitext2.10articles-perplexity")


@pytest.fixture(scope="module")
def text(mirror):
    (path,) = mirror.rglob("wikitext-2/test.txt")
    return path.read_text(encoding="utf-8")


def unigram(text, ends=True):
    """Surprisal under the frequencies of words in `text`, and its entropy in nats."""
    tokens = text.replace("\n", " \n ").split(" ") if ends else text.split()
    counts = Counter(t for t in tokens if t)
    total = sum(counts.values())
    bits = {word: -math.log2(count / total) for word, count in counts.items()}
    entropy = -sum(c / total * math.log(c / total) for c in counts.values())
    return (lambda words, n: sum(bits[w] for w in words) + (n * bits["\n"] if n else 0)), entropy


@pytest.mark.parametrize("vocabulary", [2, 50_257])
def test_perplexity_of_a_uniform_subject_is_the_size_of_its_vocabulary(whole, vocabulary):
    found = score(uniform(vocabulary), whole)
    assert perplexity(found) == pytest.approx(vocabulary, rel=1e-6)
    assert found.value == pytest.approx(-math.log(vocabulary), rel=1e-7)
    assert "over 245569 tokens of 60 articles" in found.raw.method
    assert found.notes[0].startswith(f"perplexity {vocabulary:.2f} (")
    assert found.raw.quantity == "log likelihood"


def test_perplexity_of_word_frequencies_is_that_of_their_entropy(whole, text):
    bits, entropy = unigram(text)
    assert score(reader(bits), whole).value == pytest.approx(-entropy, rel=1e-7)


def test_a_better_subject_has_a_higher_score_and_a_lower_perplexity(ten, text):
    better, worse = score(reader(unigram(text)[0]), ten), score(uniform(50_000), ten)
    assert better.value > worse.value and perplexity(better) < perplexity(worse)
    assert compare(better, worse).p_value < 0.01


def test_who_reads_no_ends_of_line_is_measured_on_words_alone(whole, text):
    bits, entropy = unigram(text, ends=False)
    found = score(reader(bits, reads_ends=False), whole)
    assert found.value == pytest.approx(-entropy, rel=1e-7)
    assert "over 241211 tokens" in found.raw.method
    assert any("does not read ends of line" in note for note in found.notes)
    assert perplexity(score(uniform(100, reads_ends=False), whole)) == pytest.approx(100)


@pytest.mark.parametrize("reads_ends", [True, False])
def test_first_lines_without_surprisal_are_counted_on_neither_side(whole, reads_ends):
    """A blank line begins an article; who does not read it lacks the title."""
    found = score(uniform(100, lacks_first=True, reads_ends=reads_ends), whole)
    assert perplexity(found) == pytest.approx(100)
    table = whole.stimuli().table
    titles = table[table["level"] == 1]["text"].str.split().str.len().sum()
    tokens = 245_569 - 60 if reads_ends else 241_211 - titles
    assert f"over {tokens} tokens" in found.raw.method


def test_a_line_in_mid_text_without_surprisal_is_named(whole):
    values = np.ones(len(whole.stimuli()))
    values[100] = np.nan
    assert whole.stimuli().table["kind"].iloc[100] == "text"
    subject = ReplaySubject(responses=answer(values, whole.stimuli(), SPEC))
    with pytest.raises(AssemblyError, match=r"1 lines have no surprisal .* test-0101"):
        score(subject, whole)


def test_a_line_without_probability_has_no_perplexity(whole):
    values = np.ones(len(whole.stimuli()))
    values[100] = np.inf
    found = score(ReplaySubject(responses=answer(values, whole.stimuli(), SPEC)), whole)
    assert found.status == "undefined" and "test-0101: perplexity is infinite" in found.reason
    with pytest.raises(UndefinedScore, match="infinite"):
        perplexity(found)


def test_the_base_does_not_matter(ten):
    one = score(uniform(37), ten)
    nats = reader(
        lambda words, ends: (len(words) + ends) * math.log(37), SurprisalSpec(base="nats", bos=True)
    )
    assert score(nats, ten).value == pytest.approx(one.value, rel=1e-7)


def test_articles_are_read_apart_unless_the_file_is_read_as_one(mirror, whole):
    """A subject for whom a text of n words is the harder the more was read before it."""

    class Tiring:
        def units(self, layer):
            return {"neuroid_id": np.array([layer])}

        def __call__(self, stimuli, wanted):
            read = stimuli.table.groupby("context_id")["position"].rank() - 1
            yield {"surprisal": (read.to_numpy() + 1.0)[:, None]}

    subject = replace(reader(None), extractor=Tiring())
    apart = score(subject, whole)
    together = score(subject, registry.benchmarks.create("Wikitext2.file-perplexity"))
    lines = len(whole.stimuli())
    assert -together.value * 245_569 / math.log(2) == pytest.approx(lines * (lines + 1) / 2)
    sizes = whole.stimuli().table.groupby("context_id").size()
    assert -apart.value * 245_569 / math.log(2) == pytest.approx((sizes * (sizes + 1) / 2).sum())
    assert any("as one text" in note for note in together.notes)


@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_the_order_of_articles_and_of_answers_does_not_matter(ten, text, seed):
    subject = reader(unigram(text)[0], lacks_first=True)
    first = score(subject, ten)
    moved = InterposedSubject(subject=subject, change=reordered("presentation", seed))
    assert score(moved, ten).value == pytest.approx(first.value, rel=1e-12)
    table = ten.stimuli().table
    articles = np.random.default_rng(seed).permutation(table["article"].unique())
    ids = [i for a in articles for i in table.index[table["article"] == a]]
    turned = replace(ten)
    turned.__dict__["_stimuli"] = ten.stimuli().select(ids)
    again = score(subject, turned)
    assert again.value == pytest.approx(first.value, rel=1e-12)
    assert again.interval.low == pytest.approx(first.interval.low, rel=1e-6)


def test_articles_are_drawn_by_their_seed(mirror, ten):
    def numbers(**options):
        made = registry.benchmarks.create("Wikitext2-perplexity", **options)
        return made.stimuli().table["article"].unique().tolist()

    assert len(numbers(articles=10)) == 10
    assert numbers(articles=10) == ten.stimuli().table["article"].unique().tolist()
    assert numbers(articles=10) != numbers(articles=10, articles_seed=1)
    assert numbers(articles=60) == numbers()
    whole = registry.data.create("Wikitext2").stimuli().table
    part = ten.stimuli().table
    assert (
        part["text"].tolist() == whole["text"][whole["article"].isin(numbers(articles=10))].tolist()
    )
    with pytest.raises(OptionError, match="from 1 to 60, not 61"):
        numbers(articles=61)


def test_the_interval_is_that_of_a_ratio_over_articles(whole):
    """Beside the linearised standard error of a ratio of sums."""
    rng = np.random.default_rng(0)
    table = whole.stimuli().table
    hard = rng.lognormal(sigma=0.3, size=61)[table["article"]] * 8
    lengths = table["text"].str.split().str.len().to_numpy() + 1
    found = score(ReplaySubject(responses=answer(hard * lengths, whole.stimuli(), SPEC)), whole)
    nats = np.bincount(table["article"], hard * lengths)[1:] * math.log(2)
    tokens = np.bincount(table["article"], lengths)[1:]
    residual = nats - nats.sum() / tokens.sum() * tokens
    error = np.sqrt(60 / 59 * (residual**2).sum()) / tokens.sum()
    half = (found.interval.high - found.interval.low) / 2
    assert half == pytest.approx(2.0 * error, rel=0.15)
    effective = round(tokens.sum() ** 2 / (tokens**2).sum())
    assert (found.interval.scope, found.raw.replicates[0].sizes) == ("articles", (effective,))
    np.testing.assert_allclose(found.samples.values, -nats / tokens)


def test_scores_are_the_same_bit_for_bit_and_survive_json(ten, text):
    scores = [
        replace(score(reader(unigram(text)[0]), made), provenance=None)
        for made in (ten, registry.benchmarks.create("Wikitext2.10articles-perplexity"))
    ]
    assert scores[0].to_json() == scores[1].to_json()
    assert Score.from_json(scores[0].to_json()) == scores[0]
    other = score(
        reader(unigram(text)[0]),
        registry.benchmarks.create("Wikitext2.10articles-perplexity", seed=5),
    )
    assert other.value == scores[0].value and other.interval != scores[0].interval


@pytest.mark.parametrize("identifier", ["Wikitext2-perplexity", "Wikitext2-accuracy"])
def test_subjects_without_surprisal_are_not_applicable_before_any_compute(mirror, identifier):
    class Never:
        def units(self, layer):
            raise AssertionError("it was asked")

        def __call__(self, stimuli, wanted):
            raise AssertionError("it was asked")

    deaf = LayerCommitment(identifier="deaf", extractor=Never(), layers={"*": "x"})
    assert score(deaf, identifier).status == "not-applicable"


def test_numbers_that_do_not_say_that_they_are_surprisal_are_refused(ten):
    plain = answer(np.ones(len(ten.stimuli())), ten.stimuli(), SPEC).drop_attrs()
    with pytest.raises(AssemblyError, match="no surprisal"):
        score(ReplaySubject(responses=plain), ten)
