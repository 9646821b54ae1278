"""``corteval plan``: what a run would do, without doing it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from corteval.cards import human_size
from corteval.cli.options import json_option, mirror_option, verbose_option
from corteval.cli.selection import expand
from corteval.cli.tables import counted, print_json, print_table, say
from corteval.cli.weights import marked, say_lacking

if TYPE_CHECKING:
    from corteval.run.plan import Known, Plan

#: Cells that are listed one by one unless more is asked for.
_LISTED = 60

_EPILOG = """\b
Examples:
  corteval plan pixels,gabor-colour vision-v1
  corteval plan 'cornet-*' 'Cowley2023.*' --cells
  corteval plan pixels 'Marques2020.*' --json | jq .missing
  corteval plan 'cornet-*' vision-v1 --probe

\b
States: cached (a record of the same code, versions and seed is there), failed (a record of a
failure is; `--again` computes it once more), missing (to be computed), not applicable (the model
takes no such stimuli), broken (a plugin cannot be loaded), needs weights (missing, and it will fail
until you get them: nobody may pass them on).

\b
JSON:
  {"schema": "corteval.run-plan/1", "run": "1a2b...", "cells": 12, "cached": 10, "missing": 2,
   "tasks": 3, "predicted_seconds": 40.2, "cells_without_prediction": 0,
   "largest_peak_bytes": 900000000, "download_bytes": 0,
   "list": [{"model": "pixels", "benchmark": "...", "state": "missing", "seconds": 20.1, ...}]}
