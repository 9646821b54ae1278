"""What cards of metrics say of their targets and ceilings, against what the metrics do."""

import inspect
import pkgutil

import pytest

from corteval import registered, registry
from corteval.assembly import responses_matrix
from corteval.errors import CortevalError, OptionError, UndefinedScore
from corteval.score import Score, normalization_for, normalize
from corteval.stats.splits import CrossValidation
from corteval.testing import toys


def factory_parameters(card):
    return inspect.signature(pkgutil.resolve_name(card.factory)).parameters


CARDS = [plugin.card for plugin in registry.metrics.plugins() if plugin.card]
SIMILARITIES = [card for card in CARDS if card.role == "similarity"]
CEILINGS = {card.identifier: card for card in CARDS if card.role == "ceiling"}
WITH_EXAMPLE = [card for card in SIMILARITIES if card.example]


def trials_of_neurons():
    """Toy recordings of two subjects, whose stimuli are divided by their publisher."""
    trials = toys.ToyData().assembly()
    split = ["train" if n % 4 else "test" for n in range(trials.sizes["presentation"])]
    subject = [f"monkey-{n % 2}" for n in range(trials.sizes["neuroid"])]
    return trials.assign_coords(split=("presentation", split), subject=("neuroid", subject))


def named(cards):
    return pytest.mark.parametrize("card", cards, ids=lambda card: card.identifier)


def example_of(card):
    return pkgutil.resolve_name(card.example)()


def quick(card):
    """The metric without bootstrap replicates, which take most of its time."""
    options = {"resamples": 0} if "resamples" in factory_parameters(card) else {}
    return registry.metrics.create(card.identifier, **options)


def test_the_metrics_of_the_workspace_are_installed():
    assert len(SIMILARITIES) > 40 and len(CEILINGS) > 20


@named(CARDS)
def test_every_named_ceiling_is_a_registered_ceiling(card):
    assert set(card.ceilings) <= set(CEILINGS)
    assert len(set(card.ceilings)) == len(card.ceilings)
    assert card.role == "similarity" or not card.ceilings


@named([card for card in CEILINGS.values() if card.factory.startswith("corteval_behaviour.")])
def test_a_ceiling_of_behaviour_is_named_by_the_metric_it_is_of(card):
    name = card.identifier.removeprefix("human_").removesuffix("-legacy")
    if name in registry.metrics:
        metric = registry.metrics.card(name)
        assert card.identifier in {*metric.ceilings, f"human_{metric.identifier}-legacy"}
    else:  # one of several ceilings of a metric
        assert any(card.identifier in other.ceilings for other in CARDS)


@named([card for card in CARDS if card.example and card.needs])
def test_the_example_of_a_metric_has_the_coordinates_it_needs(card):
    made = example_of(card)
    target = made[1] if card.role == "similarity" else made[0]
    assert set(card.needs) <= {str(name) for name in target.coords}


@named([card for card in WITH_EXAMPLE if card.needs])
def test_a_metric_cannot_do_without_a_coordinate_it_needs(card):
    source, target, _ = example_of(card)
    for name in card.needs:
        reduced = target.drop_vars(name)
        with pytest.raises(CortevalError, match=name):
            quick(card)(source, reduced)


@named(SIMILARITIES)
def test_those_metrics_are_cross_validated_that_are_so_unless_told_otherwise(card):
    """Further ones take the option, such as rdm, but nothing in them is fitted."""
    parameter = factory_parameters(card).get("cross_validation")
    asked = "cross_validation" in card.options
    assert card.cross_validated is (parameter is not None and (asked or bool(parameter.default)))


@named([card for card in SIMILARITIES if card.cross_validated])
def test_cross_validated_metrics_take_the_splits_of_registered_data(card):
    if "split" in card.needs:  # the data say how they are divided
        assert card.options["cross_validation"]["folds"] == "fixed"
    made = registry.metrics.create(card.identifier, cross_validation=registered.SPLITS)
    assert CrossValidation.of(made.cross_validation) == CrossValidation(**registered.SPLITS)


@named([card for card in SIMILARITIES if "cross_validation" not in factory_parameters(card)])
def test_other_metrics_refuse_the_option(card):
    assert not card.cross_validated
    with pytest.raises(OptionError, match="cross_validation"):
        registry.metrics.create(card.identifier, cross_validation=registered.SPLITS)


@named([card for card in CEILINGS.values() if card.takes == "trials"])
def test_a_ceiling_of_trials_has_no_value_for_a_single_one(card):
    reliable = example_of(card)[0] if card.example else trials_of_neurons()
    assert "trial" in reliable.dims
    with pytest.raises(UndefinedScore):
        quick(card)(reliable.isel(trial=slice(0, 1)))


@named([card for card in WITH_EXAMPLE if card.ceilings and CEILINGS[card.ceilings[0]].example])
def test_a_score_and_its_first_ceiling_normalise(card):
    source, target, _ = example_of(card)
    result: Score = quick(card)(source, target)
    ceiling_card = CEILINGS[card.ceilings[0]]
    ceiling = quick(ceiling_card)(example_of(ceiling_card)[0])
    name = normalization_for(result.raw.quantity, ceiling.quantity)
    normalised = normalize(result, ceiling)
    assert normalised.normalization == name
    assert normalised.value > 0.5  # the example's source is as good as one can be


@named([card for card in SIMILARITIES if card.ceilings and not card.example])
def test_a_score_of_neural_responses_and_each_of_its_ceilings_normalise(card):
    trials = trials_of_neurons()
    assert set(card.needs) <= set(trials.coords)
    target = responses_matrix(trials)
    result = quick(card)(target, target)
    assert result.value > 0.9
    for name in card.ceilings:
        assert set(CEILINGS[name].needs) <= set(trials.coords)
        estimate = quick(CEILINGS[name])(trials)
        expected = normalization_for(result.raw.quantity, estimate.quantity)
        normalised = normalize(result, estimate)
        assert (normalised.normalization, normalised.value > 0.5) == (expected, True)
