"""Test suites: items, their conditions cut into regions, and predictions about them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from corteval.errors import StimuliError
from corteval_syntaxgym.formulas import Statement, Surprisals, holds, parse, regions_of

#: ``published`` keeps marks apart from words, as the suites write them: ``the book .``
Punctuation = Literal["published", "attached"]

_MARKS = ",.!?;:"
_SPACE_BEFORE_MARK = re.compile(rf"\s+(?=[{_MARKS}])")


@final
@dataclass(frozen=True, kw_only=True)
class Condition:
    """One sentence of an item.

    Args:
        name: such as ``"match_sing"``.
        regions: content of each region by its number, from 1; some are empty.
    """

    name: str
    regions: Mapping[int, str]


@final
@dataclass(frozen=True, kw_only=True)
class Item:
    """Sentences that differ by condition only."""

    number: int
    conditions: tuple[Condition, ...]


@final
@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the authors expect of a subject that knows the syntax.

    Args:
        formula: as the suite's file has it.
        statement: what it says.
    """

    formula: str
    statement: Statement


@final
@dataclass(frozen=True, kw_only=True)
class Suite:
    """A test suite.

    Args:
        name, comment, reference, author: of its file.
        region_names: by number.
        predictions: an item is right if all of them hold.
        items: in the order of the file.
    """

    name: str
    comment: str
    reference: str
    author: str
    region_names: Mapping[int, str]
    predictions: tuple[Prediction, ...]
    items: tuple[Item, ...]


def is_right(suite: Suite, surprisals: Surprisals) -> bool:
    """Whether all predictions of `suite` hold for one item.

    Args:
        suite: whose predictions.
        surprisals: by condition and number of the region; of a region, the sum over its words.

    Raises:
        AssemblyError: if a prediction needs a region without surprisal.
    """
    return all(holds(prediction.statement, surprisals) for prediction in suite.predictions)


def texts(
    condition: Condition, punctuation: Punctuation = "published"
) -> Iterator[tuple[int, str]]:
    """Number and text of each region with words; the texts, joined, are the sentence.

    Regions but the first begin with the space that parts them from the one before. Spaces around
    a region's content are the file's accidents and left out.
    """
    begun = False
    for number, content in condition.regions.items():
        words = " ".join(content.split())
        if punctuation == "attached":
            words = _SPACE_BEFORE_MARK.sub("", words)
        if not words:
            continue
        joined = punctuation == "attached" and words[0] in _MARKS
        yield number, words if joined or not begun else f" {words}"
        begun = True


def read_suite(path: Path) -> Suite:
    """The suite in a JSON file.

    Raises:
        StimuliError: if the file is no suite, asks for another metric than the sum of surprisals
            over a region's words, or predicts something of a region that no item has.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        suite = _suite(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StimuliError(
            f"{path} is no test suite: {type(error).__name__}: {error}. A suite has meta, "
            "region_meta, predictions and items."
        ) from error
    metric = content["meta"]["metric"]
    if metric != "sum":
        raise StimuliError(
            f"Suite {suite.name} takes the {metric!r} of a region's surprisals; only sums are."
        )
    known = {
        (c.name, number) for item in suite.items for c in item.conditions for number in c.regions
    }
    names = {name for name, _ in known}
    for prediction in suite.predictions:
        for part in regions_of(prediction.statement):
            if part.condition not in names or (
                part.region is not None and (part.condition, part.region) not in known
            ):
                raise StimuliError(
                    f"Suite {suite.name} predicts {prediction.formula!r}, but has no region "
                    f"{part.region or '*'} in a condition {part.condition!r}."
                )
    return suite


def _suite(content: Mapping[str, Any]) -> Suite:
    meta = content["meta"]
    return Suite(
        name=str(meta["name"]),
        comment=str(meta.get("comment", "")),
        reference=str(meta.get("reference", "")),
        author=str(meta.get("author", "")),
        region_names={int(number): str(name) for number, name in content["region_meta"].items()},
        predictions=tuple(
            Prediction(formula=str(p["formula"]), statement=parse(str(p["formula"])))
            for p in content["predictions"]
        ),
        items=tuple(_item(item) for item in content["items"]),
    )


def _item(item: Mapping[str, Any]) -> Item:
    return Item(
        number=int(item["item_number"]),
        conditions=tuple(
            Condition(
                name=str(condition["condition_name"]),
                regions={int(r["region_number"]): str(r["content"]) for r in condition["regions"]},
            )
            for condition in item["conditions"]
        ),
    )