"""

_STATES = ("cached", "missing", "needs weights", "failed", "not applicable", "broken")


@click.command("plan", epilog=_EPILOG)
@click.argument("models")
@click.argument("benchmarks")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the benchmarks.")
@click.option("--again", is_flag=True, help="Cells that failed count as missing.")
@click.option("--cells", is_flag=True, help="List every cell.")
@click.option(
    "--probe", is_flag=True, help="Measure on one batch what models take that have not run yet."
)
@mirror_option
@verbose_option
@json_option
def command(
    models: str,
    benchmarks: str,
    seed: int,
    again: bool,
    cells: bool,
    probe: bool,
    as_json: bool,
) -> None:
    """Show what a run would do: cells, time and memory.

    MODELS and BENCHMARKS are as in `corteval run`. Nothing is built, downloaded or computed, unless
    --probe is given: then each model whose memory is not known is built and shown one batch.
    """
    from corteval.run.plan import described

    plan = marked(planned(models, benchmarks, seed=seed, again=again, probe=probe))
    facts = {**described(plan), "download_bytes": _lacking(plan)}
    if as_json:
        print_json("corteval.run-plan/1", run=plan.identity, **facts, list=_list(plan))
        return
    if cells or len(plan.known) <= _LISTED:
        header = ("model", "benchmark", "state", "predicted", "memory", "")
        print_table(header, [_row(known) for known in plan.known], heading=2)
    else:
        print_table(("model", *_STATES, "predicted"), _by_model(plan))
    say(summary(plan, facts))
    _say_unmeasured(plan, probe=probe)
    say_lacking(plan)


def _say_unmeasured(plan: Plan, *, probe: bool) -> None:
    """Say of how many models the memory is not known, and how it can be."""
    from corteval.run import probes

    missing = [known for known in plan.known if known.state == "missing"]
    unknown = {known.cell.model for known in missing if known.peak_bytes is None}
    count = sum(map(probes.is_isolated, unknown))
    if not count:
        return
    text = f"The memory of {counted(count, 'model')} is not known"
    if probe:
        say(f"{text}, for one batch could not be measured; -v says why.")
    else:
        say(f"{text}: the same command with --probe measures it on one batch.")


def planned(
    models: str,
    benchmarks: str,
    *,
    seed: int,
    again: bool,
    isolation: str = "process",
    probe: bool = False,
) -> Plan:
    """The plan of what was typed.

    Args:
        models, benchmarks, seed, again, isolation: as typed.
        probe: measure on one batch what models take of which that is not known.
    """
    from corteval.run import index, probes, records
    from corteval.run.plan import make_plan

    order = "The order is MODELS BENCHMARKS."
    rows = _placed(expand("models", models, hint=order))
    columns = expand("benchmarks", benchmarks, hint=order)
    probed = {name: found.peak_bytes for name, found in probes.saved(rows).items()}
    with index.opened(records.default()) as known:
        plan = make_plan(
            rows, columns, known, seed=seed, isolation=isolation, again=again, probed=probed
        )
        missing = dict.fromkeys(k.cell.model for k in plan.known if k.state == "missing")
        unknown = [m for m in missing if m not in probed and probes.is_isolated(m)]
        if not probe or not unknown:
            return plan
        say(f"Measuring the memory of {counted(len(unknown), 'model')} on one batch.")
        from corteval.run import probing

        found = probing.measured(unknown, isolation=isolation)
        probed |= {name: each.peak_bytes for name, each in found.items()}
        return make_plan(
            rows, columns, known, seed=seed, isolation=isolation, again=again, probed=probed
        )


def _placed(models: list[str]) -> list[str]:
    """Models under names by which other processes find them, too; what was changed is said."""
    from corteval.errors import CortevalError, OptionError
    from corteval.run.placing import placed

    found = []
    for model in models:
        try:
            name = placed(model)
        except OptionError:
            raise
        except CortevalError:  # a broken plugin: its cells say why
            name = model
        if name != model:
            say(f"{model} is {name} in this run: its processes work in other folders.")
        found.append(name)
    return [*dict.fromkeys(found)]


def summary(plan: Plan, facts: dict[str, Any]) -> str:
    """A plan in a sentence or two."""
    counts = plan.counts()
    states = ", ".join(f"{counts[state]:,} {state}" for state in _STATES if counts[state])
    text = f"{counted(len(plan.known), 'cell')}: {states or 'none'}."
    seconds, unknown = facts["predicted_seconds"], facts["cells_without_prediction"]
    if seconds is not None:
        text += f" The missing ones took other models about {in_words(seconds)} of one worker"
        text += f", {unknown} of them not counted." if unknown else "."
    if facts.get("largest_peak_bytes"):
        most = human_size(facts["largest_peak_bytes"])
        text += f" Memory of one worker with its model: up to {most}."
    if facts.get("download_bytes"):
        text += f" To be downloaded: {human_size(facts['download_bytes'])}."
    return text


def in_words(seconds: float) -> str:
    """A time as people say it."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _lacking(plan: Plan) -> int | None:
    """Bytes of data that are not here yet, as far as the publishers tell sizes."""
    from corteval import registry
    from corteval.errors import CortevalError
    from corteval.fetch import is_cached

    total = 0
    benchmarks = {known.cell.benchmark for known in plan.known if known.state == "missing"}
    names: set[str] = set()
    for benchmark in benchmarks:
        names |= set(registry.benchmarks.member_card(benchmark).data)
    for name in names:
        try:
            resources = registry.data_card(name).resources
        except CortevalError:
            continue
        total += sum(r.size or 0 for r in resources if not is_cached(r))
    return total


def _list(plan: Plan) -> list[dict[str, Any]]:
    return [
        {**vars(known.cell), **{n: v for n, v in vars(known).items() if n != "cell"}}
        for known in plan.known
    ]


def _row(known: Known) -> tuple[str, ...]:
    seconds = "-" if known.seconds is None else in_words(known.seconds)
    memory = "-" if known.peak_bytes is None else human_size(known.peak_bytes)
    return known.cell.model, known.cell.benchmark, known.state, seconds, memory, known.reason


def _by_model(plan: Plan) -> list[tuple[str, ...]]:
    counts: Counter[tuple[str, str]] = Counter()
    seconds: dict[str, float] = {}
    for known in plan.known:
        model = known.cell.model
        counts[model, known.state] += 1
        if known.state == "missing" and known.seconds is not None:
            seconds[model] = seconds.get(model, 0.0) + known.seconds
    return [
        (
            model,
            *(str(counts[model, state]) for state in _STATES),
            in_words(seconds[model]) if model in seconds else "-",
        )
        for model in plan.models
    ]
