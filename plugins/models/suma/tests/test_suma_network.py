import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from corteval.errors import OptionError
from corteval_suma.architecture import Architecture, embedding_rows, projection
from corteval_suma.card import PARAMETERS
from corteval_suma.network import DrawnEmbedding, Suma, drawn

SMALL = Architecture(vocabulary=50, hidden=16, heads=8)


def plainly(network, tokens, cycles, heads):
    """SUMA with loops over tokens and heads, in double precision."""
    table = network.embed_tokens.table().double().numpy()
    attention = network.layers[0].self_attn
    q, k, v, o = (
        getattr(attention, n).weight.detach().double().numpy()
        for n in ("q_proj", "k_proj", "v_proj", "o_proj")
    )
    width = table.shape[1]
    size = width // heads

    def normalised(x):
        return x / math.sqrt(sum(a * a for a in x) / width + 1e-6)

    h = [table[token] for token in tokens]
    entering = attended = None
    for _ in range(cycles):
        entering = [normalised(x) for x in h]
        attended = []
        for i in range(len(tokens)):
            mixed = np.zeros(width)
            for head in range(heads):
                own = slice(head * size, (head + 1) * size)
                query = (q @ entering[i])[own]
                scores = [query @ (k @ entering[j])[own] / math.sqrt(size) for j in range(i + 1)]
                weights = np.exp(np.array(scores) - max(scores))
                weights /= weights.sum()
                mixed[own] = sum(w * (v @ entering[j])[own] for j, w in enumerate(weights))
            attended.append(o @ mixed)
        h = [x + a for x, a in zip(h, attended, strict=True)]
    return np.array([normalised(x) for x in h]), np.array(entering), np.array(attended)


def recorded(network, ids, mask=None):
    """Output, and the last output of both layers."""
    seen = {}
    block = network.layers[0]
    handles = [
        layer.register_forward_hook(lambda _, __, out, n=name: seen.__setitem__(n, out))
        for name, layer in (("norm", block.input_layernorm), ("attention", block.self_attn))
    ]
    with torch.inference_mode():
        output = network(torch.tensor(ids), None if mask is None else torch.tensor(mask))
    for handle in handles:
        handle.remove()
    return output.numpy(), seen["norm"].numpy(), seen["attention"].numpy()


@given(
    tokens=st.lists(st.integers(0, 49), min_size=1, max_size=9),
    cycles=st.integers(1, 3),
    heads=st.sampled_from([1, 2, 8, 16]),
    seed=st.integers(0, 5),
)
def test_the_network_is_what_loops_over_tokens_and_heads_compute(tokens, cycles, heads, seed):
    sizes = Architecture(vocabulary=50, hidden=16, heads=heads, cycles=cycles)
    network = drawn(sizes, seed)
    for name in ("q_proj", "k_proj", "v_proj", "o_proj"):  # so that attention is not nearly even
        getattr(network.layers[0].self_attn, name).weight.mul_(20)
    found = recorded(network, [tokens])
    for got, expected in zip(found, plainly(network, tokens, cycles, heads), strict=True):
        assert np.allclose(got[0], expected, atol=2e-5 * max(1, np.abs(expected).max()))


def test_heads_computed_some_at_a_time_are_the_same(monkeypatch):
    network = drawn(SMALL, 1)
    ids = torch.arange(24).view(2, 12)
    whole = network(ids)
    monkeypatch.setattr("corteval_suma.network._ATTENTION_BYTES", 4 * 2 * 12 * 12 * 3)
    assert torch.allclose(network(ids), whole, atol=1e-6)


def test_the_number_of_parameters_is_that_of_the_sizes():
    network = drawn(SMALL, 0, embedding="table")
    assert sum(p.numel() for p in network.parameters()) == SMALL.parameters
    assert SMALL.parameters == 50 * 16 + 4 * 16 * 16 + 2 * 16


@pytest.mark.slow
def test_at_full_size_there_are_198_million_parameters_of_these_shapes():
    full = Architecture()
    with torch.device("meta"):
        network = Suma(full, embedding="table")
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    assert shapes == {
        "embed_tokens.weight": (32_000, 4_096),
        "layers.0.input_layernorm.weight": (4_096,),
        **{f"layers.0.self_attn.{n}_proj.weight": (4_096, 4_096) for n in "qkvo"},
        "norm.weight": (4_096,),
    }
    count = sum(p.numel() for p in network.parameters())
    assert count == full.parameters == PARAMETERS == 198_189_056
    assert network.layers[0].self_attn.heads == 512  # of 8 units each


@pytest.mark.parametrize("cycles", [1, 2, 5])
def test_cycles_share_their_weights(cycles):
    sizes = Architecture(vocabulary=50, hidden=16, heads=4, cycles=cycles)
    network = drawn(sizes, 0, embedding="table")
    assert sum(p.numel() for p in network.parameters()) == sizes.parameters
    calls = []
    network.layers[0].self_attn.register_forward_hook(lambda *_: calls.append(1))
    network(torch.arange(6)[None])
    assert len(calls) == cycles


