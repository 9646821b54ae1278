from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from corteval import store
from corteval.errors import OptionError, StimuliError
from corteval.model import record
from corteval_localizer import PRESETS, Localizer, Selection, localize, random_control
from corteval_localizer.example import letters
from corteval_localizer.layers import last_of_blocks
from corteval_localizer.planted import KINDS, WIDTH, Planted, planted, two_kinds


def test_t_of_every_unit_is_that_of_scipy_on_whole_recordings():
    model, shown = planted(), two_kinds()
    found = localize(model, KINDS, stimuli=shown)
    whole = record(model, shown, "language_system").values.astype(np.float64)
    is_b = (shown.table["kind"] == "B").to_numpy()
    expected = stats.ttest_ind(whole[is_b], whole[~is_b], equal_var=False, alternative="greater")
    assert np.allclose(np.concatenate([found.t["a"], found.t["b"]]), expected.statistic)
    assert np.allclose(np.concatenate([found.p["a"], found.p["b"]]), expected.pvalue)


def test_planted_units_are_found_by_each_rule():
    for rule in ({"top": 4}, {"fraction": 4 / 24}, {"fdr": 0.01}, {"fdr": 0.01, "procedure": "BY"}):
        found = localize(
            planted(), replace(KINDS, selection=Selection(**rule)), stimuli=two_kinds(60)
        )
        assert found.positions("b").tolist() == [0, 1, 2, 3], rule
        assert not found.mask["a"].any()


@pytest.mark.parametrize("block", [1, 4, 30])
def test_neither_blocks_nor_the_order_of_stimuli_change_what_is_found(block):
    expected = localize(planted(), KINDS, stimuli=two_kinds())
    order = np.random.default_rng(0).permutation(30)
    with store.using(None):
        found = localize(planted(block=block), KINDS, stimuli=two_kinds(order=order))
    assert found.positions("b").tolist() == expected.positions("b").tolist()
    assert np.allclose(found.t["a"], expected.t["a"], rtol=1e-9)


def test_absolute_responses_are_compared_by_size():
    model, shown = planted(), two_kinds()
    found = localize(model, replace(KINDS, responses="absolute"), stimuli=shown)
    whole = np.abs(record(model, shown, "language_system").values.astype(np.float64))
    is_b = (shown.table["kind"] == "B").to_numpy()
    expected = stats.ttest_ind(whole[is_b], whole[~is_b], equal_var=False).statistic
    assert np.allclose(np.concatenate([found.t["a"], found.t["b"]]), expected)


@pytest.mark.parametrize(("pooling", "pool"), [("last", lambda r: r[-1]), ("mean", np.mean)])
@pytest.mark.parametrize("block", [1, 3, 100])
def test_words_are_pooled_where_the_subject_cannot(pooling, pool, block):
    model, shown = planted(block=block), two_kinds()
    with store.using(None):
        found = localize(model, replace(KINDS, pooling=pooling), stimuli=shown)
    assert found.pooling == f"{pooling} word"
    values = np.array(
        [
            [pool([model.extractor.row("b", w)[unit] for w in t.split()]) for unit in range(WIDTH)]
            for t in shown.table["text"]
        ],
        np.float64,
    )
    is_b = (shown.table["kind"] == "B").to_numpy()
    expected = stats.ttest_ind(values[is_b], values[~is_b], equal_var=False).statistic
    assert np.allclose(found.t["b"], expected, rtol=1e-5)


def test_words_are_read_in_the_context_of_those_before_them():
    seen = []

    class Spy(Planted):
        def __call__(self, stimuli, wanted):
            seen.append(stimuli.table)
            yield from super().__call__(stimuli, wanted)

    model = replace(planted(), extractor=Spy())
    with store.using(None):
        localize(model, replace(KINDS, pooling="mean"), stimuli=two_kinds(4))
    table = seen[0]
    assert table["text"].tolist()[:4] == ["o0", "w0", "x1", "w1"]
    assert table["context_id"].nunique() == 4
    assert all(
        group["position"].is_monotonic_increasing for _, group in table.groupby("context_id")
    )
    assert set(table.columns) == {"text", "context_id", "position"}  # no conditions


def test_a_subject_that_pools_tokens_is_asked_to():
    class Pooling(Planted):
        def pooled(self, pooling):
            asked.append(pooling)
            return self

    asked = []
    model = replace(planted(), extractor=Pooling())
    with store.using(None):
        found = localize(model, replace(KINDS, pooling="mean"), stimuli=two_kinds())
    assert set(asked) == {"mean"}
    assert found.pooling == "mean token"


class Characters:
    """One token a character, and one inserted at either end."""

    def encode(self, text):
        n = len(text)
        return type("E", (), {"offsets": [(0, 0), *((k, k + 1) for k in range(n)), (n, n)]})()


