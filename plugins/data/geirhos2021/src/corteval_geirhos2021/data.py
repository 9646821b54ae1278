"""One of the 17 experiments: human trials as published, images where the user provides them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import OptionError
from corteval.fetch import fetch_all, provided
from corteval.stimuli import StimulusSet
from corteval_geirhos2021.card import TRIALS
from corteval_geirhos2021.experiments import CHOICES, EXPERIMENTS
from corteval_geirhos2021.images import locate, subfolder
from corteval_geirhos2021.trials import read_trials, stimulus_set, with_conditions

_ADVICE = (
    "They are {name}.tar.gz of https://github.com/bethgelab/model-vs-human/releases; unpack it "
    "there as it is, and mind its licence: {licence}."
)


@final
@dataclass(frozen=True, kw_only=True)
class Geirhos2021:
    """Decisions of people among 16 classes on one set of images.

    Args:
        experiment: name of the set.
        conditions: ``"all"``; ``"benchmark"`` for those that the published benchmarks use; or some
            by name. Both stimuli and assembly hold them only.
        folder: where the images lie: a clone of model-vs-human with its datasets, the folder
            ``datasets`` of one, or the unpacked set; by default ``provided/Geirhos2021.<set>``
            in the home of Corteval.

    Raises:
        OptionError: if there is no such experiment.
    """

    experiment: str
    conditions: str | Sequence[str] = "all"
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        if self.experiment not in EXPERIMENTS:
            raise OptionError(
                f"There is no experiment {self.experiment!r}; there are {', '.join(EXPERIMENTS)}."
            )

    @property
    def choices(self) -> tuple[str, ...]:
        """What people chose among."""
        return CHOICES

    @property
    def left_out(self) -> tuple[str, ...]:
        """Conditions that the published benchmarks do not use."""
        return EXPERIMENTS[self.experiment].left_out

    def stimuli(self) -> StimulusSet:
        """Images, with their `truth`, `condition` and, of the cue conflict, `texture`.

        Raises:
            NotInData: if the user has provided none.
            StimuliError: if some that people saw are not among them.
        """
        identifier = f"Geirhos2021.{self.experiment}"
        advice = _ADVICE.format(name=self.experiment, licence=TRIALS[self.experiment][0].licence)
        what = f"the images of the experiment {self.experiment!r}"
        folder = provided(identifier, what, advice, folder=self.folder)
        trials = self._trials
        paths = locate(
            subfolder(folder, (f"datasets/{self.experiment}", self.experiment)),
            list(np.unique(trials["stimulus_id"].values)),
            by_category=EXPERIMENTS[self.experiment].by_category,
        )
        return stimulus_set(identifier, trials, paths)

    def assembly(self) -> xr.DataArray:
        """Choices, one presentation a trial; ``"na"`` where nobody answered in time.

        Coordinates: `stimulus_id`, `subject`, `condition`, `truth`, `trial_number`, `rt_ms` (NaN
        without an answer) and, of the cue conflict, `texture` and `content`.

        Raises:
            OptionError: if there is no such condition.
        """
        return self._trials.copy()

    @cached_property
    def _trials(self) -> xr.DataArray:
        trials = read_trials(self.experiment, fetch_all(TRIALS[self.experiment]))
        known = list(np.unique(trials["condition"].values))
        kept = self._kept(known)
        return trials if kept == known else with_conditions(trials, kept)

    def _kept(self, known: list[str]) -> list[str]:
        if isinstance(self.conditions, str) and self.conditions == "all":
            return known
        if isinstance(self.conditions, str) and self.conditions == "benchmark":
            return [c for c in known if c not in self.left_out]
        named = self.conditions
        wanted = [named] if isinstance(named, str) else list(map(str, named))
        odd = [c for c in wanted if c not in known]
        if odd or not wanted:
            raise OptionError(
                f"Geirhos2021.{self.experiment}: conditions={named!r} names "
                f"{', '.join(map(repr, odd)) or 'nothing'}; it has {', '.join(known)}. The option "
                "also takes 'all' and 'benchmark'."
            )
        return [c for c in known if c in wanted]
