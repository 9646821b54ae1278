r"""Gabor parameters of VOneNet's V1, drawn from published distributions of macaque neurons.

Every neuron has an orientation, a phase, a spatial frequency and the numbers of cycles `nx`, `ny`
under one standard deviation of its Gaussian, along and across the wave. With U uniform on [0, 1)
and F⁻¹(·; counts, edges) the inverse of the piecewise-linear distribution function of a histogram,
the draws are, in this order, from the legacy generator of numpy (its stream never changes):

1. phase = 360 U
2. θ = F⁻¹(U; 66 49 77 54, -22.5 to 157.5 degrees by 45), plus 180 where negative
3. (g₁, g₂) normal with correlation ρ, u = Φ(g);  nx = 10^F⁻¹(u₁; row sums of J, log₁₀ edges)
4. ny = 10^F⁻¹(U; the row of J that holds nx, log₁₀ edges)
5. sf = 2^F⁻¹(u₂; frequency counts, log₂ edges), with bins outside [sf_min, sf_max] cut off

With `rand_param` everything is even: phase; θ = 180 U; sf over the octaves of the bins; log nx; log
ny, in this order. Source: Dapello, Marques et al. 2020; spec ``models`` section 2.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from importlib import resources
from typing import final

import numpy as np

from corteval.errors import OptionError

COUNT = 512
CORRELATION = 0.75

#: Largest frequency of the class of the source (9) and of its training script (6), cycles a degree.
CLASS_SF_MAX_CPD = 9.0
TRAINING_SF_MAX_CPD = 6.0

_ORIENTATION_COUNTS = (66.0, 49.0, 77.0, 54.0)
_ORIENTATION_EDGES_DEGREES = (-22.5, 22.5, 67.5, 112.5, 157.5)
_SF_COUNTS = (4.0, 4.0, 8.0, 25.0, 32.0, 26.0, 28.0, 12.0)
_SF_EDGES_CPD = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)

#: Neurons by number of cycles: rows nx, columns ny. No neuron has nx in the last bin.
_CYCLES_COUNTS = (
    (2.0, 0.0, 1.0, 0.0, 0.0),
    (8.0, 9.0, 4.0, 1.0, 0.0),
    (1.0, 2.0, 19.0, 17.0, 3.0),
    (0.0, 0.0, 1.0, 7.0, 4.0),
    (0.0, 0.0, 0.0, 0.0, 0.0),
)
_LOG10_CYCLES = (-1.0, 0.2)

_FIELDS = ("theta_degrees", "phase_degrees", "nx", "ny")
_SHIPPED = "gabors_seed0.csv"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Gabors:
    """Parameters of filters, one an entry.

    Args:
        theta_degrees: direction of the wave from the column axis of the image, its rows counted
            downwards; in [0, 180).
        phase_degrees: of the cosine, at the centre.
        nx: standard deviation along the wave, in cycles.
        ny: standard deviation across the wave, in cycles.
        spatial_frequency_cpd: cycles per degree of visual angle.
    """

    theta_degrees: np.ndarray
    phase_degrees: np.ndarray
    nx: np.ndarray
    ny: np.ndarray
    spatial_frequency_cpd: np.ndarray

    def __len__(self) -> int:
        return len(self.theta_degrees)

    @property
    def orientation_degrees(self) -> np.ndarray:
        """Direction of the wave clockwise on screen from the x axis, in [0, 180).

        This is what gratings call orientation. The filters count their angle from the other axis,
        so it is 90 - θ.
        """
        return np.asarray((90.0 - self.theta_degrees) % 180.0)


def gabors(
    seed: int = 0,
    *,
    count: int = COUNT,
    sf_min_cpd: float = 0.0,
    sf_max_cpd: float = CLASS_SF_MAX_CPD,
    correlation: float = CORRELATION,
    rand_param: bool = False,
) -> Gabors:
    """The shipped parameters where they are meant, else drawn ones; both agree to 1e-12."""
    plain = (count, sf_min_cpd, correlation, rand_param) == (COUNT, 0.0, CORRELATION, False)
    if seed == 0 and plain and sf_max_cpd in (CLASS_SF_MAX_CPD, TRAINING_SF_MAX_CPD):
        return shipped(sf_max_cpd)
    return sample(
        seed,
        count=count,
        sf_min_cpd=sf_min_cpd,
        sf_max_cpd=sf_max_cpd,
        correlation=correlation,
        rand_param=rand_param,
    )


def shipped(sf_max_cpd: float = CLASS_SF_MAX_CPD) -> Gabors:
    """The 512 parameters of seed 0, from a file, for `sf_max_cpd` 9 or 6."""
    text = resources.files("corteval_vonenet").joinpath(_SHIPPED).read_text()
    rows = list(csv.DictReader(text.splitlines()))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    return Gabors(
        **{name: columns[name] for name in _FIELDS},
        spatial_frequency_cpd=columns[f"sf_cpd_max{sf_max_cpd:g}"],
    )


def sample(
    seed: int,
    *,
    count: int = COUNT,
    sf_min_cpd: float = 0.0,
    sf_max_cpd: float = CLASS_SF_MAX_CPD,
    correlation: float = CORRELATION,
    rand_param: bool = False,
) -> Gabors:
    """Draw parameters as the module says.

    Args:
        seed: of a generator of its own; the global one is not touched.
        count: number of filters.
        sf_min_cpd: bins of spatial frequency that begin below are cut off.
        sf_max_cpd: bins that end above are cut off.
        correlation: ρ between log nx and log sf, before the histograms are imposed.
        rand_param: draw evenly instead.

    Raises:
        OptionError: if a value is out of range, or no bin of spatial frequency is left.
    """
    if count < 1 or not -1 <= correlation <= 1 or not 0 <= seed < 2**32:
        raise OptionError(
            f"VOneNet's filters: count {count} must be at least 1, correlation {correlation} lie "
            f"in [-1, 1] and seed {seed} in [0, 2^32)."
        )
    edges, counts = _frequency_bins(sf_min_cpd, sf_max_cpd)
    generator = np.random.RandomState(seed)
    phase = 360.0 * generator.random_sample(count)
    if rand_param:
        theta = 180.0 * generator.random_sample(count)
        sf = 2 ** _quantile(generator.random_sample(count), np.ones_like(counts), np.log2(edges))
        low, high = _LOG10_CYCLES
        nx, ny = (10 ** (low + (high - low) * generator.random_sample(count)) for _ in range(2))
    else:
        theta = _quantile(
            generator.random_sample(count), _ORIENTATION_COUNTS, _ORIENTATION_EDGES_DEGREES
        )
        theta = np.where(theta < 0, theta + 180, theta)
        u = _correlated_uniforms(generator, count, correlation)
        nx, ny = _cycles(u[:, 0], generator)
        sf = 2 ** _quantile(u[:, 1], counts, np.log2(edges))
    return Gabors(theta_degrees=theta, phase_degrees=phase, nx=nx, ny=ny, spatial_frequency_cpd=sf)


def _frequency_bins(sf_min_cpd: float, sf_max_cpd: float) -> tuple[np.ndarray, np.ndarray]:
    edges = np.array(_SF_EDGES_CPD)
    kept = np.flatnonzero((edges >= sf_min_cpd) & (edges <= sf_max_cpd))
    if len(kept) < 2:
        raise OptionError(
            f"No bin of spatial frequency lies between {sf_min_cpd:g} and {sf_max_cpd:g} cycles "
            f"per degree; the edges are {', '.join(f'{e:g}' for e in _SF_EDGES_CPD)}."
        )
    return edges[kept], np.array(_SF_COUNTS)[kept[:-1]]


def _correlated_uniforms(
    generator: np.random.RandomState, count: int, correlation: float
) -> np.ndarray:
    """(count, 2) uniforms Φ(g), g normal with the given correlation.

    `multivariate_normal` of numpy multiplies pairs of normals by √S V of the covariance's singular
    value decomposition, whose signs are the linear algebra library's choice. Here they are fixed
    to the choice behind the published values.
    """
    z = generator.standard_normal((count, 2))
    if correlation:
        sign = math.copysign(1.0, correlation)
        along, across = (z * np.sqrt([1 + abs(correlation), 1 - abs(correlation)])).T
        z = -math.sqrt(0.5) * np.stack([along + across, sign * (along - across)], axis=1)
    return np.vectorize(lambda g: 0.5 * math.erfc(-g / math.sqrt(2)))(z)


def _cycles(u: np.ndarray, generator: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of cycles nx from `u`, and ny given nx from further draws."""
    joint = np.array(_CYCLES_COUNTS)
    edges = np.linspace(*_LOG10_CYCLES, len(joint) + 1)
    nx = _quantile(u, joint.sum(axis=1), edges)
    row = np.searchsorted(edges, nx, side="right") - 1
    row = np.minimum(row, np.flatnonzero(joint.any(axis=1))[-1])  # an edge belongs to both bins
    v = generator.random_sample(len(u))
    ny = np.array([_quantile(v[i], joint[row[i]], edges) for i in range(len(v))])
    return 10**nx, 10**ny


def _quantile(
    u: np.ndarray, counts: np.ndarray | tuple[float, ...], edges: np.ndarray | tuple[float, ...]
) -> np.ndarray:
    """Inverse of the piecewise-linear distribution function of a histogram."""
    cumulative = np.concatenate([[0.0], np.cumsum(counts) / np.sum(counts)])
    return np.asarray(np.interp(u, cumulative, edges))
