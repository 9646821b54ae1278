"""Text models as subjects: representations, contexts, batches and the store."""

import itertools
import logging

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from corteval import hooks, store
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.perturbation import ablation
from corteval.requests import OneOf, Recording, UnitFilter
from corteval_pytorch import PrincipalComponents, SparseProjection, passes
from corteval_pytorch.text import text_commit

RECORDING = Recording("language_system")
STORY = ("the quick dog", "ran", "over hills", ", then", "slept beside a fire", "until morning")
OTHER = ("a car", "stopped; nobody", "knew why")
NEAR = {"rtol": 0, "atol": 2e-6}


pytestmark = pytest.mark.usefixtures("unshelved")


def committed(module, tokenizer, layers="blocks.1", **options):
    return text_commit(module, tokenizer, {"language_system": layers}, identifier="r", **options)


def recorded(subject, stimuli):
    return subject.respond(stimuli, [RECORDING])[RECORDING].values


def direct(module, ids, layer=1):
    """Output of a block for one sequence, by a hook of the test's own."""
    seen = []
    handle = module.blocks[layer].register_forward_hook(lambda m, i, o: seen.append(o))
    with torch.no_grad():
        module(torch.tensor([ids]), torch.ones(1, len(ids)))
    handle.remove()
    return seen[0][0].numpy()


def joined(parts):
    text = ""
    ends = []
    for part in parts:
        text += ("" if not text or part[0] in ",.;" else " ") + part
        ends.append(len(text))
    return text, ends