def test_texts_are_cut_to_tokens_inserted_ones_counted():
    seen = []

    class Reader(Planted):
        tokenizer = Characters()

        def __call__(self, stimuli, wanted):
            seen.extend(stimuli.table["text"])
            yield from super().__call__(stimuli, wanted)

    model = replace(planted(), extractor=Reader())
    with store.using(None):
        found = localize(model, replace(KINDS, tokens=4), stimuli=two_kinds(12))
        whole = localize(model, KINDS, stimuli=two_kinds(12))
    assert set(map(len, seen[:12])) == {2}
    assert found.tokens == {"B": 4.0, "A": 4.0}
    assert whole.tokens["A"] == np.mean([2 + len(t) for t in two_kinds(12).table["text"][::2]])
    with pytest.raises(OptionError, match="hold nothing"):
        localize(model, replace(KINDS, tokens=2), stimuli=two_kinds(12))
    with pytest.raises(OptionError, match="does not say how it cuts"):
        localize(planted(), replace(KINDS, tokens=3), stimuli=two_kinds(12))


def test_smoothing_is_a_weighted_mean_over_tissue():
    model, shown = planted(), two_kinds()
    found = localize(model, replace(KINDS, smoothing_mm=2.0), stimuli=shown)
    columns = model.extractor.units("b")
    sigma = 2.0 / (2 * np.sqrt(2 * np.log(2)))
    raw = np.array([model.extractor.row("b", t) for t in shown.table["text"]], np.float64)
    smoothed = np.empty_like(raw)
    for i in range(WIDTH):
        weights = [
            np.exp(
                -(
                    (columns["tissue_x_mm"][i] - columns["tissue_x_mm"][j]) ** 2
                    + (columns["tissue_y_mm"][i] - columns["tissue_y_mm"][j]) ** 2
                )
                / (2 * sigma**2)
            )
            for j in range(WIDTH)
        ]
        smoothed[:, i] = raw @ np.array(weights) / sum(weights)
    is_b = (shown.table["kind"] == "B").to_numpy()
    expected = stats.ttest_ind(smoothed[is_b], smoothed[~is_b], equal_var=False).statistic
    assert np.allclose(found.t["b"], expected, rtol=1e-5)


def test_what_was_found_is_kept_and_read_back_exactly(tmp_path):
    with store.using(store.Store(tmp_path)):
        model = planted()
        first = localize(model, KINDS, stimuli=two_kinds())
        asked = model.extractor.asked.copy()
        again = localize(model, KINDS, stimuli=two_kinds())
        assert model.extractor.asked == asked
    assert again.digest == first.digest
    assert (again.t["b"] == first.t["b"]).all()
    assert again.tokens == first.tokens


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"seed": 1, "fingerprint": "g"}},
        {"localizer": {"selection": Selection(top=5)}},
        {"localizer": {"layers": ("b",)}},
        {"localizer": {"pooling": "last"}},
        {"localizer": {"responses": "absolute"}},
        {"localizer": {"alternative": "two-sided"}},
        {"localizer": {"positive": "A", "negative": "B"}},
        {"stimuli": two_kinds(28)},
    ],
    ids=str,
)
def test_other_weights_parameters_or_stimuli_are_found_anew(tmp_path, change):
    with store.using(store.Store(tmp_path)):
        localize(planted(), KINDS, stimuli=two_kinds())
        model = planted(**change.get("model", {}))
        localizer = replace(KINDS, **change.get("localizer", {}))
        localize(model, localizer, stimuli=change.get("stimuli", two_kinds()))
        assert model.extractor.asked
        kept = [e for e in store.active().entries() if e.kind == "localizer"]
    assert len(kept) == 2


def test_an_edited_localizer_finds_anew(tmp_path, monkeypatch):
    with store.using(store.Store(tmp_path)):
        localize(planted(), KINDS, stimuli=two_kinds())
        monkeypatch.setattr("corteval_localizer.localization._source", lambda: "edited")
        model = planted()
        localize(model, KINDS, stimuli=two_kinds())
        assert model.extractor.asked


def test_relabelled_stimuli_of_the_same_texts_are_found_anew(tmp_path):
    with store.using(store.Store(tmp_path)):
        first = localize(planted(), KINDS, stimuli=two_kinds())
        swapped = two_kinds()
        table = swapped.table.assign(kind=swapped.table["kind"].to_numpy()[::-1])
        second = localize(planted(), KINDS, stimuli=replace(swapped, table=table))
    assert first.stimuli != second.stimuli
    assert not np.allclose(first.t["b"], second.t["b"])


