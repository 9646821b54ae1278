import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import model_selection as skm

from corteval.errors import OptionError, UndefinedScore
from corteval.stats.splits import GROUPINGS, CrossValidation, Split, splits_digest

COUNT = 60
IDS = np.array([f"s{n:02d}" for n in range(COUNT)])
OBJECTS = np.array([f"object-{n % 4}" for n in range(COUNT)])
STORIES = np.array([f"story-{n // 5:02d}" for n in range(COUNT)])


def target(order=range(COUNT), **columns):
    """Stimuli in `order`, with coordinates named after `columns`."""
    order = list(order)
    coords = {"stimulus_id": ("presentation", IDS[order])}
    coords |= {name: ("presentation", np.asarray(c)[order]) for name, c in columns.items()}
    return xr.DataArray(np.zeros(len(order)), dims=["presentation"], coords=coords)


def ids_of(splits, stimuli):
    """The stimuli of each training and test set, in the order of the positions."""
    ids = stimuli["stimulus_id"].values
    return [(ids[train].tolist(), ids[test].tolist()) for train, test in splits]


KINDS = {
    "shuffle": (
        {"folds": "shuffle"},
        skm.ShuffleSplit(10, train_size=0.9, random_state=1),
    ),
    "halves": (
        {"folds": "shuffle", "count": 4, "train_size": 0.5, "seed": 7},
        skm.ShuffleSplit(4, train_size=0.5, random_state=7),
    ),
    "stratified shuffle": (
        {"folds": "shuffle", "stratify_by": "object"},
        skm.StratifiedShuffleSplit(10, train_size=0.9, random_state=1),
    ),
    "k-fold": (
        {"folds": "kfold", "group_by": None},
        skm.KFold(10, shuffle=True, random_state=1),
    ),
    "stratified k-fold": (
        {"folds": "kfold", "count": 5, "group_by": None, "stratify_by": "object"},
        skm.StratifiedKFold(5, shuffle=True, random_state=1),
    ),
    "group k-fold": (
        {"folds": "kfold", "count": 4, "group_by": "story", "seed": 1234},
        skm.GroupKFold(4, shuffle=True, random_state=1234),
    ),
    "stratified group k-fold": (
        {"folds": "kfold", "count": 4, "group_by": "story", "stratify_by": "object"},
        skm.StratifiedGroupKFold(4, shuffle=True, random_state=1),
    ),
}


def options_and_columns(kind):
    options, splitter = KINDS[kind]
    columns = {"object": OBJECTS} if "object" in options.values() else {}
    columns |= {"story": STORIES} if "story" in options.values() else {}
    return options, columns, splitter


@pytest.mark.parametrize("kind", KINDS)
def test_splits_are_scikit_learns_over_stimuli_by_id(kind):
    options, columns, splitter = options_and_columns(kind)
    order = np.random.default_rng(0).permutation(COUNT)
    stimuli = target(order, **columns)
    found = ids_of(CrossValidation(**options).over(stimuli), stimuli)
    labels = [columns.get("object"), columns.get("story")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = splitter.split(np.zeros(COUNT), *labels)
        # ids are sorted already, so positions are those of ids
        assert found == [(IDS[train].tolist(), IDS[test].tolist()) for train, test in expected]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(COUNT)))
def test_the_order_of_rows_permutes_the_splits_and_nothing_else(kind, order):
    options, columns, _ = options_and_columns(kind)
    splitting = CrossValidation(**options)
    straight, moved = target(**columns), target(order, **columns)
    assert ids_of(splitting.over(moved), moved) == ids_of(splitting.over(straight), straight)


@pytest.mark.parametrize("kind", KINDS)
def test_every_split_divides_the_stimuli_without_overlap(kind):
    options, columns, _ = options_and_columns(kind)
    for train, test in CrossValidation(**options).over(target(**columns)):
        assert sorted([*train, *test]) == list(range(COUNT))


def test_in_the_order_of_rows_splits_are_scikit_learns_over_rows():
    stimuli = target(np.random.default_rng(0).permutation(COUNT))
    found = CrossValidation(order="rows").over(stimuli)
    expected = skm.ShuffleSplit(10, train_size=0.9, random_state=1).split(np.zeros(COUNT))
    for split, (train, test) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(split.train, train)
        np.testing.assert_array_equal(split.test, test)


def test_strata_and_groups_follow_their_rows():
    order = np.random.default_rng(3).permutation(COUNT)
    stimuli = target(order, object=OBJECTS, story=STORIES)
    found = CrossValidation(count=4, stratify_by="object", order="rows").over(stimuli)
    splitter = skm.StratifiedGroupKFold(4, shuffle=True, random_state=1)
    expected = splitter.split(np.zeros(COUNT), OBJECTS[order], STORIES[order])
    for split, (_, test) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(split.test, test)


def test_the_seed_decides():
    first, same, other = (CrossValidation(seed=s).over(target()) for s in (1, 1, 2))
    assert str(first) == str(same) != str(other)