def test_weights_are_those_of_the_seed_whatever_is_drawn_before():
    first = drawn(SMALL, 3)
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 it is what must not matter
    again = drawn(SMALL, 3)
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
    other = drawn(SMALL, 4)
    assert not torch.equal(
        first.layers[0].self_attn.q_proj.weight, other.layers[0].self_attn.q_proj.weight
    )
    weights = [p for n, p in first.named_parameters() if "proj" in n]
    assert len({float(w.sum()) for w in weights}) == 4


@given(order=st.permutations(list(range(50))), seed=st.integers(0, 3))
def test_a_row_of_the_embedding_is_the_same_in_whatever_order_rows_are_drawn(order, seed):
    table = drawn(SMALL, seed, embedding="table").embed_tokens.weight.detach()
    found = DrawnEmbedding(50, 16, seed)(torch.tensor([order]))[0]
    assert torch.equal(found, table[order])


def test_drawn_and_held_embeddings_give_the_same_responses():
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    assert torch.equal(drawn(SMALL, 7)(ids), drawn(SMALL, 7, embedding="table")(ids))


def test_weights_are_normal_with_a_standard_deviation_of_two_hundredths():
    rows = embedding_rows(range(500), 256, 0).astype(np.float64)
    weights = projection(0, 300, 0).astype(np.float64)
    for values in (rows, weights):
        n = values.size
        assert values.std() == pytest.approx(0.02, abs=4 * 0.02 / math.sqrt(2 * n))
        assert abs(values.mean()) < 4 * 0.02 / math.sqrt(n)
        assert ((values / 0.02) ** 4).mean() == pytest.approx(3, abs=0.2)
    # neighbouring rows share no numbers
    r = np.corrcoef(rows)[np.triu_indices(500, 1)]
    assert np.abs(r).max() < 6 / 16
    assert r.std() == pytest.approx(1 / 16, rel=0.05)


def test_without_the_mask_the_order_of_tokens_would_not_matter(monkeypatch):
    network = drawn(SMALL, 0)
    for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
        getattr(network.layers[0].self_attn, name).weight.mul_(20)
    ids = torch.tensor([[5, 9, 2, 7]])
    swapped = torch.tensor([[9, 5, 2, 7]])
    last = network(ids)[0, -1], network(swapped)[0, -1]
    assert not torch.allclose(*last, atol=1e-3)
    # with one cycle the last token sees a set, whatever the order of what came before
    single = Architecture(vocabulary=50, hidden=16, heads=8, cycles=1)
    once = drawn(single, 0)
    assert torch.allclose(once(ids)[0, -1], once(swapped)[0, -1], atol=1e-6)
    # and with two, it is the mask of the first that tells them apart
    monkeypatch.setattr(torch.Tensor, "triu", lambda self, _: torch.zeros_like(self))
    assert torch.allclose(network(ids)[0, -1], network(swapped)[0, -1], atol=1e-5)


def test_no_token_feels_a_later_one():
    network = drawn(SMALL, 2)
    long = torch.tensor([[5, 9, 2, 7, 11, 3]])
    assert torch.allclose(network(long)[0, :3], network(long[:, :3])[0], atol=1e-6)


@pytest.mark.parametrize("length", [1, 8, 9, 16, 17, 30])
def test_dynamic_cycles_are_one_for_each_eight_tokens_begun(length):
    ids = torch.arange(length)[None]
    dynamic = Architecture(vocabulary=50, hidden=16, heads=8, cycles="dynamic")
    fixed = Architecture(vocabulary=50, hidden=16, heads=8, cycles=math.ceil(length / 8))
    found = recorded(drawn(dynamic, 5), ids.tolist())
    for got, expected in zip(found, recorded(drawn(fixed, 5), ids.tolist()), strict=True):
        assert np.allclose(got, expected, atol=1e-6)


def test_dynamic_cycles_of_a_text_do_not_depend_on_what_is_read_beside_it():
    network = drawn(Architecture(vocabulary=50, hidden=16, heads=8, cycles="dynamic"), 5)
    short, long = list(range(5)), list(range(20))
    mask = [[1] * 5 + [0] * 15, [1] * 20]
    together = recorded(network, [short + [0] * 15, long], mask)
    for got, alone in zip(together, recorded(network, [short]), strict=True):
        assert np.allclose(got[0, :5], alone[0], atol=1e-6)
    for got, alone in zip(together, recorded(network, [long]), strict=True):
        assert np.allclose(got[1], alone[0], atol=1e-6)


def test_tokens_outside_the_vocabulary_are_refused_as_by_a_table():
    with pytest.raises(IndexError):
        drawn(SMALL, 0)(torch.tensor([[50]]))
    with pytest.raises(IndexError):
        nn.Embedding(50, 16)(torch.tensor([[50]]))


@pytest.mark.parametrize(
    "sizes", [{"heads": 7}, {"cycles": 0}, {"cycles": "often"}, {"hidden": 0}, {"vocabulary": 0}]
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(OptionError):
        Architecture(**{"vocabulary": 50, "hidden": 16, "heads": 8, **sizes})
