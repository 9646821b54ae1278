"""Seeded arrays of realistic sizes: activations and responses with a shared power-law spectrum."""

import numpy as np

RANK = 400


def latent(stimuli: int, seed: int = 0) -> np.ndarray:
    """(stimulus, factor), variance of factor k falls as 1 / k."""
    factors = np.random.default_rng([seed, stimuli]).standard_normal((stimuli, RANK))
    return factors * np.arange(1, RANK + 1) ** -0.5


def features(stimuli: int, count: int, seed: int = 0) -> np.ndarray:
    """(stimulus, feature) float32, not negative, as after a rectification."""
    generator = np.random.default_rng([seed, stimuli, count])
    factors = latent(stimuli, seed).astype(np.float32)
    values = np.empty((stimuli, count), np.float32)
    for start in range(0, count, 4096):
        part = values[:, start : start + 4096]
        np.matmul(factors, generator.standard_normal((RANK, part.shape[1]), np.float32), out=part)
        part += 0.3 * generator.standard_normal(part.shape, np.float32)
    return np.maximum(values, 0, out=values)


def responses(stimuli: int, neuroids: int, noise: float = 1.0, seed: int = 0) -> np.ndarray:
    """(stimulus, neuroid) float64: a linear map of the factors, and noise."""
    generator = np.random.default_rng([seed, stimuli, neuroids, 1])
    signal = latent(stimuli, seed) @ generator.standard_normal((RANK, neuroids))
    return signal + noise * signal.std(axis=0) * generator.standard_normal(signal.shape)


def trials(stimuli: int, neuroids: int, count: int, seed: int = 0) -> np.ndarray:
    """(stimulus, neuroid, trial) float32."""
    generator = np.random.default_rng([seed, stimuli, neuroids, count, 2])
    signal = responses(stimuli, neuroids, 0.0, seed).astype(np.float32)[:, :, None]
    noise = generator.standard_normal((stimuli, neuroids, count), np.float32)
    return signal + 2 * signal.std() * noise


def objects(stimuli: int, count: int = 64) -> np.ndarray:
    """Name of the object each stimulus shows."""
    return np.array([f"object-{i % count:02d}" for i in range(stimuli)])
