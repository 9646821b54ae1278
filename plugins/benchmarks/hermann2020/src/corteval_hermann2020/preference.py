"""Preference for shape or texture, of a subject by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Score
from corteval_behaviour.bootstrap import estimate, require_resamples
from corteval_behaviour.shape_texture import decisions
from corteval_behaviour.trials import aligned, chosen, column, trials


@final
@dataclass(frozen=True, kw_only=True)
class ShapePreference:
    """Share of shape among decisions for the shape or the texture, where they differ.

        n_shape / (n_shape + n_texture)

    Unlike ``shape_bias``, it compares with nobody: it is the subject's own bias. Source: Geirhos et
    al. 2019; Hermann et al. 2020.

    Args:
        resamples: bootstrap replicates over stimuli; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Preference of `source`, one choice a stimulus.

        Args:
            source: words or probabilities of choices.
            target: the stimuli, with coordinates ``truth`` (category of the shape) and
                ``texture``. Trials of several subjects may be given: each stimulus counts once.

        Raises:
            UndefinedScore: if the source chooses neither in any image.
            AssemblyError: if an assembly has another form.
        """
        if target.isnull().any():
            raise AssemblyError("The target has rows without a value; leave them out.")
        rows = trials(target)
        first = np.unique(rows.stimulus, return_index=True)[1]
        choices = chosen(aligned(source, target))[first]
        shapes, textures = (column(target, name)[first] for name in ("truth", "texture"))
        shape, either = decisions(choices, shapes, textures)
        count = int(either.sum())

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            with np.errstate(invalid="ignore"):  # a draw may hold no decision for either
                return np.asarray((stimuli @ shape) / (stimuli @ either))

        if not count:
            raise UndefinedScore(
                f"The source chooses neither shape nor texture in any of {len(choices)} images."
            )
        share = shape.sum() / count
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            method=f"share of {count} decisions for shape or texture on {len(choices)} images, "
            "binomial standard error",
            quantity="accuracy",
            error=float(np.sqrt(share * (1 - share) / count)),
            resamples=self.resamples,
            seed=self.seed,
            elements=2 * len(choices),
        )
        samples = xr.DataArray(  # 1: shape, 0: texture, NaN: neither
            np.where(either > 0, shape, np.nan),
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", rows.stimulus_ids)},
        )
        return Score(value=raw.value, raw=raw, samples=samples)


def example() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Choices of the shape, images of four shapes and textures, and choices by chance."""
    kinds = ["bird", "boat", "bottle", "car"]
    shape, step = (part.ravel() for part in np.meshgrid(np.arange(4), np.tile([1, 2, 3], 10)))
    guess = np.random.default_rng(0).integers(4, size=len(shape))
    named = {
        "stimulus_id": [f"image-{n:03d}" for n in range(len(shape))],
        "truth": np.array(kinds)[shape],
        "texture": np.array(kinds)[(shape + step) % 4],
    }
    shown, guessed = (
        xr.DataArray(
            np.eye(4)[answers],
            dims=["presentation", "choice"],
            coords={**{n: ("presentation", c) for n, c in named.items()}, "choice": kinds},
        )
        for answers in (shape, guess)
    )
    return shown.drop_vars(["truth", "texture"]), shown, guessed.drop_vars(["truth", "texture"])
