"""Suites of syntax: which items a subject gets right, by its surprisals of regions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.errors import AssemblyError, NotInData, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.model import ModelCommitment, perform
from corteval.requests import ReadingTime, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stats.resampling import draw, replicates
from corteval.stimuli import StimulusSet
from corteval.surprisal import ATTRIBUTE, in_bits
from corteval_syntaxgym.data import SyntaxGym
from corteval_syntaxgym.suites import Punctuation
from corteval_syntaxgym_suites.replay import surprisals_for

NO_CEILING = "nobody was tested on these sentences; a subject that gets all items right scores 1"
INDEPENDENT_ITEMS = (
    "the interval takes items of different suites as independent, though some share words"
)


@final
@dataclass(frozen=True, kw_only=True)
class SyntaxSuites:
    """Share of items for which all predictions of their suite hold; of several suites, the mean.

    A subject reads sentences region by region and says the surprisal of each: of all the words of
    the region together. Source: spec ``metrics``, language side 2.4; Hu et al. (2020).

    Args:
        card: names the data.
        punctuation: ``"attached"`` writes ``the book.``, as the field's leaderboard does;
            ``"published"`` leaves marks apart, as the suites' files do: ``the book .``
        data_options: for the factory of the data, such as which suites.
        resamples: bootstrap replicates over items; 0 for none.
        notes: what a reader must know to read the score rightly.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    punctuation: Punctuation = "attached"
    data_options: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 1000
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        registry.check_parts(self.card)
        if self.resamples < 0:
            raise OptionError(f"There cannot be {self.resamples} resamples; 0 gives no replicates.")

    def requests(self) -> tuple[Request, ...]:
        """Surprisal, as a stand-in for reading times."""
        return (ReadingTime(),)

    def ceiling(self) -> Estimate:
        """None.

        Raises:
            UndefinedScore: always, with the reason.
        """
        raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            AssemblyError: if its answer is no surprisal, or a region beyond the first of a sentence
                has none.
        """
        stimuli = self.stimuli()
        answer = assemblies.in_order(perform(model, stimuli, ReadingTime()), stimuli.stimulus_ids)
        surprisals, lacking = self._complete(in_bits(answer))
        score = self.of_outcomes(self._data.evaluate(surprisals))
        notes = [f"conventions of surprisal: {answer.attrs[ATTRIBUTE]}"]
        if lacking:
            notes.append(
                f"{lacking} first regions of sentences have no surprisal and count 0; no "
                "prediction is about one"
            )
        return replace(score, notes=(*notes, *score.notes))

    def of_outcomes(self, outcomes: xr.DataArray) -> Score:
        """Score of who gets these items right.

        Args:
            outcomes: True or False, dim ``item``, with the coordinates ``item`` and ``suite``: all
                items of the suites, as `corteval_syntaxgym.data.SyntaxGym.evaluate` returns them.

        Raises:
            AssemblyError: if an item is missing, or is none of the suites'.
        """
        known = [f"{suite.name}.{item.number}" for suite, item in self._items()]
        given = outcomes["item"].values.astype(str).tolist()
        if sorted(known) != sorted(given):
            strange = sorted(set(known) ^ set(given))
            raise AssemblyError(
                f"{self.card.identifier} has {len(known)} items, the outcomes {len(given)}; they "
                f"differ in {', '.join(strange[:5]) or 'how often an item occurs'}."
            )
        outcomes = outcomes.sel(item=known)
        right = outcomes.values.astype(np.float64)
        suites = outcomes["suite"].values.astype(str)
        names = list(dict.fromkeys(suites.tolist()))
        accuracies = np.array([right[suites == name].mean() for name in names])
        of_suites = f", mean of {len(names)} suites" if len(names) > 1 else ""
        raw = Estimate(
            value=float(accuracies.mean()),
            method=f"share of items for which all predictions hold; {len(known)} items{of_suites}",
            quantity="accuracy",
            replicates=self._replicates(right, suites, np.array(known)),
        )
        samples = xr.DataArray(
            right,
            dims=["item"],
            coords={"item": known, "suite": ("item", suites)},
        )
        score = unnormalized(Score(value=raw.value, raw=raw, samples=samples), NO_CEILING)
        independent = (INDEPENDENT_ITEMS,) if len(names) > 1 and raw.replicates else ()
        return replace(
            score,
            notes=(*score.notes, *independent, *self.notes),
            provenance=Provenance(
                digests={"stimuli": self.stimuli().digest(), "predictions": self._digest()},
                seed=self.seed,
            ),
        )

    def released(self, model: str) -> Score:
        """Score of the released outcomes of ``gpt2``, ``gpt2-xl``, ``grnn`` or ``jrnn``.

        Raises:
            OptionError: for a model without released outcomes.
        """
        outcomes = self._data.outcomes()
        known = outcomes["model"].values.astype(str).tolist()
        if model not in known:
            raise OptionError(f"No outcomes of {model!r} are released; of {', '.join(known)} are.")
        score = self.of_outcomes(outcomes.sel(model=model, drop=True))
        return replace(score, model=f"{model} (released)", benchmark=self.card.identifier)

    def stimuli(self) -> StimulusSet:
        """Regions, read in order within a sentence."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Surprisals for which the predictions of every item hold, if that is possible.

        Raises:
            NotInData: if the predictions of a lone suite cannot all hold.
        """
        del seed  # nothing is drawn
        outcomes = [True] * sum(1 for _ in self._items())
        found = surprisals_for(self._data, self.stimuli(), outcomes, impossible="wrong")
        if not self._data.evaluate(found).any():
            raise NotInData(f"{self.card.identifier}: no surprisals fulfil the predictions.")
        return found

    def _complete(self, surprisals: xr.DataArray) -> tuple[xr.DataArray, int]:
        """Surprisals with 0 for first regions without context, and how many these are."""
        values = np.array(surprisals.values, np.float64)
        table = self.stimuli().table
        first = table.groupby("context_id", sort=False)["position"].transform("min")
        begins = (table["position"] == first).to_numpy()
        lacking = np.isnan(values)
        if (lacking & ~begins).any():
            odd = np.flatnonzero(lacking & ~begins)
            raise AssemblyError(
                f"{len(odd)} regions after the first of their sentence have no surprisal, such as "
                f"{self.stimuli().stimulus_ids[odd[0]]}. Only the first may lack it."
            )
        return surprisals.copy(data=np.where(lacking, 0.0, values)), int(lacking.sum())

    def _replicates(
        self, right: np.ndarray, suites: np.ndarray, items: np.ndarray
    ) -> tuple[Replicates, ...]:
        """Items drawn within each suite.

            T* = mean_s [a_s + sqrt(n_s / (n_s - 1)) (a*_s - a_s)]

        a_s is the accuracy of suite s with n_s items: the factor makes up for the bootstrap
        variance of a mean, which is too small by (n_s - 1) / n_s. A suite of one item does not
        vary, nor does one whose items are all right: of 28 items that are right with a chance of
        .95 all are in a quarter of samples, and the interval has no width
        (``tests/test_calibration_syntaxgym.py``).
        """
        names = list(dict.fromkeys(suites.tolist()))
        parts, ways = [], []
        for number, name in enumerate(names):
            rows = np.flatnonzero(suites == name)
            if len(rows) < 2:
                parts.append(np.full(self.resamples, right[rows].mean()))
                continue
            for way in draw(
                stimulus_ids=items[rows], resamples=self.resamples, seed=_of(self.seed, number)
            ):
                counts = np.asarray(way.stimuli, np.float64)
                drawn, mean = counts @ right[rows] / len(rows), right[rows].mean()
                stretch = np.sqrt(len(rows) / (len(rows) - 1)) if len(names) > 1 else 1.0
                parts.append(mean + stretch * (drawn - mean))
                ways.append(way)
        if not ways:
            return ()
        digest = hashlib.sha256("".join(way.digest for way in ways).encode()).hexdigest()[:16]
        way = ways[0]._replace(scope="items", sizes=(len(items),), digest=digest, seed=self.seed)
        return (replicates(way, np.mean(parts, axis=0)),)

    def _items(self) -> Iterator[tuple[Any, Any]]:
        for suite in self._data.suites():
            for item in suite.items:
                yield suite, item

    def _digest(self) -> str:
        """SHA-256 of the formulas, by suite."""
        formulas = {
            name: [prediction.formula for prediction in predictions]
            for name, predictions in self._data.predictions().items()
        }
        return hashlib.sha256(json.dumps(formulas, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _data(self) -> SyntaxGym:
        options = {"punctuation": self.punctuation, **self.data_options}
        return cast("SyntaxGym", registry.data.create(self.card.data[0], **options))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._data.stimuli()


def _of(seed: int, number: int) -> int:
    """A seed for each suite, that of the benchmark for the first."""
    if not number:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