def test_stratified_sets_keep_the_shares_of_the_strata():
    uneven = np.where(np.arange(COUNT) % 3 == 0, "a", "b")
    for _, test in CrossValidation(stratify_by="object").over(target(object=uneven)):
        assert (uneven[test] == "a").sum() == 2 and len(test) == 6


@pytest.mark.parametrize("name", GROUPINGS)
def test_groups_are_found_by_their_names_and_never_divided(name):
    splits = CrossValidation().over(target(**{name: STORIES}))
    assert len(splits) == 10
    for train, test in splits:
        assert not set(STORIES[train]) & set(STORIES[test])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=COUNT, max_size=COUNT),
    st.integers(0, 99),
    st.booleans(),
)
def test_no_group_is_ever_divided(groups, seed, stratified):
    groups = np.array([f"g{g}" for g in groups])
    options = {"stratify_by": "object"} if stratified else {}
    splitting = CrossValidation(count=3, group_by="topic", seed=seed, **options)
    try:
        splits = splitting.over(target(topic=groups, object=OBJECTS))
    except (OptionError, UndefinedScore):
        return
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(COUNT))


def test_the_first_known_grouping_counts():
    splits = CrossValidation(count=3).over(target(block=OBJECTS, story=STORIES))
    for train, test in splits:
        assert not set(STORIES[train]) & set(STORIES[test])


def test_there_are_no_more_folds_than_groups():
    assert len(CrossValidation().over(target(story=OBJECTS))) == 4


def test_a_grouping_of_something_else_than_stimuli_is_no_grouping():
    stimuli = target().expand_dims(neuroid=2).assign_coords(group=("neuroid", ["a", "b"]))
    assert ids_of(CrossValidation().over(stimuli), stimuli) == ids_of(
        CrossValidation().over(target()), target()
    )


@pytest.mark.parametrize("options", [{}, {"group_by": "story"}, {"stratify_by": "object"}])
def test_random_splits_of_groups_are_refused_with_the_way_out(options):
    stimuli = target(story=STORIES, object=OBJECTS)
    with pytest.raises(OptionError, match=r"folds='kfold', or allow_leaky=True"):
        CrossValidation(folds="shuffle", **options).over(stimuli)


@pytest.mark.parametrize(
    ("options", "splitter"),
    [
        ({}, skm.ShuffleSplit(10, train_size=0.9, random_state=1)),
        ({"folds": "shuffle"}, skm.ShuffleSplit(10, train_size=0.9, random_state=1)),
        ({"folds": "kfold"}, skm.KFold(10, shuffle=True, random_state=1)),
    ],
)
def test_leaky_splits_are_made_on_demand_as_if_there_were_no_groups(options, splitter):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = CrossValidation(allow_leaky=True, **options).over(target(story=STORIES))
    for split, (_, test) in zip(found, splitter.split(np.zeros(COUNT)), strict=True):
        np.testing.assert_array_equal(split.test, test)


def test_no_grouping_at_all_may_be_asked():
    splits = CrossValidation(group_by=None).over(target(story=STORIES))
    assert ids_of(splits, target()) == ids_of(CrossValidation().over(target()), target())


def test_a_fixed_split_is_the_one_the_coordinate_names():
    named = np.where(np.arange(COUNT) % 3, "train", "test")
    order = np.random.default_rng(0).permutation(COUNT)
    stimuli = target(order, subset=named)
    ((train, test),) = CrossValidation(folds="fixed", fixed_by="subset").over(stimuli)
    assert set(stimuli["subset"].values[train]) == {"train"}
    assert set(stimuli["subset"].values[test]) == {"test"}
    assert sorted([*train, *test]) == list(range(COUNT))


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (["test"] * COUNT, OptionError, "found no training stimulus"),
        (["train"] * 30 + ["validation"] * 30, OptionError, "found 'validation'"),
        (["train"] * COUNT, UndefinedScore, "at least 3 stimuli; there are 0"),
        (["train"] * (COUNT - 2) + ["test"] * 2, UndefinedScore, "there are 2"),
    ],
)
def test_a_fixed_split_without_sense_is_refused(labels, error, words):
    with pytest.raises(error, match=words):
        CrossValidation(folds="fixed").over(target(split=labels))


@pytest.mark.parametrize(
    ("options", "purpose"),
    [
        ({"folds": "fixed"}, "'split' to split by"),
        ({"stratify_by": "object"}, "'object' to stratify by"),
        ({"group_by": "story"}, "'story' to group by"),
    ],
)
def test_a_missing_coordinate_is_named_with_those_there_are(options, purpose):
    with pytest.raises(OptionError, match=f"No coordinate {purpose}; stimuli have stimulus_id."):
        CrossValidation(**options).over(target())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": "loo"}, "auto, shuffle, kfold or fixed, not 'loo'"),
        ({"order": "time"}, "order of ids or rows, not 'time'"),
        ({"count": 0}, "0 splits"),
        ({"folds": "kfold", "count": 1}, "1 splits"),
        ({"train_size": 1.0}, "training share of 1.0"),
        ({"train_size": 0.0}, "training share of 0.0"),
    ],
)
def test_options_that_cannot_be_are_refused_at_once(options, words):
    with pytest.raises(OptionError, match=words):
        CrossValidation(**options)


