"""Bubbles, Hopfield network and recurrent layer against reference values and closed forms."""

import hashlib
import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval_occlusion import bubble_mask, newhop, occluded, recurrent_states, seen_through
from corteval_occlusion.bubbles import share_visible
from corteval_occlusion.completion import Features, completed
from corteval_occlusion.hopfield import STEP, TAU, bipolar
from corteval_occlusion.recurrent import loss_and_gradient, trained_weights


@pytest.fixture(scope="module")
def oracle(reference):
    return reference("models.json")["occlusion"]


def facts(values):
    flat = np.asarray(values, float).ravel()
    return {
        "mean": flat.mean(),
        "std": flat.std(),
        "min": flat.min(),
        "max": flat.max(),
        "abs_sum": abs(flat).sum(),
    }


def require_facts(values, wanted):
    assert list(np.shape(values)) == wanted["shape"]
    for name, value in facts(values).items():
        assert value == pytest.approx(wanted[name], rel=1e-9, abs=1e-12), name


def test_bubbles_are_those_of_the_reference(oracle):
    mask = bubble_mask((256, 256), [(64, 64), (128, 200), (190, 90)], 14.0)
    require_facts(mask, oracle["bubbles"]["mask"])
    visible = share_visible(mask, np.exp(-2))
    assert visible == oracle["bubbles"]["visible_fraction_thr_exp_minus2"]
    assert share_visible(mask) >= visible  # .134 is a little less than e⁻²


def test_an_image_seen_through_bubbles_is_that_of_the_reference(oracle):
    rows, columns = np.indices((256, 256))
    image = 255 * (rows + columns) / 510
    mask = bubble_mask((256, 256), [(64, 64), (128, 200), (190, 90)], 14.0)
    require_facts(seen_through(image, mask), oracle["bubbles"]["image"])


def test_halves_are_rounded_away_from_zero():
    # (x/255 - ½) m + ½ times 255 is 128.5 for x = 130 and m = .4
    assert seen_through(np.array([[130]], np.uint8), np.array([[0.4]]))[0, 0] == 129


def test_an_open_mask_shows_the_image_and_a_closed_one_grey():
    image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    np.testing.assert_array_equal(seen_through(image, np.ones((8, 9))), image)
    assert (seen_through(image, np.zeros((8, 9))) == 128).all()


def test_no_bubble_shows_nothing_and_none_has_no_width():
    assert not bubble_mask((4, 4), [], 2.0).any()
    with pytest.raises(OptionError, match="positive"):
        bubble_mask((4, 4), [(1, 1)], 0.0)


def test_a_toy_hopfield_network_has_the_weights_of_the_reference(oracle):
    wanted = oracle["newhop T=[-1 -1 1;1 -1 1]'"]
    network = newhop(np.array([[-1, -1, 1], [1, -1, 1]]))
    np.testing.assert_allclose(network.weights, wanted["W"], atol=1e-12)
    np.testing.assert_allclose(network.bias, wanted["b"], atol=1e-12)
    state = np.array([wanted["start"]])
    for following in wanted["five_steps"]:
        state = network.step(state)
        np.testing.assert_allclose(state[0], following, atol=1e-12)


def closed_form(name, count):
    """The reference's numbers of a name, by its own convention."""
    k = np.arange(count, dtype=np.int64)
    k1, q, m = k % 65537, k // 65537, zlib.crc32(name.encode()) % 65537
    h = ((k1 * k1 % 65537) * 48271 + k1 * m + q * 40503 + m + 12345) % 65537
    return np.sqrt(3) * (2 * (h + 0.5) / 65537 - 1)


def test_a_hopfield_network_of_64_units_completes_as_the_reference_does(oracle):
    wanted = oracle["hopfield_64x5"]
    patterns = np.sign(closed_form("hop.patterns", 320)).reshape(64, 5).T
    network = newhop(patterns)
    require_facts(network.weights, wanted["W"])
    require_facts(network.bias, wanted["b"])
    state = patterns[2].copy()
    state[:16] *= -1
    overlaps = []
    for _ in range(10):
        state = network.step(state[None])[0]
        overlaps.append(state @ patterns[2] / 64)
    np.testing.assert_allclose(overlaps, wanted["overlap_first10"], atol=1e-9)
    np.testing.assert_allclose(patterns @ state / 64, wanted["final_overlaps"], atol=1e-9)


