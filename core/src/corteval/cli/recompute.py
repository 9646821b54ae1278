"""``corteval recompute``: compute some records once more, from nothing, and compare."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from corteval.cli import ERROR
from corteval.cli.options import json_option, mirror_option, quiet_option, verbose_option
from corteval.cli.tables import print_json, print_table, say
from corteval.errors import OptionError

_EPILOG = """\b
Examples:
  corteval recompute --sample 5%
  corteval recompute --sample 1 --seed 3 --json

\b
Verdicts: identical (every digit), within tolerance (1e-5), differs, outdated (a plugin is another
since, so nothing can be said), failed (it cannot be computed any more).

\b
JSON:
  {"schema": "corteval.recompute/1", "records": 120,
   "compared": [{"record": "...", "model": "...", "benchmark": "...", "verdict": "identical",
                 "difference": 0.0, "reason": ""}]}

Exit code 1 if a record differs.
"""


@click.command("recompute", epilog=_EPILOG)
@click.option("--sample", "share", default="5%", help="Share of the records, or how many.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the choice.")
@mirror_option
@quiet_option
@verbose_option
@json_option
@click.pass_context
def command(context: click.Context, share: str, seed: int, quiet: bool, as_json: bool) -> None:
    """Compute some records once more, from nothing, and compare.

    Of every cell the current record counts; responses that the store holds are not used.
    """
    from corteval.cli.progress import working
    from corteval.run import index, recompute, records

    kept = records.default()
    with index.opened(kept) as known:
        rows = [r for r in known.all_current().values() if r.status != "failed"]
        current = [kept.read(known.path(row)) for row in rows]
    chosen = recompute.sample(current, _share(share, len(current)), seed)
    found = []
    with working(quiet=quiet), tempfile.TemporaryDirectory(prefix="corteval-") as folder:
        found = [recompute.compare(record, Path(folder) / "log") for record in chosen]
    if as_json:
        compared = [asdict(comparison) for comparison in found]
        print_json("corteval.recompute/1", records=len(current), compared=compared)
    else:
        table = [
            (
                c.model,
                c.benchmark,
                c.verdict,
                "-" if c.difference is None else f"{c.difference:.2g}",
                c.reason,
            )
            for c in found
        ]
        print_table(("model", "benchmark", "verdict", "difference", ""), table, heading=2)
        say(_summary(Counter(c.verdict for c in found), len(current)))
    if any(c.verdict == "differs" for c in found):
        context.exit(ERROR)


def _summary(verdicts: Mapping[str, int], records: int) -> str:
    """How many records were chosen, and how many of them could be compared."""
    chosen, outdated, failed = sum(verdicts.values()), verdicts["outdated"], verdicts["failed"]
    told = [f"{chosen - outdated - failed} computed again"]
    told += [f"{outdated} outdated"] if outdated else []
    told += [f"{failed} failed"] if failed else []
    return f"{chosen} of {records} records were chosen: {', '.join(told)}."


def _share(text: str, count: int) -> float:
    """The share that a person wrote as a percentage or as a number of records."""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else int(text) / max(count, 1)
    except ValueError:
        share = 0.0
    if not share > 0 or (text.endswith("%") and share > 1):
        raise OptionError(
            f"--sample is a percentage above 0% and up to 100%, such as 5%, or a number of "
            f"records, not {text!r}."
        )
    return min(share, 1.0)
