"""Recordings whose linear origin is known."""

from dataclasses import dataclass

import numpy as np

from corteval.assembly import neural


@dataclass(frozen=True, kw_only=True)
class Linear:
    """y = x'β + noise: features (stimulus, feature), β (feature, neuroid), trials or means."""

    x: np.ndarray
    beta: np.ndarray
    y: np.ndarray

    @property
    def ids(self):
        return [f"sentence-{n:04d}" for n in range(len(self.x))]

    def source(self):
        names = {"neuroid_id": [f"unit-{n:03d}" for n in range(self.x.shape[1])]}
        return neural(self.x, self.ids, names)

    def target(self, **presentation):
        names = {"neuroid_id": [f"area-{n:02d}" for n in range(self.y.shape[1])]}
        return neural(self.y, self.ids, names, presentation=presentation)


def linear(seed, *, stimuli=200, features=8, neuroids=1, noise=1.0, trials=0, gain=1.0):
    """Gaussian features; noiseless responses have the variance gain² in every neuroid."""
    rng = np.random.default_rng([seed, stimuli, features, neuroids, trials])
    x = rng.standard_normal((stimuli, features))
    beta = rng.standard_normal((features, neuroids))
    beta *= gain / np.linalg.norm(beta, axis=0)
    shape = (stimuli, neuroids, trials) if trials else (stimuli, neuroids)
    signal = x @ beta
    y = (signal[..., None] if trials else signal) + noise * rng.standard_normal(shape)
    return Linear(x=x, beta=beta, y=y)
