"""Sentences of test suites, what they predict, and what four language models made of them."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final, get_args

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import check_behavioural, in_order
from corteval.errors import AssemblyError, OptionError
from corteval.fetch import fetch_all
from corteval.stimuli import StimulusSet
from corteval_syntaxgym.card import OUTCOMES, SUITES
from corteval_syntaxgym.suites import (
    Condition,
    Item,
    Prediction,
    Punctuation,
    Suite,
    is_right,
    read_suite,
    texts,
)

_COLUMNS = ("text", "context_id", "position", "suite", "item", "condition", "region", "region_name")


@final
@dataclass(frozen=True, kw_only=True)
class SyntaxGym:
    """Test suites of syntax: one, some, or all 34.

    Args:
        suite: name of a suite, or several names; None takes all.
        punctuation: ``"published"`` leaves marks apart from words, as in ``the book .``;
            ``"attached"`` writes ``the book.``

    Raises:
        OptionError: for a suite or punctuation that does not exist.
    """

    suite: str | Sequence[str] | None = None
    punctuation: Punctuation = "published"

    def __post_init__(self) -> None:
        if self.punctuation not in get_args(Punctuation):
            raise OptionError(
                f"punctuation is {self.punctuation!r}; it is {' or '.join(get_args(Punctuation))}."
            )
        unknown = [name for name in self._names if name not in SUITES]
        if unknown or not self._names:
            wrong = unknown[0] if unknown else self.suite
            near = difflib.get_close_matches(str(wrong), SUITES) or list(SUITES)
            raise OptionError(f"There is no suite {wrong!r}; there is {', '.join(near)}.")

    def suites(self) -> tuple[Suite, ...]:
        """Items, regions and predictions, in order of the suites' names."""
        return self._suites

    def predictions(self) -> dict[str, tuple[Prediction, ...]]:
        """By name of the suite; an item is right if all predictions of its suite hold."""
        return {suite.name: suite.predictions for suite in self.suites()}

    def stimuli(self) -> StimulusSet:
        """Regions of sentences; a sentence is a context, and its regions are read in order.

        Joined as they are, the texts of a context give the sentence: regions but the first begin
        with a space. Regions without words (14 suites have some) are no stimuli, so positions may
        leave numbers out. Further columns: suite, item, condition, region (its number, as
        position) and region_name. Ids are ``<suite>.<item>.<condition>.<region>``.
        """
        rows = {
            _stimulus_id(suite, item, condition, number): (
                text,
                f"{suite.name}/{item.number}/{condition.name}",
                number,
                suite.name,
                item.number,
                condition.name,
                number,
                suite.region_names.get(number, ""),
            )
            for suite, item, condition in self._sentences()
            for number, text in texts(condition, self.punctuation)
        }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS))
        name = f"SyntaxGym.{self.suite}" if isinstance(self.suite, str) else "SyntaxGym"
        return StimulusSet(identifier=name, modality="text", table=table.rename_axis("stimulus_id"))

    def assembly(self) -> xr.DataArray:
        """The released outcomes: model 4 x item, True where all predictions of the suite held.

        Coordinates: model (gpt2, gpt2-xl, grnn, jrnn); item (``<suite>.<item>``), suite and
        item_number. The released files number items from 0; item k there is the suite's k + 1.
        """
        counts = {suite.name: suite.items for suite in self.suites()}
        items = [(name, item.number) for name, of_suite in counts.items() for item in of_suite]
        values = np.zeros((len(OUTCOMES), len(items)), bool)
        for row, path in enumerate(fetch_all(list(OUTCOMES.values()))):
            with path.open(encoding="utf-8", newline="") as file:
                released = {
                    (line["suite"], int(line["item"]) + 1): line["correct"] == "True"
                    for line in csv.DictReader(file)
                }
            values[row] = [released[item] for item in items]
        return xr.DataArray(
            values,
            dims=["model", "item"],
            coords={
                "model": list(OUTCOMES),
                "item": [f"{name}.{number}" for name, number in items],
                "suite": ("item", [name for name, _ in items]),
                "item_number": ("item", [number for _, number in items]),
            },
        )

    def outcomes(self) -> xr.DataArray:
        """Another name of `assembly`: model x item."""
        return self.assembly()

    def evaluate(self, surprisals: xr.DataArray) -> xr.DataArray:
        """Which items a subject gets right, from its surprisals.

        Args:
            surprisals: one number a stimulus, dim ``presentation`` with ``stimulus_id``, in any
                order: the sum of the surprisals of the region's words, in bits. Regions without
                words count 0. The accuracy of a suite is the mean over its items.

        Returns:
            True or False, dim ``item``, with the coordinates of `assembly`.

        Raises:
            AssemblyError: if a stimulus has no surprisal, or one is not a number.
        """
        if check_behavioural(surprisals).dims != ("presentation",):
            raise AssemblyError(
                "Surprisals are one number a stimulus, not along "
                f"{', '.join(map(str, surprisals.dims))}."
            )
        stimulus_ids = self.stimuli().stimulus_ids
        ordered = in_order(surprisals, stimulus_ids).values
        value = dict(zip(stimulus_ids, map(float, ordered), strict=True))
        right, items = [], []
        for suite in self.suites():
            for item in suite.items:
                right.append(
                    is_right(
                        suite,
                        {
                            (c.name, number): value.get(_stimulus_id(suite, item, c, number), 0.0)
                            for c in item.conditions
                            for number in c.regions
                        },
                    )
                )
                items.append((suite.name, item.number))
        return xr.DataArray(
            right,
            dims=["item"],
            coords={
                "item": [f"{name}.{number}" for name, number in items],
                "suite": ("item", [name for name, _ in items]),
                "item_number": ("item", [number for _, number in items]),
            },
        )

    @property
    def _names(self) -> tuple[str, ...]:
        if self.suite is None:
            return tuple(SUITES)
        if isinstance(self.suite, str) or not isinstance(self.suite, Iterable):
            return (self.suite,)
        return tuple(sorted(set(self.suite), key=str))

    @cached_property
    def _suites(self) -> tuple[Suite, ...]:
        return tuple(read_suite(path) for path in fetch_all([SUITES[n] for n in self._names]))

    def _sentences(self) -> Iterator[tuple[Suite, Item, Condition]]:
        for suite in self.suites():
            for item in suite.items:
                for condition in item.conditions:
                    yield suite, item, condition


def _stimulus_id(suite: Suite, item: Item, condition: Condition, region: int) -> str:
    return f"{suite.name}.{item.number}.{condition.name}.{region}"
