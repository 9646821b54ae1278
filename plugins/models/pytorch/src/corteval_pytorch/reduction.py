"""Fewer features than a layer has units: seeded random projections and principal components."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, final

import numpy as np
import torch
from torch import Tensor

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet


class Projection(Protocol):
    """A linear map of the units of one layer."""

    def __call__(self, units: Tensor) -> Tensor:
        """(presentation, unit) to (presentation, feature)."""


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

    Fitted batch by batch (scikit-learn's `IncrementalPCA`), so that the responses to `fit` are
    never held at once; approximate, as that algorithm is, beyond the first batch.

    Args:
        components: number of features; at most the number of stimuli in `fit`.
        fit: stimuli that are not the ones to be scored on.
    """

    components: int = 1000
    fit: StimulusSet

    def __post_init__(self) -> None:
        _check_features(self.components)
        if len(self.fit) < self.components:
            raise OptionError(
                f"{self.components} components need at least as many stimuli; {self.fit.identifier} "
                f"has {len(self.fit)}."
            )

    def identity(self) -> dict[str, Any]:
        """What determines it, for keys and records."""
        return {
            "kind": "principal components",
            "components": self.components,
            "fit": self.fit.digest(),
        }

    def fitted(self, blocks: Any) -> tuple[np.ndarray, np.ndarray]:
        """μ (unit) and V (unit, component) from blocks (presentation, unit) of responses."""
        from sklearn.decomposition import IncrementalPCA

        pca = IncrementalPCA(n_components=self.components)
        waiting: list[np.ndarray] = []
        for block in blocks:
            waiting.append(np.asarray(block))
            if sum(map(len, waiting)) >= 2 * self.components:  # the last one must hold enough too
                rows = np.concatenate(waiting)
                pca.partial_fit(rows[: -self.components])
                waiting = [rows[-self.components :]]
        pca.partial_fit(np.concatenate(waiting))
        return pca.mean_.astype(np.float32), pca.components_.T.astype(np.float32)


Reduction = SparseProjection | PrincipalComponents


@lru_cache(maxsize=256)
def _sparse_matrix(features: int, units: int, seed: int) -> Tensor:
    from sklearn.random_projection import SparseRandomProjection

    drawn = SparseRandomProjection(features, random_state=seed).fit(np.empty((1, units), np.float32))
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
