import json
import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from corteval.errors import OptionError, ScoreFormatError, UndefinedScore
from corteval.intervals import Interval, Replicates, interval_of
from corteval.score import (
    NORMALIZATIONS,
    Estimate,
    Provenance,
    Score,
    normalization_for,
    normalize,
    normalized_replicates,
)

floats = st.floats(allow_nan=True, allow_infinity=True, width=64)
texts = st.text(max_size=20)


def replicates():
    return st.builds(
        Replicates,
        scope=texts,
        sizes=st.lists(st.integers(1, 99), max_size=2).map(tuple),
        values=st.lists(floats, max_size=4).map(tuple),
        median=st.booleans(),
        seed=st.integers(0, 9),
        draw=texts,
    )


@st.composite
def estimates(draw):
    return Estimate(
        value=draw(floats),
        error=draw(st.none() | floats),
        method=draw(texts),
        quantity=draw(st.sampled_from(["correlation", "similarity", "accuracy", "reliability"])),
        replicates=tuple(draw(st.lists(replicates(), max_size=3))),
        splits=draw(texts),
    )


@st.composite
def samples(draw):
    dtype = draw(st.sampled_from(["<f8", "<f4", "<i8", "<i4", "|b1"]))
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    if np.dtype(dtype).kind == "f":
        width = 8 * np.dtype(dtype).itemsize
        elements = st.floats(width=width, allow_nan=True)
    else:
        elements = st.integers(0, 1)
    count = shape[0] * shape[1]
    values = np.array(draw(st.lists(elements, min_size=count, max_size=count))).astype(dtype)
    ids = draw(st.lists(texts, min_size=shape[1], max_size=shape[1]))
    return xr.DataArray(
        values.reshape(shape),
        dims=["split", "neuroid"],
        coords={
            "neuroid_id": ("neuroid", np.array(ids, dtype=str)),
            "x": ("split", np.ones(shape[0])),
        },
    )


@st.composite
def scores(draw):
    return Score(
        value=draw(floats),
        raw=draw(st.none() | estimates()),
        ceiling=draw(st.none() | estimates()),
        samples=draw(st.none() | samples()),
        interval=draw(
            st.none()
            | st.builds(
                Interval,
                low=floats,
                high=floats,
                level=st.just(0.95),
                method=texts,
                scope=texts,
                resamples=st.integers(0, 9999),
                seed=st.integers(0, 2**63),
            )
        ),
        chance=draw(st.floats(0, 1)),
        normalization=draw(st.sampled_from(["", *NORMALIZATIONS])),
        status=draw(st.sampled_from(["scored", "undefined", "not-applicable", "failed"])),
        reason=draw(texts),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        provenance=draw(
            st.none()
            | st.builds(
                Provenance,
                versions=st.dictionaries(texts, texts, max_size=2),
                cards=st.dictionaries(texts, st.integers(1, 9), max_size=2),
                options=st.dictionaries(texts, texts, max_size=2),
                digests=st.dictionaries(texts, texts, max_size=2),
                seed=st.none() | st.integers(),
                device=texts,
                seconds=st.none() | st.floats(0, 1e6),
                started=texts,
            )
        ),
        model=draw(texts),
        benchmark=draw(texts),
    )


def bits(score):
    """Every float of a score, bit by bit, so that NaN and -0.0 count."""
    found = [score.value]
    for estimate in (score.raw, score.ceiling):
        if estimate is not None:
            found += [estimate.value, *(v for r in estimate.replicates for v in r.values)]
    if score.samples is not None:
        found += score.samples.values.ravel().astype(float).tolist()
    return [math.nan if math.isnan(f) else (f, math.copysign(1, f)) for f in found]


@given(scores())
def test_json_round_trip_is_exact(score):
    text = score.to_json()
    back = Score.from_json(text)
    assert back == score
    assert back.to_json() == text
    assert str(bits(back)) == str(bits(score))
    if score.samples is not None:
        assert back.samples.dtype == score.samples.dtype
        xr.testing.assert_identical(back.samples, score.samples)


@given(scores())
def test_json_is_strict_and_canonical(score):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    content = json.loads(score.to_json(), parse_constant=refuse)
    assert list(content) == sorted(content)
    json.loads(json.dumps(score.summary(), allow_nan=False), parse_constant=refuse)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"schema": "corteval.record/1"}', '{"schema": "other/9"}', "🧠"],
)
def test_text_that_is_no_score_is_refused(text):
    with pytest.raises(ScoreFormatError):
        Score.from_json(text)


def test_samples_of_a_type_that_runs_code_are_refused():
    score = Score(value=1.0, samples=xr.DataArray([1.0], dims=["n"]))
    with pytest.raises(ScoreFormatError):
        Score.from_json(score.to_json().replace("<f8", "|O"))