def test_recurrent_states_are_those_of_the_reference(oracle):
    x = closed_form("rnn.x", 16)[None]
    weights = 0.5 * np.sqrt(1 / 16) * closed_form("rnn.U", 256).reshape(16, 16)
    states = recurrent_states(x, weights, 6)
    for step in (1, 2, 6):
        np.testing.assert_allclose(states[step - 1][0], oracle["rnn5"][f"h_t{step}"], atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_weights_and_bias_are_those_of_the_matrix_exponential(seed):
    patterns = np.where(np.random.default_rng(seed).random((5, 20)) < 0.5, -1.0, 1.0)
    transposed = patterns.T
    left, values, _ = np.linalg.svd(transposed[:, :-1] - transposed[:, -1:])
    rank = np.linalg.matrix_rank(np.diag(values))
    plus = left[:, :rank] @ left[:, :rank].T
    minus = left[:, rank:] @ left[:, rank:].T
    a = plus - TAU * minus
    drive = transposed[:, -1] - a @ transposed[:, -1]
    grow, shrink = np.exp(STEP) - 1, -(np.exp(-TAU * STEP) - 1) / TAU
    gains = np.r_[np.full(rank, grow), np.full(20 - rank, shrink)]
    network = newhop(patterns)
    np.testing.assert_allclose(network.weights, expm(STEP * a), atol=1e-12)
    np.testing.assert_allclose(network.bias, left @ np.diag(gains) @ left.T @ drive, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(6, 40))
def test_patterns_stay_as_they_are_and_states_within_their_bounds(seed, count, units):
    generator = np.random.default_rng(seed)
    patterns = np.where(generator.random((count, units)) < 0.5, -1.0, 1.0)
    network = newhop(patterns)
    np.testing.assert_allclose(network.step(patterns), patterns, atol=1e-9)
    settled = network.settled(generator.uniform(-1, 1, (3, units)))
    assert abs(settled).max() <= 1


def test_a_spoilt_pattern_comes_back():
    patterns = np.where(np.random.default_rng(1).random((4, 100)) < 0.5, -1.0, 1.0)
    spoilt = patterns.copy()
    spoilt[:, :20] *= -1
    np.testing.assert_allclose(newhop(patterns).settled(spoilt), patterns, atol=1e-6)


def test_patterns_of_other_values_are_refused():
    with pytest.raises(OptionError, match="-1 and 1"):
        newhop(np.array([[0, 1]]))
    with pytest.raises(OptionError, match="at least one pattern"):
        newhop(np.zeros((0, 3)))


def test_states_of_the_recurrent_layer_follow_its_equation():
    generator = np.random.default_rng(0)
    x, weights = generator.normal(size=(3, 7)), 0.3 * generator.normal(size=(7, 7))
    for row, states in zip(x, np.stack(recurrent_states(x, weights, 6), axis=1), strict=True):
        state = np.zeros(7)
        for found in states:
            state = np.array([max(0, row[i] + weights[i] @ state) for i in range(7)])
            np.testing.assert_allclose(found, state, atol=1e-12)


def test_the_gradient_is_that_of_finite_differences():
    generator = np.random.default_rng(2)
    x, wanted = generator.normal(size=(2, 5, 4))
    weights = 0.2 * generator.normal(size=(4, 4))
    _, gradient = loss_and_gradient(weights, x, wanted)
    step = 1e-6
    for place in np.ndindex(4, 4):
        moved = np.zeros((4, 4))
        moved[place] = step
        up, down = (loss_and_gradient(weights + s * moved, x, wanted)[0] for s in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2 / step, abs=1e-7)


def test_the_gradient_is_that_of_torch():
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(5)
    x, wanted = generator.normal(size=(2, 6, 5))
    weights = 0.2 * generator.normal(size=(5, 5))
    u = torch.tensor(weights, requires_grad=True)
    h = torch.zeros(6, 5, dtype=torch.float64)
    for _ in range(5):
        h = torch.relu(torch.tensor(x) + h @ u.T)
    loss = torch.nn.functional.mse_loss(h, torch.tensor(wanted))
    loss.backward()
    found, gradient = loss_and_gradient(weights, x, wanted)
    assert found == pytest.approx(loss.item())
    np.testing.assert_allclose(gradient, u.grad.numpy(), atol=1e-12)


def test_training_brings_parts_nearer_to_the_whole():
    generator = np.random.default_rng(0)
    wholes = np.maximum(generator.normal(size=(400, 3)) @ generator.normal(size=(3, 12)), 0)
    parts = wholes * generator.uniform(0.2, 0.6, (400, 12))  # fainter, some units more than others
    weights = trained_weights(parts, wholes, batch=20)
    before, after = (
        ((recurrent_states(parts, w, 5)[-1] - wholes) ** 2).mean()
        for w in (np.zeros((12, 12)), weights)
    )
    assert after < 0.95 * before
    np.testing.assert_array_equal(weights, trained_weights(parts, wholes, batch=20))


def test_a_recurrent_layer_without_weights_rectifies():
    x = np.random.default_rng(0).normal(size=(3, 4))
    for state in recurrent_states(x, np.zeros((4, 4)), 6):
        np.testing.assert_array_equal(state, np.maximum(x, 0))


def test_hopfield_completion_brings_noisy_features_to_those_fitted_on():
    generator = np.random.default_rng(3)
    fit = generator.normal(size=(4, 200))
    test = fit + 0.5 * generator.normal(size=fit.shape)
    made = completed("hopfield", Features(fit, fit[:0], test))
    np.testing.assert_allclose(made.fit, bipolar(fit, fit.mean(axis=0)), atol=1e-6)
    np.testing.assert_allclose(made.test, made.fit, atol=1e-6)


def test_an_unknown_completion_is_refused():
    with pytest.raises(OptionError, match="none, hopfield and rnn5"):
        completed("lstm", Features(*np.zeros((3, 2, 2))))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.permutations(["a", "b", "c"]))
def test_bubbles_depend_on_seed_and_id_alone_and_more_show_more(seed, order):
    def images(stimulus_id):
        number = int.from_bytes(hashlib.sha256(stimulus_id.encode()).digest()[:4], "big")
        return np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8)

    table = pd.DataFrame(index=pd.Index(["a", "b", "c"], name="stimulus_id"))
    stimuli = StimulusSet(identifier="noise", modality="image", table=table, images=images)
    made = occluded(stimuli, (2, 5), seed=seed)
    again = occluded(stimuli.select(order[:2]), (5, 2), seed=seed)
    for stimulus_id in again.stimulus_ids:
        np.testing.assert_array_equal(made.image(stimulus_id), again.image(stimulus_id))
    few, many = (made.images.mask(f"bubbles-{n}-a", (20, 24)) for n in (2, 5))
    assert (many >= few).all()
    assert made.table.at["bubbles-5-a", "visible"] >= made.table.at["bubbles-2-a", "visible"]
