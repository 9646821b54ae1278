"""Models whose weights nobody may pass on, so that whoever wants their scores has to get them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corteval import model_options, registry, settings
from corteval.cli.tables import say
from corteval.errors import CortevalError

if TYPE_CHECKING:
    from corteval.run.plan import Known, Plan


def lacking(model: str) -> str:
    """How to get the weights that `model` lacks; empty if it lacks none, as far as cards tell.

    A mirror may have them: then nothing is said.
    """
    name, options = model_options.parse(model)
    try:
        card = registry.models.member_card(name)
    except CortevalError:  # its use tells
        return ""
    if (
        not getattr(card, "weights_to_get", False)
        or options.get("weights")
        or settings.setting("mirror").value
    ):
        return ""
    return (
        f"needs weights: get the file, then name {name}:weights=./FILE or a --mirror that has it; "
        f"`corteval score {name} BENCHMARK` says from where and what else"
    )


def say_lacking(plan: Plan) -> None:
    """Say which models of cells that are to be computed lack weights, and how to get them."""
    missing = {
        known.cell.model for known in plan.known if known.state in ("missing", "needs weights")
    }
    said = {model: how for model in plan.models if model in missing and (how := lacking(model))}
    if said:
        model, how = next(iter(said.items()))
        others = f" ({len(said) - 1} more models do, too)" if len(said) > 1 else ""
        say(f"{model} {how}{others}.")


def marked(plan: Plan) -> Plan:
    """`plan`, whose missing cells say if it is weights that they lack."""
    said = {model: lacking(model) for model in plan.models}

    def state_of(known: Known) -> Known:
        how = said.get(known.cell.model)
        if known.state != "missing" or not how:
            return known
        return replace(known, state="needs weights", reason=how)

    return replace(plan, known=tuple(map(state_of, plan.known)))
