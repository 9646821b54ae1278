from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from corteval import store
from corteval.errors import OptionError, UndefinedScore
from corteval.model import record
from corteval_localizer import Localizer, Selection, validate
from corteval_localizer.example import letters
from corteval_localizer.planted import KINDS, planted, two_kinds


def test_each_fold_is_contrasted_by_units_selected_without_it():
    model, shown = planted(), two_kinds(36)
    found = validate(model, KINDS, folds="run", stimuli=shown)
    whole = record(model, shown, "language_system").values.astype(np.float64)
    is_b, run = (shown.table["kind"] == "B").to_numpy(), shown.table["run"].to_numpy()
    pooled = np.empty(36)
    for number, effect in enumerate(found.folds):
        train, held = run != number, run == number
        t = stats.ttest_ind(whole[train & is_b], whole[train & ~is_b], equal_var=False).statistic
        top = np.argsort(-t, kind="stable")[:4]
        z = (whole[:, top] - whole[train][:, top].mean(axis=0)) / whole[train][:, top].std(
            axis=0, ddof=1
        )
        values = z.mean(axis=1)
        pooled[held] = values[held]
        test = stats.ttest_ind(values[held & is_b], values[held & ~is_b], equal_var=False)
        assert effect.difference == pytest.approx(
            values[held & is_b].mean() - values[held & ~is_b].mean()
        )
        assert effect.t == pytest.approx(test.statistic)
        low, high = test.confidence_interval()
        assert (effect.low, effect.high) == pytest.approx((low, high))
    assert found.whole.t == pytest.approx(
        stats.ttest_ind(pooled[is_b], pooled[~is_b], equal_var=False).statistic
    )
    assert found.whole.stimuli == 36
    assert found.overlap == 1.0
    assert found.divided_by == "run"


def test_units_selected_from_noise_have_no_effect_held_out():
    noise = replace(KINDS, layers=("a",))
    inside, held = [], []
    for seed in range(60):
        model = planted(seed=seed, fingerprint=f"f{seed}")
        with store.using(None):
            found = validate(model, noise, folds=2, stimuli=two_kinds(40), seed=seed)
        inside.append(found.folds[0].low <= 0 <= found.folds[0].high)
        held.append(found.folds[0].difference)
    assert abs(np.mean(held)) < 4 * np.std(held) / np.sqrt(60)
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 60)


def test_folds_are_drawn_within_conditions_by_seed_and_not_by_order():
    one = validate(planted(), KINDS, folds=3, stimuli=two_kinds(30), seed=1)
    order = np.random.default_rng(3).permutation(30)
    again = validate(planted(), KINDS, folds=3, stimuli=two_kinds(30, order=order), seed=1)
    other = validate(planted(), KINDS, folds=3, stimuli=two_kinds(30), seed=2)
    assert one.whole.difference == pytest.approx(again.whole.difference)
    assert one.whole.difference != other.whole.difference
    assert [effect.stimuli for effect in one.folds] == [10, 10, 10]


def test_parts_that_cannot_be_are_refused():
    with pytest.raises(OptionError, match="no column 'session'"):
        validate(planted(), KINDS, folds="session", stimuli=two_kinds())
    with pytest.raises(OptionError, match="two folds or more"):
        validate(planted(), KINDS, folds=1, stimuli=two_kinds())
    with pytest.raises(OptionError, match="parts with"):
        validate(planted(), KINDS, folds="kind", stimuli=two_kinds())
    none = replace(KINDS, selection=Selection(fdr=1e-12), positive="A", negative="B")
    with pytest.raises(UndefinedScore, match="no unit is selected"):
        validate(planted(), none, stimuli=two_kinds())


def test_the_real_localizer_is_divided_by_its_runs(mirror):
    found = validate(letters(), Localizer(selection=Selection(top=20)))
    assert [effect.fold for effect in found.folds] == ["run 1", "run 2"]
    assert [effect.stimuli for effect in found.folds] == [240, 240]
    assert found.whole.low > 0
