"""The fast model against a plain one that follows the published formulas word by word."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.errors import OptionError
from corteval_ngram.kneser_ney import UNKNOWN, discounts, train


class Plain:
    """Modified Kneser-Ney smoothing by dictionaries of tuples (Chen & Goodman 1998)."""

    def __init__(self, documents, order, base):
        self.order, self.base = order, base
        occurs = defaultdict(int)
        for document in documents:
            read = (0, *document)
            for n in range(1, order + 1):
                for end in range(max(n, 2), len(read) + 1):
                    occurs[read[end - n : end]] += 1
        left = defaultdict(set)
        for gram in occurs:
            if len(gram) > 1:
                left[gram[1:]].add(gram[0])
        self.count = {
            gram: occurs[gram] if len(gram) == order or gram[0] == 0 else len(left[gram])
            for gram in occurs
        }
        self.discount = {}
        for n in range(1, order + 1):
            having = [sum(c == r for g, c in self.count.items() if len(g) == n) for r in range(5)]
            n1, n2, n3, n4 = having[1:]
            found = [0.5, 1.0, 1.5]
            if min(having[1:]):
                y = n1 / (n1 + 2 * n2)
                proposed = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
                if all(0 < d <= r for r, d in enumerate(proposed, start=1)):
                    found = proposed
            self.discount[n] = [0.0, *found]

    def of(self, gram):
        """The discount of an n-gram."""
        return self.discount[len(gram)][min(self.count[gram], 3)]

    def p(self, word, context, base):
        """p(word | context); base is the probability below single words."""
        n = len(context) + 1
        lower = self.p(word, context[1:], base) if context else base
        following = [g for g in self.count if len(g) == n and g[:-1] == context]
        total = sum(self.count[g] for g in following)
        if not total:
            return lower
        gram = (*context, word)
        own = self.count[gram] - self.of(gram) if gram in self.count else 0
        return max(own, 0) / total + sum(self.of(g) for g in following) / total * lower


SYMBOLS = 6
documents = st.lists(
    st.lists(st.integers(1, SYMBOLS - 1), max_size=12), min_size=1, max_size=6
).filter(any)


def arrays(read):
    return [np.array(document, np.int64) for document in read]


@settings(max_examples=40)
@given(documents, documents, st.integers(1, 4))
def test_probabilities_are_those_of_the_published_formulas(seen, asked, order):
    base = 1 / 7  # of five symbols, and of two that have no number
    plain = Plain(seen, order, base)
    model = train(arrays(seen), order=order, symbols=SYMBOLS)
    got = model.probabilities(arrays(asked), np.full(sum(map(len, asked)), base))
    expected = [
        plain.p(word, ((0, *document)[: end + 1])[max(0, end + 2 - order) :], base)
        for document in asked
        for end, word in enumerate(document)
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@settings(max_examples=40)
@given(
    documents, st.lists(st.integers(-1, SYMBOLS - 1).filter(bool), max_size=6), st.integers(1, 5)
)
def test_probabilities_sum_to_one_after_any_context(seen, context, order):
    model = train(arrays(seen), order=order, symbols=SYMBOLS)
    base = np.full(SYMBOLS, 1 / 7)
    known = model.distribution(np.array(context, np.int64), base)
    others = model.probabilities(arrays([[*context, UNKNOWN]]), np.full(len(context) + 1, 1 / 7))
    assert known[0] == 0
    assert known.sum() + 2 * others[-1] == pytest.approx(1, abs=1e-12)


@settings(max_examples=30)
@given(documents, documents, st.integers(1, 4))
def test_the_most_probable_symbol_is_that_of_the_whole_distribution(seen, asked, order):
    model = train(arrays(seen), order=order, symbols=SYMBOLS)
    base = np.array([0, 0.3, 0.2, 0.1, 0.1, 0.1])
    best = iter(model.most_probable(arrays(asked), base))
    for document in asked:
        for end in range(len(document) + 1):
            whole = model.distribution(np.array(document[:end], np.int64), base)
            assert whole[next(best)] == pytest.approx(whole.max(), rel=1e-12)


@given(documents, st.randoms())
def test_the_order_of_documents_does_not_matter(seen, random):
    moved = random.sample(seen, len(seen))
    base = np.full(sum(map(len, seen)), 0.1)
    here, there = (train(arrays(d), order=3, symbols=SYMBOLS) for d in (seen, moved))
    np.testing.assert_array_equal(
        here.probabilities(arrays(seen), base), there.probabilities(arrays(seen), base)
    )


def test_documents_are_read_apart():
    model = train(arrays([[1, 2, 3, 1, 2], [2, 3]]), order=3, symbols=4)
    together = model.probabilities(arrays([[1, 2], [3, 1]]), np.full(4, 0.25))
    apart = [model.probabilities(arrays([d]), np.full(2, 0.25)) for d in ([1, 2], [3, 1])]
    np.testing.assert_array_equal(together, np.concatenate(apart))


def test_one_document_of_one_symbol_in_closed_form():
    model = train(arrays([[1]]), order=2, symbols=3)
    # its only bigram, start and 1, was seen once, discounted by 1/2; so was 1, after one symbol
    first, second = model.distribution(np.array([], int), np.array([0, 0.2, 0.8]))[1:]
    assert first == pytest.approx(0.5 + 0.5 * (0.5 + 0.5 * 0.2))
    assert second == pytest.approx(0.5 * 0.5 * 0.8)


def test_discounts_are_those_of_equation_26():
    counts = np.repeat([1, 2, 3, 4, 9], [100, 40, 20, 11, 7])
    y = 100 / (100 + 2 * 40)
    expected = (1 - 2 * y * 40 / 100, 2 - 3 * y * 20 / 40, 3 - 4 * y * 11 / 20)
    assert discounts(counts) == pytest.approx(expected)


def test_longer_contexts_predict_text_with_longer_memory_better():
    generator = np.random.default_rng(0)
    text = [1, 2]
    for noise in generator.random(4000):
        text.append((text[-1] + text[-2]) % 5 + 1 if noise < 0.8 else int(5 * noise) % 5 + 1)
    seen, asked = np.array(text[:3000]), np.array(text[3000:])
    losses = [
        -np.log2(
            train([seen], order=n, symbols=6).probabilities([asked], np.full(len(asked), 0.2))
        ).mean()
        for n in (1, 2, 3)
    ]
    assert losses[0] > losses[1] > losses[2] + 0.5


@pytest.mark.parametrize(("seen", "order"), [([[1]], 0), ([[]], 2), ([], 2)])
def test_nothing_is_learnt_from_nothing(seen, order):
    with pytest.raises(OptionError, match=r"order|Is the text empty"):
        train(arrays(seen), order=order, symbols=3)