def test_last_tokens_equal_those_of_every_prefix_alone(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    found = recorded(committed(module, tokenizer), texts(STORY))
    text, ends = joined(STORY)
    alone = [direct(module, tokenizer.encode(text[:end]).ids)[-1] for end in ends]
    np.testing.assert_allclose(found, alone, **NEAR)


def test_a_passage_is_tokenised_and_read_once(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    subject = committed(module, tokenizer)
    subject.extractor.layer_names()
    shown = []
    module.register_forward_pre_hook(
        lambda m, a, k: shown.append(k["input_ids"].shape), with_kwargs=True
    )
    before = len(tokenizer.calls)
    recorded(subject, texts(STORY, OTHER))
    assert len(tokenizer.calls) - before == 2
    assert [shape[0] for shape in shown] == [2]


@pytest.mark.parametrize(("pooling", "pooled"), [("mean", "mean"), ("first", "first")])
def test_pooling_is_over_the_tokens_of_the_stimulus(reader, pieces, texts, pooling, pooled):
    module, tokenizer = reader(), pieces()
    found = recorded(committed(module, tokenizer, pooling=pooling), texts(STORY))
    text, ends = joined(STORY)
    counts = [0, *(len(tokenizer.encode(text[:end]).ids) for end in ends)]
    whole = direct(module, tokenizer.encode(text).ids)
    own = [whole[a:b] for a, b in itertools.pairwise(counts)]
    expected = [o.mean(axis=0) if pooled == "mean" else o[0] for o in own]
    np.testing.assert_allclose(found, expected, **NEAR)


def test_several_layers_are_recorded_in_the_same_pass(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    found = recorded(committed(module, tokenizer, ("blocks.0", "blocks.1")), texts(STORY))
    ids = tokenizer.encode(joined(STORY)[0]).ids
    expected = np.concatenate([direct(module, ids, n)[-1] for n in (0, 1)])
    np.testing.assert_allclose(found[-1], expected, **NEAR)


@pytest.mark.parametrize("causal", [True, False])
def test_order_of_stimuli_contexts_and_batches_change_nothing(reader, pieces, texts, causal):
    module, tokenizer = reader(causal=causal), pieces(inserts=True, ends=not causal)
    stimuli = texts(STORY, OTHER, STORY[:3], ("the quick dog",))
    whole = recorded(committed(module, tokenizer, causal=causal), stimuli)
    order = np.random.default_rng(0).permutation(len(stimuli))
    moved = stimuli.select([stimuli.stimulus_ids[i] for i in order])
    narrow = committed(module, tokenizer, causal=causal, batch_tokens=5)
    np.testing.assert_allclose(recorded(narrow, moved), whole[order], **NEAR)


def test_a_context_is_read_without_the_others(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    both = recorded(committed(module, tokenizer), texts(OTHER, STORY))
    alone = recorded(committed(module, tokenizer), texts(STORY))
    np.testing.assert_allclose(both[len(OTHER) :], alone, **NEAR)


def test_a_beginning_shared_by_contexts_is_read_once(reader, pieces, texts):
    subject = committed(reader(), pieces())
    stimuli = texts(*(STORY[: k + 1] for k in range(len(STORY))))
    plan = subject.extractor.planned(stimuli)
    assert len(plan.sequences) == 1
    assert len(plan.contents) == len(STORY)
    again = recorded(subject, stimuli)[-len(STORY) :]
    np.testing.assert_allclose(again, recorded(subject, texts(STORY)), **NEAR)


# windows


def test_with_a_stride_of_one_every_stimulus_is_read_as_if_truncated_alone(reader, pieces, texts):
    module, tokenizer = reader(positions=9), pieces(inserts=True)
    parts = tuple(f"word{n}" for n in range(12))
    found = recorded(committed(module, tokenizer, window=9, stride=1), texts(parts))
    text, ends = joined(parts)
    for value, end in zip(found, ends, strict=True):
        ids = tokenizer.encode(text[:end]).ids
        alone = direct(module, [ids[0], *ids[1:][-8:]])
        np.testing.assert_allclose(value, alone[-1], **NEAR)


@pytest.mark.parametrize("stride", [2, 4])
def test_with_a_stride_every_stimulus_has_at_least_the_window_less_the_stride(
    reader, pieces, texts, stride
):
    module, tokenizer = reader(positions=9), pieces()
    parts = tuple(f"word{n}" for n in range(12))
    found = recorded(committed(module, tokenizer, window=9, stride=stride), texts(parts))
    text, ends = joined(parts)
    for value, end in zip(found, ends, strict=True):
        ids = tokenizer.encode(text[:end]).ids
        contexts = range(min(len(ids), 9 - stride), min(len(ids), 9) + 1)
        alone = [direct(module, ids[-size:])[-1] for size in contexts]
        assert min(np.abs(value - a).max() for a in alone) < 2e-6


def test_a_stimulus_longer_than_the_window_is_pooled_over_several(reader, pieces, texts):
    module, tokenizer = reader(positions=8), pieces()
    long = " ".join(f"w{n}" for n in range(20))
    subject = committed(module, tokenizer, window=8, stride=1, pooling="mean", batch_tokens=8)
    ids = tokenizer.encode(long).ids
    expected = np.mean(
        [direct(module, ids[max(0, t - 7) : t + 1])[-1] for t in range(len(ids))], axis=0
    )
    np.testing.assert_allclose(recorded(subject, texts((long,)))[0], expected, **NEAR)


# both sides


def test_a_model_that_sees_both_sides_is_shown_each_prefix_with_its_marks(reader, pieces, texts):
    module, tokenizer = reader(causal=False), pieces(inserts=True, ends=True)
    found = recorded(committed(module, tokenizer, causal=False), texts(STORY))
    text, ends = joined(STORY)
    alone = [direct(module, tokenizer.encode(text[:end]).ids)[-2] for end in ends]
    np.testing.assert_allclose(found, alone, **NEAR)


def test_it_may_see_the_whole_passage_if_asked(reader, pieces, texts):
    module, tokenizer = reader(causal=False), pieces(inserts=True, ends=True)
    subject = committed(module, tokenizer, causal=False, sees="passage")
    text, ends = joined(STORY)
    whole = direct(module, tokenizer.encode(text).ids)
    places = [len(tokenizer.encode(text[:end]).ids) - 2 for end in ends]
    np.testing.assert_allclose(recorded(subject, texts(STORY)), whole[places], **NEAR)


def test_its_prefixes_are_truncated_at_the_left(reader, pieces, texts):
    module, tokenizer = reader(causal=False, positions=8), pieces(inserts=True, ends=True)
    found = recorded(committed(module, tokenizer, causal=False, window=8), texts(STORY))
    text, ends = joined(STORY)
    for value, end in zip(found, ends, strict=True):
        first, *inner, last = tokenizer.encode(text[:end]).ids
        np.testing.assert_allclose(value, direct(module, [first, *inner[-6:], last])[-2], **NEAR)


# stimuli without tokens


def test_an_empty_stimulus_is_what_was_read_before_it(reader, pieces, texts):
    found = recorded(committed(reader(), pieces()), texts(("a dog", "", "ran")))
    np.testing.assert_array_equal(found[1], found[0])


def test_an_empty_beginning_needs_a_token_of_the_beginning(reader, pieces, texts):
    stimuli = texts(("", "a dog"))
    with pytest.raises(StimuliError, match="0-0 has no text"):
        recorded(committed(reader(), pieces()), stimuli)
    module = reader()
    found = recorded(committed(module, pieces(inserts=True)), stimuli)
    np.testing.assert_allclose(found[0], direct(module, [1])[0], **NEAR)


# numbers, units, perturbations


def test_a_projection_is_of_the_pooled_responses(reader, pieces, texts):
    module, tokenizer, stimuli = reader(), pieces(), texts(STORY, OTHER)
    whole = recorded(committed(module, tokenizer, pooling="mean"), stimuli)
    projection = SparseProjection(features=5, seed=3)
    fewer = recorded(committed(module, tokenizer, pooling="mean", reduction=projection), stimuli)
    matrix = projection.matrix(16).to_dense().numpy()
    np.testing.assert_allclose(fewer, whole @ matrix.T, rtol=0, atol=1e-5)


def test_principal_components_are_those_of_other_texts(reader, pieces, texts):
    module, tokenizer, stimuli = reader(), pieces(), texts(OTHER)
    components = PrincipalComponents(components=2, fit=texts(STORY))
    fewer = recorded(committed(module, tokenizer, reduction=components), stimuli)
    fit = recorded(committed(module, tokenizer), texts(STORY))
    _, _, axes = np.linalg.svd(fit - fit.mean(0), full_matrices=False)
    expected = (recorded(committed(module, tokenizer), stimuli) - fit.mean(0)) @ axes[:2].T
    np.testing.assert_allclose(np.abs(fewer), np.abs(expected), rtol=0, atol=1e-4)


def test_single_units_are_those_of_the_whole_layer(reader, pieces, texts, shelf):
    subject, stimuli = committed(reader(), pieces()), texts(STORY)
    chosen = UnitFilter((OneOf("channel", (3, 7)),))
    some = Recording("language_system", units=chosen)
    few = subject.respond(stimuli, [some])[some]
    np.testing.assert_array_equal(few.values, recorded(subject, stimuli)[:, [3, 7]])
    assert list(few["neuroid_id"].values) == ["blocks.1-3", "blocks.1-7"]


def test_later_layers_feel_an_ablation(reader, pieces, texts):
    module, tokenizer, stimuli = reader(), pieces(), texts(STORY, OTHER)
    subject = text_commit(module, tokenizer, {"early": "blocks.0", "late": "blocks.1"})
    late, early = Recording("late"), Recording("early")
    silenced = subject.perturbed(ablation("early")).respond(stimuli, [early, late])
    assert not silenced[early].values.any()

    def without(m, i, o):
        return torch.zeros_like(o)

    handle = module.blocks[0].register_forward_hook(without)
    expected = subject.respond(stimuli, [late])[late].values
    handle.remove()
    np.testing.assert_allclose(silenced[late].values, expected, **NEAR)
    assert np.abs(expected - subject.respond(stimuli, [late])[late].values).max() > 1e-2


def test_half_precision_is_near_and_said(reader, pieces, texts):
    module, tokenizer, stimuli = reader(), pieces(), texts(STORY)
    half = committed(module, tokenizer, dtype="bfloat16")
    full = recorded(committed(module, tokenizer), stimuli)
    assert 0 < np.abs(recorded(half, stimuli) - full).max() < 0.1 * np.abs(full).max()
    assert any("bfloat16" in note for note in half.notes)


def test_layer_names_are_those_with_units_by_token_without_the_logits(reader, pieces):
    names = committed(reader(), pieces()).extractor.layer_names()
    assert names[0] == "embed"
    assert {"blocks.0.mix", "blocks.0", "blocks.1"} <= set(names)
    assert "head" not in names


def test_positions_are_the_same_for_all(reader, pieces, texts):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.place = nn.Embedding(64, 4)
            self.tokens = nn.Embedding(400, 4)

        def forward(self, input_ids, attention_mask):
            return self.place(torch.arange(input_ids.shape[1])[None]) + self.tokens(input_ids)

    found = recorded(committed(Twice(), pieces(), "place"), texts(STORY, OTHER))
    assert found.shape == (9, 4)


def test_an_unknown_layer_is_named_with_close_ones(reader, pieces):
    with pytest.raises(OptionError, match=r"Did you mean blocks\.1"):
        committed(reader(), pieces(), "block.1")


def test_responses_that_are_not_finite_name_the_stimulus(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    with torch.no_grad():
        module.embed.weight[tokenizer.id_of(" ran")] = torch.nan
    with pytest.raises(AssemblyError, match="0-1"):
        recorded(committed(module, tokenizer), texts(STORY))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pooling": "median"}, "pooling"),
        ({"causal": False, "sees": "all"}, "sees"),
        ({"window": 3, "stride": 3}, "advances"),
        ({"stride": 2}, "without a window"),
        ({"window": 1}, "room"),
        ({"dtype": "int8"}, "dtype"),
        ({"batch_tokens": 0}, "batch"),
    ],
)
def test_options_that_make_no_sense_are_refused(reader, pieces, options, words):
    with pytest.raises(OptionError, match=words):
        committed(reader(), pieces(), **options)


def test_images_are_refused_by_name(reader, pieces, pictures):
    with pytest.raises(StimuliError, match="no texts"):
        list(committed(reader(), pieces()).extractor(pictures(2), {"blocks.1": np.arange(2)}))


# memory, progress, store


def test_out_of_memory_halves_the_batch(reader, pieces, texts, caplog):
    module, tokenizer, stimuli = reader(), pieces(), texts(STORY, OTHER, ("one more",))
    expected = recorded(committed(module, tokenizer), stimuli)
    sizes = []

    def limited(m, args, kwargs):
        sizes.append(len(kwargs["input_ids"]))
        if sizes[-1] > 1:
            raise MemoryError("not enough memory")

    subject = committed(module, tokenizer)
    subject.extractor.layer_names()
    module.register_forward_pre_hook(limited, with_kwargs=True)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(recorded(subject, stimuli), expected, **NEAR)
    assert sizes == [3, 1, 1, 1]
    assert "out of memory" in caplog.text


def test_progress_counts_stimuli(reader, pieces, texts):
    told = []

    class Listener:
        @hooks.hookimpl
        def corteval_progress(self, event):
            if "reading" in event.task:
                told.append((event.completed, event.total))

    with hooks.observing(Listener()):
        recorded(committed(reader(), pieces(), batch_tokens=4), texts(STORY, OTHER))
    assert told == [(3, 9), (9, 9)]


def test_a_second_benchmark_reads_nothing_again(reader, pieces, texts, shelf):
    module, tokenizer = reader(), pieces()
    first = recorded(committed(module, tokenizer), texts(STORY, OTHER))
    module.register_forward_pre_hook(lambda m, a: pytest.fail("read again"))
    again = texts(OTHER, STORY)  # other ids and another order
    second = recorded(committed(module, tokenizer), again)
    np.testing.assert_array_equal(second, np.concatenate([first[6:], first[:6]]))


@pytest.mark.parametrize(
    "change",
    [
        {"pooling": "mean"},
        {"window": 9, "stride": 3},
        {"dtype": "bfloat16"},
        {"causal": False},
    ],
)
def test_what_changes_responses_changes_the_fingerprint(reader, pieces, change):
    plain = committed(reader(), pieces()).extractor.fingerprint
    assert committed(reader(), pieces()).extractor.fingerprint == plain
    assert committed(reader(), pieces(), **change).extractor.fingerprint != plain


def test_weights_and_tokenizer_are_part_of_the_fingerprint(reader, pieces):
    plain = committed(reader(), pieces()).extractor.fingerprint
    assert committed(reader(seed=1), pieces()).extractor.fingerprint != plain
    assert committed(reader(), pieces(ends=True)).extractor.fingerprint != plain


def test_a_killed_run_goes_on_where_it_stopped(reader, pieces, texts, shelf, monkeypatch):
    monkeypatch.setattr(passes, "GROUP", 2)
    module, tokenizer = reader(), pieces()
    stimuli = texts(*((f"dog {'x' * n}", "ran") for n in range(6)))
    subject = committed(module, tokenizer, batch_tokens=4)
    with store.using(None):
        expected = recorded(subject, stimuli)
    shown = []

    def dies(m, args, kwargs):
        shown.append(kwargs["input_ids"].shape)
        if len(shown) == 4:
            raise KeyboardInterrupt

    subject.extractor.layer_names()
    handle = module.register_forward_pre_hook(dies, with_kwargs=True)
    with pytest.raises(KeyboardInterrupt):
        recorded(subject, stimuli)
    total = len(subject.extractor.planned(stimuli).sequences)
    found = recorded(subject, stimuli)
    handle.remove()
    np.testing.assert_allclose(found, expected, **NEAR)
    assert sum(shape[0] for shape in shown[4:]) < total


def test_texts_without_contexts_are_read_alone(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    table = pd.DataFrame({"text": STORY}, index=pd.Index([*"abcdef"], name="stimulus_id"))
    stimuli = texts(STORY)
    alone = type(stimuli)(identifier="alone", modality="text", table=table)
    found = recorded(committed(module, tokenizer), alone)
    expected = [direct(module, tokenizer.encode(text).ids)[-1] for text in STORY]
    np.testing.assert_allclose(found, expected, **NEAR)