def test_a_subject_without_a_fingerprint_is_never_kept(tmp_path):
    class Silent:
        def __init__(self):
            inner = Planted()
            self.units, self.inner = inner.units, inner

        def __call__(self, stimuli, wanted):
            return self.inner(stimuli, wanted)

    with store.using(store.Store(tmp_path)):
        found = localize(replace(planted(), extractor=Silent()), KINDS, stimuli=two_kinds())
        assert not store.active().entries()
    assert found.fingerprint is None


def test_a_random_control_has_as_many_units_in_each_layer_and_another_digest():
    found = localize(planted(), KINDS, stimuli=two_kinds())
    control = random_control(found, seed=3)
    assert control.count == found.count
    assert control.mask["b"].sum() == found.mask["b"].sum()
    assert not (control.mask["b"] & found.mask["b"]).any()
    assert "seed 3" in control.control
    assert len({found.digest, control.digest, random_control(found, seed=4).digest}) == 3


def test_overlap_is_the_share_of_units_that_both_selected():
    found = localize(planted(), KINDS, stimuli=two_kinds())
    more = localize(planted(), replace(KINDS, selection=Selection(top=6)), stimuli=two_kinds())
    assert found.overlap(found) == 1.0
    assert found.overlap(more) == more.overlap(found) == 4 / 6
    assert found.overlap(random_control(found, seed=0)) == 0.0
    with pytest.raises(OptionError, match="no units to compare"):
        found.overlap(localize(planted(), replace(KINDS, layers="b"), stimuli=two_kinds()))


def test_blocks_are_those_that_names_number():
    bert = [
        f"encoder.layer.{n}.{part}" for n in range(2) for part in ("attention", "output.LayerNorm")
    ]
    assert last_of_blocks(["embeddings", *bert, "pooler"]) == [bert[1], bert[3]]
    assert last_of_blocks(["0", "1", "1.relu"]) == ["0", "1.relu"]
    assert last_of_blocks(["conv1", "V1", "V2.norm3", "V2.out"])[-1] == "V2.out"


def test_layers_may_be_patterns_and_unknown_ones_are_named():
    found = localize(planted(), replace(KINDS, layers="b"), stimuli=two_kinds())
    assert found.layers == ("b",)
    assert localize(planted(), replace(KINDS, layers="*"), stimuli=two_kinds()).layers == ("a", "b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"column": "colour"}, "no column 'colour'"),
        ({"positive": "C"}, "0 stimuli have kind 'C'"),
    ],
)
def test_conditions_that_there_are_not_are_named(change, words):
    with pytest.raises(StimuliError, match=words):
        localize(planted(), replace(KINDS, **change), stimuli=two_kinds())


def test_images_are_localized_by_any_labels():
    from corteval.testing import toys

    shown = toys.images(12)
    labels = ["face" if n % 2 else "house" for n in range(12)]
    shown = replace(shown, table=shown.table.assign(kind=labels))
    localizer = Localizer(
        column="kind", positive="face", negative="house", selection=Selection(top=3)
    )
    model = toys.vision()
    found = localize(model, localizer, stimuli=shown, target="IT")
    whole = record(model, shown, "IT").values.astype(np.float64)
    is_face = np.array(labels) == "face"
    with np.errstate(all="ignore"):
        expected = stats.ttest_ind(whole[is_face], whole[~is_face], equal_var=False).statistic
    assert np.allclose(found.t["patches"], expected, rtol=1e-6, equal_nan=True)
    with pytest.raises(OptionError, match="takes image"):
        localize(model, KINDS, stimuli=two_kinds())
    with pytest.raises(OptionError, match="Only texts"):
        localize(model, replace(localizer, pooling="mean"), stimuli=shown)


def test_presets_differ_in_pooling_responses_and_selection():
    said = {
        name: (p.pooling, p.responses, p.tokens, p.smoothing_mm, p.selection)
        for name, p in PRESETS.items()
    }
    assert said["brain-score"] == ("last", "signed", 12, None, Selection(fraction=0.1))
    assert said["llm-localization"][:2] == ("last", "absolute")
    assert said["topolm"] == ("mean", "signed", None, 2.0, Selection(fdr=0.05))
    assert all(p.data == "Fedorenko2010.localization" for p in PRESETS.values())


def test_sentences_and_nonwords_of_the_real_localizer_differ_in_letters(mirror):
    found = localize(letters(), Localizer(selection=Selection(fdr=0.05)))
    # the shares of h (the, that, which) and of the pair th are those of English
    assert found.mask["letters"][ord("h") - 97]
    assert found.mask["pairs"][26 * 19 + 7]
    topographic = localize(letters(), PRESETS["topolm"])
    assert topographic.pooling == "mean word"
    assert topographic.count > 0
