"""Fewer features than a layer has units: seeded random projections and principal components."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class SparseProjection:
    """Features R x, with R drawn once for a number of units and a seed.

        R_ij = ±√(s/k) with probability 1/2s each, else 0,    s = √units

    Distances are kept in expectation, but scores shift: by some -.004 at 4,096 features of 25,088
    (spec ``performance`` section 6.8). Layers of no more units than features stay as they are.
    Source: Li, Hastie and Church (2006); scikit-learn's `SparseRandomProjection`.

    Args:
        features: k.
        seed: of R.
    """

    features: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _check_features(self.features)

    def identity(self) -> dict[str, Any]:
        """What determines it, for keys and records."""
        return {"kind": "sparse projection", "features": self.features, "seed": self.seed}

    def matrix(self, units: int) -> Tensor:
        """R, sparse (feature, unit)."""
        return _sparse_matrix(self.features, units, self.seed)


@final
@dataclass(frozen=True, kw_only=True)
class PrincipalComponents:
    """Projections on the leading principal components of a layer's responses to other stimuli.

        z = (x - μ) V,    V: leading eigenvectors of the covariance over `fit`

    Exact, and the responses to `fit` are never held at once: the eigenvectors U of the matrix of
    inner products X Xᵀ of centred responses give V = Xᵀ U Σ⁻¹. The sign of a component makes its
    largest weight positive. Source: spec ``performance`` section 6.7.

    Args:
        components: number of features; fewer than stimuli in `fit`.
        fit: stimuli that are not the ones to be scored on.
    """

    components: int = 1000
    fit: StimulusSet

    def __post_init__(self) -> None:
        _check_features(self.components)
        if len(self.fit) <= self.components:
            raise OptionError(
                f"{self.components} components need more stimuli than that; "
                f"{self.fit.identifier} has {len(self.fit)}."
            )

    def identity(self) -> dict[str, Any]:
        """What determines it, for keys and records."""
        return {
            "kind": "principal components",
            "components": self.components,
            "fit": self.fit.digest(),
        }

    def fitted(self, parts: Sequence[Callable[[], np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        """μ (unit) and V (unit, component).

        Args:
            parts: read the responses (presentation, unit) to a part of `fit` each.
        """
        counts = [len(part()) for part in parts]
        mean = sum(part().sum(axis=0, dtype=np.float64) for part in parts) / sum(counts)
        edges = np.cumsum([0, *counts])
        products = np.empty((edges[-1], edges[-1]))
        for i, left in enumerate(parts):
            a = left() - mean
            for j in range(i + 1):
                b = a if i == j else parts[j]() - mean
                products[edges[i] : edges[i + 1], edges[j] : edges[j + 1]] = a @ b.T
        variances, vectors = np.linalg.eigh(products, UPLO="L")
        leading = np.argsort(variances)[::-1][: self.components]
        weights = vectors[:, leading] / np.sqrt(variances[leading])
        axes = np.zeros((len(mean), self.components))
        for i, part in enumerate(parts):
            axes += (part() - mean).T @ weights[edges[i] : edges[i + 1]]
        axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(self.components)])
        return mean.astype(np.float32), axes.astype(np.float32)


Reduction = SparseProjection | PrincipalComponents


@lru_cache(maxsize=256)
def _sparse_matrix(features: int, units: int, seed: int) -> Tensor:
    from sklearn.random_projection import SparseRandomProjection

    drawn = SparseRandomProjection(features, random_state=seed).fit(
        np.zeros((1, units), np.float32)
    )
    csr = drawn.components_.tocsr().astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that sparse tensors are in beta
        return torch.sparse_csr_tensor(
            torch.from_numpy(csr.indptr.astype(np.int64)),
            torch.from_numpy(csr.indices.astype(np.int64)),
            torch.from_numpy(csr.data),
            size=csr.shape,
        )


def _check_features(count: int) -> None:
    if count < 1:
        raise OptionError(f"A reduction has at least one feature, not {count}.")
