"""Inputs for the conformance kit, one function for each form of assembly.

For a similarity: a source as good as one can be, its target, and a source that knows nothing of
it. For a ceiling: a reliable assembly, an unreliable one, and one that allows no estimate.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import ndtr, ndtri

Three = tuple[xr.DataArray, xr.DataArray, xr.DataArray]

_SUBJECTS = 8


def discrimination() -> Three:
    """Probabilities of four objects for 24 images, and many choices between two of them."""
    images, probabilities = _probabilities(0)
    return probabilities, _choices_between_two(images, probabilities, 300), _probabilities(1)[1]


def repeated_discrimination() -> Three:
    """Choices between two objects: 300 and 3 of each pair, and a single one."""
    images, probabilities = _probabilities(0)
    reliable, unreliable = (_choices_between_two(images, probabilities, n) for n in (300, 3))
    return reliable, unreliable, unreliable[:1]


def same_answers() -> Three:
    """Answers, right or wrong, that all subjects share; and answers by chance."""
    generator = np.random.default_rng(2)
    stimuli = _stimuli()
    right = _chances(stimuli) > generator.random(len(stimuli["stimulus_id"]))
    chance = generator.random(len(right)) < 0.1
    source, noise = (_by_stimulus(answers.astype(float), stimuli) for answers in (right, chance))
    return source, _by_subject(np.tile(right, (_SUBJECTS, 1)), stimuli), noise


def right_answers() -> Three:
    """Answers that are all right, and answers by chance."""
    stimuli = _stimuli()
    chance = np.random.default_rng(3).random(len(stimuli["stimulus_id"])) < 0.5
    source, noise = (
        _by_stimulus(answers.astype(float), stimuli) for answers in (np.ones(len(chance)), chance)
    )
    return source, source, noise


def subjects() -> Three:
    """Subjects who err on the same stimuli, subjects who do not, and a single subject."""
    generator = np.random.default_rng(4)
    stimuli = _stimuli()
    shape = _SUBJECTS, len(stimuli["stimulus_id"])
    common = _chances(stimuli) > generator.random(shape[1])
    alike = common ^ (generator.random(shape) < 0.02)
    whole = np.array(stimuli["condition"]) == "whole"
    skill = np.where(whole, 0.5, 0.1) + np.linspace(0, 0.5, _SUBJECTS)[:, None] * np.where(
        whole, 1, 0.2
    )
    apart = generator.random(shape) < skill
    return (
        _by_subject(alike, stimuli),
        _by_subject(apart, stimuli),
        _by_subject(alike[:1], stimuli),
    )


def repeated_tasks() -> Three:
    """Answers in tasks of different difficulty, in tasks of the same, and one answer."""
    reliable, _, _ = subjects()
    generator = np.random.default_rng(5)
    guessed = (generator.random(reliable.size) < 0.5).astype(float)
    return reliable, reliable.copy(data=guessed), reliable[:1]


def values() -> Three:
    """Values that equal the means of subjects, and others."""
    reliable, _, _ = repeated_values()
    means = reliable.groupby("stimulus_id").mean().values
    ids = {"stimulus_id": ("presentation", np.unique(reliable["stimulus_id"].values))}
    source = xr.DataArray(means, dims=["presentation"], coords=ids)
    return source, reliable, source + 3


def repeated_values() -> Three:
    """Values of subjects that agree, that do not, and those of one subject."""
    generator = np.random.default_rng(6)
    noise = generator.standard_normal((_SUBJECTS, 5))
    stimuli = {"stimulus_id": [f"effect-{n}" for n in range(5)]}
    alike, apart = (_by_subject(np.arange(5) + spread * noise, stimuli) for spread in (0.1, 3.0))
    return alike, apart, alike[:5]


def choices() -> Three:
    """Choices of a shape that all subjects share, and choices of textures by chance."""
    generator = np.random.default_rng(7)
    stimuli, answers = _cue_conflict()
    other = generator.integers(4, size=len(answers))
    other = np.where(generator.random(len(other)) < 0.5, stimuli["texture_number"], other)
    made = [_one_hot(a, stimuli) for a in (answers, other)]
    return made[0], _one_hot(answers, stimuli, _SUBJECTS), made[1]


def repeated_choices() -> Three:
    """Choices that subjects share, choices by chance with different biases, and one choice."""
    generator = np.random.default_rng(8)
    stimuli, answers = _cue_conflict()
    alike = _one_hot(answers, stimuli, _SUBJECTS)
    bias = np.repeat(np.linspace(0, 1, _SUBJECTS), len(answers))
    texture = np.tile(stimuli["texture_number"], _SUBJECTS)
    guess = np.where(
        generator.random(len(bias)) < bias, texture, generator.integers(4, size=len(bias))
    )
    return alike, alike.copy(data=np.eye(4)[guess]), alike[:1]


def choice_shares() -> Three:
    """Distributions over four choices, samples of them, and other distributions."""
    generator = np.random.default_rng(9)
    shares, others = generator.dirichlet(np.full(4, 0.5), size=(2, 30))
    ids = [f"stimulus-{n:02d}" for n in range(30)]
    source, noise = (_shares(a, ids, ["subject-0"]) for a in (shares, others))
    return source, _sampled(shares, 100, 10), noise


def repeated_choice_shares() -> Three:
    """Samples of distributions over four choices: large, small and single ones."""
    shares = np.random.default_rng(9).dirichlet(np.full(4, 0.5), size=30)
    return _sampled(shares, 100, 10), _sampled(shares, 1, 10), _sampled(shares, 1, 1)


def thresholds() -> Three:
    """Answers around the thresholds of subjects, those thresholds, and answers by chance."""
    source, target, noise = elevations()
    return _of_test(source), _of_test(target), _of_test(noise)


def elevations() -> Three:
    """Answers in two conditions, thresholds of subjects in both, and answers by chance."""
    repeats, levels = 40, np.arange(5.0, 105.0, 5.0)
    parts = []
    for name, at in (("baseline", 20.0), ("test", 40.0)):
        right = np.arange(repeats) < np.rint(_accuracy(levels, at) * repeats)[:, None]
        parts.append((np.full(right.size, name), np.repeat(levels, repeats), right.ravel()))
    condition, level, answers = (np.concatenate(column) for column in zip(*parts, strict=True))
    coords = {
        "stimulus_id": ("presentation", [f"trial-{n:04d}" for n in range(len(level))]),
        "condition": ("presentation", condition),
        "level": ("presentation", level),
    }
    source = xr.DataArray(answers.astype(float), dims=["presentation"], coords=coords)
    guessed = np.random.default_rng(10).random(len(level)) < 0.5
    return source, _thresholds(0.02), source.copy(data=guessed.astype(float))


def repeated_thresholds() -> Three:
    """Thresholds of subjects that agree, that do not, and that of one subject."""
    alike, apart, one = repeated_elevations()
    return _of_test(alike), _of_test(apart), _of_test(one)


def repeated_elevations() -> Three:
    """Thresholds of subjects in two conditions that agree, that do not, and of one subject."""
    alike = _thresholds(0.02)
    return alike, _thresholds(1.0), alike[alike["subject"].values == "subject-0"]


def words() -> Three:
    """Surprisals that lengthen reading, mean reading times, and unrelated numbers."""
    generator = np.random.default_rng(11)
    coords = _words()
    surprisal, unrelated, noise = generator.standard_normal((3, 150))
    times = 300 + 40 * surprisal + 5 * np.asarray(coords["length"][1]) + 5 * noise
    source, target, other = (
        xr.DataArray(a, dims=["presentation"], coords=coords) for a in (surprisal, times, unrelated)
    )
    return source, target, other


def repeated_words() -> Three:
    """Reading times of subjects: of little noise, of much, and of one subject."""
    generator = np.random.default_rng(12)
    signal, noise = generator.standard_normal(150), generator.standard_normal((150, _SUBJECTS))
    names = {"subject": [f"subject-{n}" for n in range(_SUBJECTS)]}
    quiet, loud = (
        xr.DataArray(
            signal[:, None] + spread * noise,
            dims=["presentation", "subject"],
            coords={**_words(), **names},
        )
        for spread in (0.5, 5.0)
    )
    return quiet, loud, quiet[:, :1]


def measured_words() -> Three:
    """Mean reading times with their spread: of many readers, of few, and of one."""
    generator = np.random.default_rng(18)
    signal, noise = generator.standard_normal((2, 150))

    def means(readers: int) -> xr.DataArray:
        sd = np.full(150, 4.0)
        spread = {"sd_ms": sd, "n": np.full(150, readers)}
        return xr.DataArray(
            signal + sd / np.sqrt(readers) * noise,
            dims=["presentation"],
            coords={**_words(), **{name: ("presentation", c) for name, c in spread.items()}},
        )

    return means(80), means(4), means(1)


def _probabilities(seed: int) -> tuple[dict[str, list[str]], xr.DataArray]:
    """24 images of four objects, and a probability of each object for each image."""
    generator = np.random.default_rng(seed)
    objects = [f"object-{n}" for n in range(4)]
    shown = np.repeat(np.arange(4), 6)
    evidence = generator.standard_normal((24, 4)) + generator.standard_normal((4, 4))[shown]
    evidence[np.arange(24), shown] += 1
    images = {
        "stimulus_id": [f"image-{n:02d}" for n in range(24)],
        "truth": [objects[n] for n in shown],
    }
    return images, xr.DataArray(
        np.exp(evidence) / np.exp(evidence).sum(axis=1, keepdims=True),
        dims=["presentation", "choice"],
        coords={"stimulus_id": ("presentation", images["stimulus_id"]), "choice": objects},
    )


def _choices_between_two(
    images: dict[str, list[str]], probabilities: xr.DataArray, trials: int
) -> xr.DataArray:
    """1 where the shown object was chosen, 0 where the other; so many trials of each pair."""
    objects = probabilities["choice"].values
    shown = np.searchsorted(objects, images["truth"])
    image, other = np.nonzero(np.arange(4) != shown[:, None])
    image, other = (np.repeat(a, trials) for a in (image, other))
    p = probabilities.values
    right = p[image, shown[image]] / (p[image, shown[image]] + p[image, other])
    chosen = np.random.default_rng(13).random(len(image)) < right
    columns = {
        **{name: np.array(column)[image] for name, column in images.items()},
        "distractor": objects[other],
        "subject": np.array([f"subject-{n % _SUBJECTS}" for n in range(len(image))]),
    }
    coords = {name: ("presentation", column) for name, column in columns.items()}
    return xr.DataArray(chosen.astype(float), dims=["presentation"], coords=coords)


def _stimuli() -> dict[str, list[str]]:
    """120 stimuli of six tasks, half of them whole and half of them changed."""
    numbers = range(120)
    return {
        "stimulus_id": [f"stimulus-{n:03d}" for n in numbers],
        "task": [f"task-{n % 6}" for n in numbers],
        "condition": ["whole" if n % 4 < 2 else "changed" for n in numbers],
    }


def _chances(stimuli: dict[str, list[str]]) -> np.ndarray:
    """Chance of a right answer to each stimulus."""
    whole = np.array(stimuli["condition"]) == "whole"
    task = np.array([int(name[-1]) for name in stimuli["task"]])
    return np.where(whole, 0.95, 0.55) - 0.08 * task


def _by_stimulus(answers: np.ndarray, stimuli: dict[str, list[str]]) -> xr.DataArray:
    coords = {name: ("presentation", column) for name, column in stimuli.items()}
    return xr.DataArray(answers, dims=["presentation"], coords=coords)


def _by_subject(answers: np.ndarray, stimuli: dict[str, list[str]]) -> xr.DataArray:
    """Answers (subject, stimulus), a row each."""
    count = len(answers)
    names = np.repeat([f"subject-{n}" for n in range(count)], answers.shape[1])
    coords = {name: ("presentation", column * count) for name, column in stimuli.items()}
    coords["subject"] = ("presentation", names.tolist())
    return xr.DataArray(answers.astype(float).ravel(), dims=["presentation"], coords=coords)


def _cue_conflict() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """120 images with a shape and a texture, and choices of the shape or of some other things."""
    generator = np.random.default_rng(14)
    shape = np.tile(np.arange(4), 30)
    texture, error = (
        (shape + generator.choice(steps, 120)) % 4 for steps in ([1, 2, 3], [1, 1, 2])
    )
    kinds = np.array(["bird", "boat", "bottle", "car"])
    stimuli = {
        "stimulus_id": np.array([f"image-{n:03d}" for n in range(120)]),
        "truth": kinds[shape],
        "texture": kinds[texture],
        "texture_number": texture,
    }
    return stimuli, np.where(generator.random(120) < 0.6, shape, error)


def _one_hot(
    answers: np.ndarray, stimuli: dict[str, np.ndarray], subjects: int = 1
) -> xr.DataArray:
    columns = {name: np.tile(column, subjects) for name, column in stimuli.items()}
    columns["subject"] = np.repeat([f"subject-{n}" for n in range(subjects)], len(answers))
    return xr.DataArray(
        np.tile(np.eye(4)[answers], (subjects, 1)),
        dims=["presentation", "choice"],
        coords={name: ("presentation", column) for name, column in columns.items()}
        | {"choice": ["bird", "boat", "bottle", "car"]},
    )


def _shares(shares: np.ndarray, ids: list[str], subjects: list[str]) -> xr.DataArray:
    return xr.DataArray(
        shares,
        dims=["presentation", "choice"],
        coords={
            "stimulus_id": ("presentation", ids * len(subjects)),
            "subject": ("presentation", np.repeat(subjects, len(ids))),
            "choice": list("abcd"),
        },
    )


def _sampled(shares: np.ndarray, trials: int, subjects: int) -> xr.DataArray:
    """Shares of the choices that subjects made in so many trials of each stimulus."""
    generator = np.random.default_rng(15)
    drawn = np.concatenate([generator.multinomial(trials, shares) for _ in range(subjects)])
    ids = [f"stimulus-{n:02d}" for n in range(len(shares))]
    return _shares(drawn / trials, ids, [f"subject-{n}" for n in range(subjects)])


def _accuracy(levels: np.ndarray, at: float) -> np.ndarray:
    """Psychometric function with a threshold, the level of an accuracy of .75, of `at`."""
    return np.asarray(0.5 + 0.47 * ndtr((levels - at) / 10 + ndtri(0.25 / 0.47)))


def _thresholds(spread: float) -> xr.DataArray:
    """Thresholds of subjects in two conditions, with log-normal differences among subjects."""
    factor = np.exp(spread * np.random.default_rng(16).standard_normal((2, _SUBJECTS)))
    coords = {
        "condition": np.repeat(["baseline", "test"], _SUBJECTS),
        "subject": np.tile([f"subject-{n}" for n in range(_SUBJECTS)], 2),
    }
    coords["stimulus_id"] = coords["condition"]
    return xr.DataArray(
        (np.array([[20.0], [40.0]]) * factor).ravel(),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def _of_test(assembly: xr.DataArray) -> xr.DataArray:
    return assembly[assembly["condition"].values == "test"]


def _words() -> dict[str, tuple[str, np.ndarray]]:
    """150 words of three stories, in sentences of twelve."""
    generator = np.random.default_rng(17)
    number = np.arange(150)
    columns = {
        "stimulus_id": np.array([f"word-{n:03d}" for n in number]),
        "story": np.array([f"story-{n // 50}" for n in number]),
        "position": number % 50 + 1,
        "word_within_sentence_id": number % 12 + 1,
        "length": generator.integers(1, 12, size=150),
        "log_frequency": generator.standard_normal(150),
    }
    return {name: ("presentation", column) for name, column in columns.items()}
