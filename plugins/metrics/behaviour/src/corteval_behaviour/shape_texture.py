"""Shape bias: of decisions for the shape or the texture of an image, the share for the shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import require_resamples
from corteval_behaviour.shares import Share, similarity_among_subjects, similarity_of_shares
from corteval_behaviour.trials import Trials, aligned, chosen, column, groups, trials


def shape_bias(choices: np.ndarray, shapes: np.ndarray, textures: np.ndarray) -> float:
    """Share of shape among decisions for shape or texture, where the two are in conflict.

    Source: Geirhos et al. 2019; spec ``real-data`` 2.2.

    Args:
        choices, shapes, textures: (trial) names of categories.

    Returns:
        0 to 1; NaN without such decisions.

    Raises:
        OptionError: if there is not one choice, shape and texture a trial.
    """
    choices, shapes, textures = (np.asarray(names) for names in (choices, shapes, textures))
    if choices.ndim != 1 or not choices.shape == shapes.shape == textures.shape:
        raise OptionError(
            f"Choices, shapes and textures have shapes {choices.shape}, {shapes.shape} and "
            f"{textures.shape}; needed is one of each for every trial."
        )
    part, whole = decisions(choices, shapes, textures)
    return float(part.sum() / whole.sum()) if whole.any() else float("nan")


def decisions(choices: np.ndarray, shapes: np.ndarray, textures: np.ndarray) -> Share:
    """Which trials were decided for the shape, and which for shape or texture in conflict."""
    conflict = shapes != textures
    shape = (choices == shapes) & conflict
    either = shape | ((choices == textures) & conflict)
    return Share(shape.astype(np.float64), either.astype(np.float64))


@final
@dataclass(frozen=True, kw_only=True)
class ShapeBias:
    """Mean over subjects of the similarity of the source's shape bias to theirs.

        1 - |s_m - s_h| / max(s_h, 1 - s_h)

    s is `shape_bias`, of the source over the stimuli that the subject saw. It is 1 where biases are
    equal, whichever they are. The bias itself is the function `shape_bias`.

    Args:
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`, one choice a stimulus, to `target`, trials of subjects.

        Args:
            source: words or probabilities of choices.
            target: words or shares of choices, with coordinates ``truth`` (the shape's category)
                and ``texture`` (the texture's category).

        Raises:
            UndefinedScore: if the source never chooses shape or texture, or no subject does.
        """
        choices = chosen(aligned(source, target))
        rows = trials(target)
        model = decisions(choices, column(target, "truth"), column(target, "texture"))
        if not model.whole.any():
            raise UndefinedScore(
                f"The source chooses neither shape nor texture in any of {len(choices)} trials."
            )
        return similarity_of_shares(
            rows,
            groups(target, rows, by_condition=False),
            model=model,
            subject=_decisions(target),
            resamples=self.resamples,
            seed=self.seed,
        )


@final
@dataclass(frozen=True, kw_only=True)
class HumanShapeBias:
    """Mean over ordered pairs of subjects of the similarity of their shape biases.

    Args:
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the subjects of `assembly`, as the target of `ShapeBias`.

        Raises:
            UndefinedScore: with fewer than two subjects that chose shape or texture.
        """
        rows: Trials = trials(assembly)
        return similarity_among_subjects(
            rows,
            groups(assembly, rows, by_condition=False),
            _decisions(assembly),
            resamples=self.resamples,
            seed=self.seed,
        )


def _decisions(assembly: xr.DataArray) -> Share:
    return decisions(chosen(assembly), column(assembly, "truth"), column(assembly, "texture"))
