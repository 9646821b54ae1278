"""Pairs of images that share shape or texture, and the units that each of the two occupies."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, cast, final, get_args

import numpy as np
import pandas as pd
import xarray as xr

from corteval import registry
from corteval.assembly import neural, responses_matrix
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError, StimuliError, UndefinedScore
from corteval.intervals import Replicates
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stats.resampling import draw, replicates
from corteval.stimuli import StimulusSet

Factor = Literal["shape", "texture"]

#: What both images of a pair may have in common; the published order, in which one is drawn.
FACTORS: tuple[Factor, Factor] = ("shape", "texture")
#: Seed of the published pairs.
PUBLISHED_SEED = 1751
#: Bytes of the responses of some units to both images of all pairs.
_BUDGET = 128 * 2**20


class Pairs(NamedTuple):
    """Positions of both images of each pair, and the factor that they have in common."""

    first: np.ndarray
    second: np.ndarray
    factor: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class FactorShare:
    """Share of a model's units that shape, or texture, seems to occupy.

    Both images of a pair have one factor f in common::

        s_f = sum_n mean_(pairs of f) (a_n - m_fn) (b_n - m_fn) / sum_n var_n,    s_residual = 1
        share_f = floor(N softmax(s)_f) / N

    as in `corteval_distribution.factors.factor_dimensionality`; here units are read in blocks. The
    ceiling is 1, as published, though no representation reaches it: s_f is 1 at most, so the share
    is e / (1 + 2 e) = .42 of one that codes f alone, and 1 / (2 + e) = .21 of one that codes
    neither.
    Source: spec ``metrics`` 2.7; Islam et al. (2021).

    Args:
        card: names data and target.
        factor: ``"shape"`` or ``"texture"``.
        pair_seed: of the drawing of pairs; the default draws the published ones.
        texture, shape, image: columns of the stimulus table: texture, class, and the photograph
            that an image is made from.
        visual_degrees: extent of the stimuli; None, as published, fills the field of view.
        time_bins: asked of the subject.
        data_options: for the factory of the data.
        resamples: bootstrap replicates over pairs; 0 for none.
        notes: what a reader must know to read the score rightly.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    factor: Factor
    pair_seed: int = PUBLISHED_SEED
    texture: str = "texture"
    shape: str = "shape"
    image: str = "original_image_id"
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 1000
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.factor not in get_args(Factor):
            known = " or ".join(get_args(Factor))
            raise OptionError(f"The factor is {known}, not {self.factor!r}.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """All units."""
        return Estimate(value=1.0, method="all units; no representation reaches it")

    def __call__(self, model: ModelCommitment) -> Score:
        """Share of `model`'s units.

        Raises:
            UndefinedScore: if no unit's response varies.
        """
        responses = responses_matrix(record(model, self._stimuli, self._recording))
        products, variances = pair_products(responses.values, self.pairs)
        units = responses.sizes["neuroid"]
        shares = self._shares(products, variances, np.ones((1, len(products))), units, whole=True)
        raw = Estimate(
            value=float(shares[FACTORS.index(self.factor), 0]),
            method=f"share of {units} units by {len(products)} pairs of images",
            quantity="similarity",
            replicates=self._replicates(products, variances, units),
        )
        samples = xr.DataArray(shares[:, 0], dims=["factor"], coords={"factor": list(FACTORS)})
        score = normalize(Score(value=raw.value, raw=raw, samples=samples), self.ceiling())
        provenance = Provenance(digests={"stimuli": self._stimuli.digest()}, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def selective_responses(self, seed: int) -> xr.DataArray:
        """Units that know the factor alone: the largest share there is, e / (1 + 2 e).

        These are no `ideal_responses`, since no responses reach the published ceiling.
        """
        column = self.shape if self.factor == "shape" else self.texture
        names, which = np.unique(self._stimuli.table[column].astype(str), return_inverse=True)
        values = np.random.default_rng(seed).normal(size=(len(names), 1000))[which]
        ids = {"neuroid_id": [f"unit-{number:03d}" for number in range(1000)]}
        return neural(values, self._stimuli.stimulus_ids, ids)

    @cached_property
    def pairs(self) -> Pairs:
        """Pairs of the images, one that begins with each."""
        return drawn_pairs(
            self._stimuli.table,
            texture=self.texture,
            shape=self.shape,
            image=self.image,
            seed=self.pair_seed,
        )

    def _shares(
        self,
        products: np.ndarray,
        variances: np.ndarray,
        counts: np.ndarray,
        units: int,
        *,
        whole: bool,
    ) -> np.ndarray:
        """(factor, resample) shares, where pairs are counted so often; in whole units if asked."""
        variance = counts @ variances / counts.sum(axis=1)
        if not (variance > 0).all():
            raise UndefinedScore(f"None of {units} units varies over {len(products)} pairs.")
        scores = [np.ones(len(counts))]
        for factor in FACTORS:
            own = self.pairs.factor == factor
            if not own.any():
                raise StimuliError(f"No pair shares {factor}; there are too few images.")
            scores.append(counts[:, own] @ products[own] / counts[:, own].sum(axis=1) / variance)
        weights = np.exp(np.stack(scores) - np.max(scores, axis=0))
        shares = (weights / weights.sum(axis=0))[1:]
        return np.asarray(np.floor(units * shares) / units if whole else shares)

    def _replicates(
        self, products: np.ndarray, variances: np.ndarray, units: int
    ) -> tuple[Replicates, ...]:
        """Pairs are drawn by the image they begin with; means and partners stay as they are."""
        found = []
        ids = self._stimuli.stimulus_ids
        for way in draw(stimulus_ids=ids, resamples=self.resamples, seed=self.seed):
            counts = np.asarray(way.stimuli, np.float64)[:, self.pairs.first]
            shares = self._shares(products, variances, counts, units, whole=False)
            found.append(replicates(way, shares[FACTORS.index(self.factor)]))
        return tuple(found)

    @cached_property
    def _recording(self) -> Recording:
        return Recording(self.card.target, self.time_bins)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        (identifier,) = self.card.data
        source = cast("DataSource", registry.data.create(identifier, **self.data_options))
        stimuli = source.stimuli()
        return stimuli.sized(self.visual_degrees)


def drawn_pairs(
    table: pd.DataFrame, *, texture: str, shape: str, image: str, seed: int = PUBLISHED_SEED
) -> Pairs:
    """A partner for each image: of the same shape and another texture, or the other way round.

    By Python's ``random.Random(seed)``, as published, for each row in order: a factor; if that is
    shape, one of the other textures, in which the same photograph is the partner; else one of the
    other shapes, and one of its images in the same texture.

    Args:
        table: one row an image.
        texture, shape, image: columns.
        seed: of the drawing.

    Raises:
        StimuliError: if a column is missing, or an image has no partner.
    """
    missing = [name for name in (texture, shape, image) if name not in table.columns]
    if missing:
        known = ", ".join(map(str, table.columns))
        raise StimuliError(f"Images have no column {', '.join(missing)}; they have {known}.")
    rows = list(zip(*(table[name].tolist() for name in (texture, shape, image)), strict=True))
    textures, shapes = (sorted({row[place] for row in rows}) for place in (0, 1))
    of_photograph: dict[tuple[Any, Any], int] = {}
    of_class: dict[tuple[Any, Any], list[int]] = defaultdict(list)
    for number, (painted, kind, photograph) in enumerate(rows):
        of_photograph[photograph, painted] = number
        of_class[painted, kind].append(number)
    drawn = random.Random(seed)
    factors, partners = [], []
    for painted, kind, photograph in rows:
        factor = drawn.choice(FACTORS)
        try:
            if factor == "shape":
                other = drawn.choice([t for t in textures if t != painted])
                partner = of_photograph[photograph, other]
            else:
                other = drawn.choice([s for s in shapes if s != kind])
                partner = drawn.choice(of_class[painted, other])
        except (KeyError, IndexError) as error:
            raise StimuliError(
                f"Of {photograph} in {painted} there is no partner of the same {factor}: every "
                "photograph is needed in every texture, and two textures and shapes at least."
            ) from error
        factors.append(factor)
        partners.append(partner)
    return Pairs(np.arange(len(rows)), np.array(partners), np.array(factors))


def pair_products(responses: np.ndarray, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Products of both sides of each pair, and their variance, summed over units.

    Args:
        responses: (image, unit).
        pairs: of images.

    Returns:
        (pair) sum_n (a_n - m_fn) (b_n - m_fn), with m_fn the mean over both sides of the pairs that
        share the same factor; and (pair) sum_n ((a_n - m_n)² + (b_n - m_n)²) / 2, with m_n the mean
        over both sides of all pairs.
    """
    products, variances = np.zeros(len(pairs.first)), np.zeros(len(pairs.first))
    step = max(1, _BUDGET // (16 * len(pairs.first)))
    for start in range(0, responses.shape[1], step):
        block = np.asarray(responses[:, start : start + step], np.float64)
        a, b = block[pairs.first], block[pairs.second]
        middle = (a.mean(axis=0) + b.mean(axis=0)) / 2
        variances += (((a - middle) ** 2).sum(axis=1) + ((b - middle) ** 2).sum(axis=1)) / 2
        for factor in FACTORS:
            own = pairs.factor == factor
            if own.any():
                middle = (a[own].mean(axis=0) + b[own].mean(axis=0)) / 2
                products[own] += ((a[own] - middle) * (b[own] - middle)).sum(axis=1)
    return products, variances