def drawn(values, scope="stimuli", sizes=(1000,)):
    return Replicates(scope=scope, sizes=sizes, values=tuple(values)) if len(values) else None


def scored(value, quantity, values=()):
    found = drawn(values)
    raw = Estimate(value=value, quantity=quantity, replicates=(found,) if found else ())
    return Score(value=value, raw=raw)


@pytest.mark.parametrize(
    ("quantity", "ceiling", "name", "value"),
    [
        ("correlation", "reliability", "r^2/c", 0.6**2 / 0.8),
        ("correlation", "correlation", "r/c", 0.6 / 0.8),
        ("similarity", "similarity", "r/c", 0.6 / 0.8),
        ("accuracy", "accuracy", "(acc-chance)/(c-chance)", 0.5 / 0.7),
        ("variance", "reliability", "r/c", 0.6 / 0.8),
        ("log likelihood", "log likelihood", "r/c", 0.6 / 0.8),
    ],
)
def test_the_normalisation_follows_from_both_quantities(quantity, ceiling, name, value):
    result = normalize(
        scored(0.6, quantity),
        Estimate(value=0.8, quantity=ceiling),
        chance=0.1 if quantity == "accuracy" else 0.0,
    )
    assert result.normalization == name
    assert result.value == pytest.approx(value)


def test_the_legacy_normalisation_is_there_by_name_only():
    ceiling = Estimate(value=0.8, quantity="reliability")
    result = normalize(scored(0.6, "correlation"), ceiling, normalization="(r/c)^2")
    assert result.value == pytest.approx((0.6 / 0.8) ** 2)


def test_anticorrelation_is_not_explained_variance():
    ceiling = Estimate(value=0.8, quantity="reliability")
    assert normalize(scored(-0.5, "correlation"), ceiling).value < 0


def test_scores_above_the_ceiling_are_not_clipped():
    ceiling = Estimate(value=0.5, quantity="similarity")
    assert normalize(scored(0.9, "similarity"), ceiling).value == 1.8


@pytest.mark.parametrize("value", [0.0, -0.2, math.nan])
def test_a_ceiling_that_leaves_nothing_is_undefined(value):
    with pytest.raises(UndefinedScore, match="not reliable enough"):
        normalize(
            scored(0.5, "correlation"),
            Estimate(value=value, quantity="reliability"),
        )


def test_pairs_that_do_not_belong_together_are_refused():
    with pytest.raises(OptionError, match="No normalisation relates a accuracy"):
        normalization_for("accuracy", "reliability")
    with pytest.raises(OptionError, match="Unknown normalisation"):
        normalize(scored(1, "similarity"), Estimate(value=1), normalization="r")


def test_the_interval_resamples_raw_and_ceiling_together():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.1, 4000)
    raw = scored(0.5, "similarity", 0.5 + shared)
    joint = Estimate(value=0.5, replicates=(drawn(0.5 + shared),))
    fixed = Estimate(value=0.5)
    together = normalize(raw, joint).interval
    apart = normalize(raw, fixed).interval
    # what moves both moves their ratio not at all
    assert together.low == pytest.approx(1, abs=1e-6)
    assert together.high == pytest.approx(1, abs=1e-6)
    assert apart.low == pytest.approx(1 - 1.96 * 0.2, abs=0.02)
    assert (apart.resamples, apart.seed, apart.level) == (4000, 0, 0.95)
    assert "held fixed" in apart.method


def test_a_score_without_replicates_has_no_interval_and_says_so():
    result = normalize(scored(1, "similarity"), Estimate(value=1))
    assert result.interval is None
    assert "no bootstrap replicates" in result.notes[0]


def test_a_ceiling_hardly_above_zero_leaves_no_interval():
    rng = np.random.default_rng(0)
    raw = scored(0.3, "correlation", rng.normal(0.3, 0.05, 1000))
    ceiling = Estimate(
        value=0.1, quantity="correlation", replicates=(drawn(rng.normal(0.1, 0.1, 1000)),)
    )
    result = normalize(raw, ceiling)
    assert result.value == pytest.approx(3)
    assert result.interval is None
    assert "hardly above zero" in result.notes[0]


@given(st.lists(st.floats(-1, 1), min_size=20, max_size=60), st.floats(-1, 1))
def test_an_interval_holds_its_estimate(values, value):
    interval = interval_of(value, [drawn(values)])
    assert interval.low <= value <= interval.high