@pytest.mark.parametrize(
    ("options", "columns", "words"),
    [
        ({"folds": "kfold", "count": COUNT + 1}, {}, "61 folds of 60 stimuli"),
        ({}, {"story": ["one"] * COUNT}, "All stimuli are of one group"),
        ({"count": 1}, {"story": STORIES}, "cannot be divided so"),
        ({"stratify_by": "object"}, {"object": ["rare", *OBJECTS[1:]]}, "cannot be divided so"),
    ],
)
def test_stimuli_that_cannot_be_divided_are_refused(options, columns, words):
    with pytest.raises(OptionError, match=words):
        CrossValidation(**options).over(target(**columns))


@pytest.mark.parametrize("count", range(1, 40))
def test_the_smallest_test_set_has_three_stimuli(count):
    """Scikit-learn trains on the whole part of count · .9."""
    tested = count - int(np.floor(0.9 * count))
    if tested < 3:
        with pytest.raises(UndefinedScore, match=f"at least 3 stimuli; there are {tested}"):
            CrossValidation().over(target(range(count)))
    else:
        splits = CrossValidation().over(target(range(count)))
        assert {len(test) for _, test in splits} == {tested}


def test_k_folds_of_two_stimuli_are_undefined():
    with pytest.raises(UndefinedScore, match="there are 2"):
        CrossValidation(folds="kfold", count=25).over(target())


def test_a_fold_of_a_small_group_is_undefined():
    groups = ["large"] * 30 + ["larger"] * 28 + ["small"] * 2
    with pytest.raises(UndefinedScore, match="at least 3 stimuli; there are 2"):
        CrossValidation().over(target(story=groups))


def test_options_may_come_as_a_mapping_or_not_at_all():
    made = CrossValidation(count=3)
    assert CrossValidation.of(made) is made
    assert CrossValidation.of({"count": 3}) == made
    assert CrossValidation.of(None) == CrossValidation.of({}) == CrossValidation()
    with pytest.raises(OptionError, match=r"'splits'.*Options are folds, count, train_size"):
        CrossValidation.of({"splits": 3})


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(COUNT)))
def test_the_digest_is_of_stimuli_whatever_the_order_of_rows(order):
    splitting, moved = CrossValidation(count=3), target(order)
    digest = splits_digest(splitting.over(target()), IDS)
    assert splits_digest(splitting.over(moved), moved["stimulus_id"].values) == digest
    assert splits_digest(splitting.over(moved), list(IDS[order])) == digest


def test_the_digest_ignores_the_order_within_a_set():
    digest = splits_digest([Split(np.array([0, 1, 2]), np.array([3, 4]))], IDS)
    assert splits_digest([Split(np.array([2, 0, 1]), np.array([4, 3]))], IDS) == digest


@pytest.mark.parametrize(
    "other",
    [
        [([0, 1, 2], [3]), ([4, 1], [0])],
        [([0, 1, 3], [2, 4]), ([4, 1], [0])],
        [([3, 4], [0, 1, 2]), ([4, 1], [0])],
        [([0, 1, 2], [3, 4])],
        [([4, 1], [0]), ([0, 1, 2], [3, 4])],
    ],
    ids=["fewer tested", "exchanged", "roles exchanged", "fewer splits", "order of splits"],
)
def test_the_digest_tells_other_splits_apart(other):
    def digest(splits, ids=IDS):
        return splits_digest([Split(*map(np.array, s)) for s in splits], ids)

    splits = [([0, 1, 2], [3, 4]), ([4, 1], [0])]
    assert digest(other) != digest(splits)
    assert digest(splits, IDS[::-1]) != digest(splits)
    assert len(digest(splits)) == 64


def test_groups_that_are_not_drawn_are_those_of_scikit_learn_whatever_the_seed():
    story = np.repeat([f"story-{n}" for n in range(7)], [3, 9, 4, 4, 8, 5, 6])
    target = xr.DataArray(
        np.zeros((len(story), 1)),
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", [f"s{n:02d}" for n in range(len(story))]),
            "story": ("presentation", story),
        },
    )
    expected = list(skm.GroupKFold(3).split(story, groups=story))
    for seed in (1, 2):
        division = CrossValidation(folds="kfold", count=3, shuffle=False, seed=seed)
        for ours, theirs in zip(division.over(target), expected, strict=True):
            assert set(ours.test.tolist()) == set(theirs[1].tolist())


def test_folds_that_are_not_drawn_are_runs_of_neighbours():
    target = xr.DataArray(
        np.zeros((12, 1)),
        dims=["presentation", "neuroid"],
        coords={"stimulus_id": ("presentation", [f"s{n:02d}" for n in range(12)])},
    )
    division = CrossValidation(folds="kfold", count=3, shuffle=False)
    tests = [split.test.tolist() for split in division.over(target)]
    assert tests == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