def test_replicates_of_other_draws_are_not_called_joint():
    values = np.random.default_rng(0).normal(0.5, 0.1, 100)
    ours, theirs = (replace(drawn(values), draw=name) for name in ("a", "b"))
    raw = Score(value=0.5, raw=Estimate(value=0.5, replicates=(ours,)))
    apart = normalize(raw, Estimate(value=0.5, replicates=(theirs,)))
    together = normalize(raw, Estimate(value=0.5, replicates=(ours,)))
    assert "drawn apart" in apart.interval.method
    assert "jointly" in together.interval.method


def test_what_cannot_be_normalised_is_refused():
    raw = scored(0.5, "similarity")
    with pytest.raises(OptionError, match="not a Score and a float"):
        normalize(raw, 0.8)
    with pytest.raises(OptionError, match="between 0 and 1, not at 95"):
        normalize(raw, Estimate(value=1), level=95)
    with pytest.raises(OptionError, match="normalised already, by r/c"):
        normalize(normalize(raw, Estimate(value=1)), Estimate(value=1))


def test_an_interval_that_cannot_be_given_is_explained():
    raw = scored(0.5, "similarity", [0.4, 0.6, float("nan")] * 20)
    result = normalize(raw, Estimate(value=1))
    assert result.interval is None
    assert "no interval" in result.notes[0]


def two_way(rows, columns, residual, resamples=4000, shape=(60, 40), seed=0):
    """Bootstrap of the mean of a table with effects of rows, of columns and of cells."""
    rng = np.random.default_rng(seed)
    r, c = shape
    table = rows * rng.standard_normal((r, 1)) + columns * rng.standard_normal((1, c))
    table = table + residual * rng.standard_normal(shape)
    a = rng.multinomial(r, np.full(r, 1 / r), resamples) / r
    b = rng.multinomial(c, np.full(c, 1 / c), resamples) / c
    values = table @ b.T
    found = (
        drawn(a @ table.mean(axis=1), "stimuli", (r,)),
        drawn(b @ table.mean(axis=0), "neuroids", (c,)),
        drawn((a.T * values).sum(axis=0), "stimuli×neuroids", shape),
    )
    return table, found


@pytest.mark.parametrize("effects", [(1, 0, 0.1), (0, 1, 0.1), (0.5, 0.5, 1), (0, 0, 1)])
def test_drawing_two_factors_does_not_count_their_interaction_three_times(effects):
    # the closed form of the variance of the mean of a two-way table
    rows, columns, residual = effects
    sd = np.sqrt(rows**2 / 60 + columns**2 / 40 + residual**2 / 2400)
    widths = []
    for seed in range(30):
        table, found = two_way(*effects, seed=seed, resamples=1000)
        interval = interval_of(table.mean(), found)
        widths.append((interval.high - interval.low) / 2)
    assert np.mean(widths) == pytest.approx(1.98 * sd, rel=0.08)


def test_few_subjects_widen_the_interval():
    values = np.random.default_rng(0).normal(0, 1, 20_000)
    few, many = (interval_of(0.0, [drawn(values, "subjects", (n,))]).high for n in (5, 5000))
    # n / (n - 1) in the variance, and t with four degrees of freedom
    assert few / many == pytest.approx(np.sqrt(5 / 4) * 2.776 / 1.96, rel=0.02)


def test_a_score_and_its_ceiling_share_their_splits():
    raw = Estimate(value=0.5, quantity="correlation", splits="a" * 64)
    other = Estimate(value=0.8, quantity="correlation", splits="b" * 64)
    with pytest.raises(OptionError, match="different splits"):
        normalize(Score(value=0.5, raw=raw), other)


def test_a_ceiling_without_a_normalisation_is_an_error_that_says_what_to_do():
    one = Estimate(value=0.5, replicates=(drawn(np.linspace(0.4, 0.6, 50), "stimuli", (9,)),))
    with pytest.raises(OptionError, match="normalised by '', not by one of r/c") as found:
        normalized_replicates(Score(value=0.5, raw=one, ceiling=Estimate(value=0.8)))
    assert "corteval.score.normalize" in str(found.value)


def test_a_frame_has_one_row_of_facts():
    score = Score(value=0.5, raw=Estimate(value=0.4), model="m", benchmark="b")
    frame = score.to_frame()
    assert frame.loc[0, ["model", "benchmark", "value", "raw"]].tolist() == ["m", "b", 0.5, 0.4]


def test_the_notebook_view_is_inert():
    score = Score.unscored("failed", "<script>alert(1)</script>", model="<b>")
    assert "<script>" not in score._repr_html_()
    assert "&lt;script&gt;" in score._repr_html_()


def test_a_score_prints_its_value_and_interval_or_its_reason():
    score = normalize(scored(0.5, "similarity", [0.4, 0.6] * 50), Estimate(value=1))
    assert repr(score) == "<Score unnamed: 0.500 [0.400, 0.600] (r/c)>"
    assert "because" in repr(Score.unscored("undefined", "because"))
