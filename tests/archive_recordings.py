"""Recordings of known origin in the archive's form, for tests of benchmarks on them.

Each image is a grid of nine greys. Neuroids are linear in the greys, of variance 1 over images,
times a course in time; trials add independent noise, so reliabilities have a closed form.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from corteval.assembly import neural
from corteval.requests import TimeBin
from corteval.testing.subjects import ReplaySubject
from corteval_brainscore.imitation import png

CELLS = 3


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was written, as arrays.

    Args:
        ids: of the stimuli.
        greys: (stimulus, cell), of variance 1.
        signal: (stimulus, neuroid), the noiseless responses at a course of 1.
        course: (time bin) factor of the signal.
        values: (row, neuroid, time bin) as in the file.
        stimulus, repetition: (row) as in the file.
        regions: (neuroid).
        columns: of the stimulus table.
        bins: (start_ms, end_ms).
        noise: standard deviation of a trial.
    """

    ids: list
    greys: np.ndarray
    signal: np.ndarray
    course: np.ndarray
    values: np.ndarray
    stimulus: np.ndarray
    repetition: np.ndarray
    regions: np.ndarray
    columns: dict
    bins: list
    noise: float

    def generator(self, region):
        """A subject that answers with the noiseless responses of a region, in every bin."""
        of_region = self.signal[:, self.regions == region]
        values = of_region[:, :, None] * self.course
        names = {"neuroid_id": [f"unit-{n}" for n in range(values.shape[1])]}
        bins = [TimeBin(*b) for b in self.bins]
        if len(bins) == 1:  # then it does not matter which is asked for
            return ReplaySubject(responses=neural(values[:, :, 0], self.ids, names))
        return ReplaySubject(responses=neural(values, self.ids, names, time_bins=bins))

    def model(self, features=40, seed=7):
        """A subject that is no perfect model: random units that saturate, as an array too."""
        rng = np.random.default_rng(seed)
        x = np.tanh(self.greys @ rng.standard_normal((self.greys.shape[1], features)))
        x += 0.3 * rng.standard_normal(x.shape)
        names = {"neuroid_id": [f"unit-{n}" for n in range(features)]}
        return ReplaySubject(responses=neural(x, self.ids, names), identifier="units"), x

    def in_region(self, region):
        """(row, neuroid, time bin) of the file."""
        return self.values[:, self.regions == region]

    def of_first_appearance(self):
        """Stimuli in the order of their first rows in the file."""
        return list(dict.fromkeys(self.stimulus.tolist()))


def write(
    archive,
    member,
    shown,
    *,
    neuroids,
    stimuli,
    trials,
    bins=((70, 170),),
    course=None,
    columns=None,
    noise=1.0,
    fewer=0,
    seed=0,
    order=0,
    dtype=np.float64,
    attrs=None,
    level=1,
    bin_coords=None,
    repetition_name="repetition",
    missing=None,
):
    """Write a recording and its stimuli into an imitation of the archive.

    Args:
        archive: of `corteval_brainscore.imitation`.
        member, shown: names of the assembly and of its stimulus set.
        neuroids: how many, by region.
        stimuli, trials: how many.
        bins: of time.
        course: factor of the signal in each; 1 if None.
        columns: of the stimulus table, by name a function of the stimulus' number.
        noise: standard deviation of a trial.
        fewer: every fifth stimulus has so many trials fewer.
        seed: of everything random but the order of rows.
        order: seed of the order of rows.
        dtype, attrs, level: of the file.
        repetition_name: of the coordinate that counts trials.
        missing: of the numbers of stimulus, repetition and neuroid, whether the response is NaN.
        bin_coords: further coordinates of time bins.
    """
    rng = np.random.default_rng(seed)
    ids = [hashlib.sha1(f"{member}-{n}".encode()).hexdigest() for n in range(stimuli)]
    grey = rng.integers(0, 256, (stimuli, CELLS, CELLS)).astype(np.uint8)
    columns = {name: [of(n) for n in range(stimuli)] for name, of in (columns or {}).items()}
    rows = [
        {"image_id": i, "filename": f"{i}.png", **{k: v[n] for k, v in columns.items()}}
        for n, i in enumerate(ids)
    ]
    files = {
        f"{i}.png": png(np.repeat(np.kron(g, np.ones((4, 4), np.uint8))[:, :, None], 3, axis=2))
        for i, g in zip(ids, grey, strict=True)
    }
    archive.add_stimuli(shown, rows, files)

    greys = (grey.reshape(stimuli, -1) - 127.5) / 73.9
    regions = np.repeat(list(neuroids), list(neuroids.values()))
    weights = rng.standard_normal((greys.shape[1], len(regions)))
    signal = greys @ (weights / np.linalg.norm(weights, axis=0))
    course = np.ones(len(bins)) if course is None else np.asarray(course, float)
    counts = np.full(stimuli, trials)
    counts[::5] -= fewer
    stimulus = np.repeat(np.arange(stimuli), counts)
    repetition = np.concatenate([np.arange(count) for count in counts])
    shape = len(stimulus), len(regions), len(bins)
    values = noise * rng.standard_normal(shape, dtype)
    values += (signal[stimulus][:, :, None] * course).astype(dtype)
    if missing is not None:
        values[missing(stimulus[:, None], repetition[:, None], np.arange(len(regions)))] = np.nan
    shuffle = np.random.default_rng(order).permutation(len(stimulus))
    stimulus, repetition, values = stimulus[shuffle], repetition[shuffle], values[shuffle]
    starts, ends = np.array(bins).T
    archive.add_assembly(
        member,
        values.transpose(1, 0, 2),
        ("neuroid", "presentation", "time_bin"),
        {
            "image_id": (("presentation",), np.array(ids)[stimulus]),
            repetition_name: (("presentation",), repetition),
            "neuroid_id": (("neuroid",), [f"electrode-{n:03d}" for n in range(len(regions))]),
            "region": (("neuroid",), regions),
            "animal": (("neuroid",), [("Chabo", "Tito")[n % 2] for n in range(len(regions))]),
            "time_bin_start": (("time_bin",), starts),
            "time_bin_end": (("time_bin",), ends),
            **{name: (("time_bin",), column) for name, column in (bin_coords or {}).items()},
        },
        attrs=attrs,
        stimulus_set=shown,
        level=level,
    )
    return Recorded(
        ids=ids,
        greys=greys,
        signal=signal,
        course=course,
        values=values,
        stimulus=stimulus,
        repetition=repetition,
        regions=regions,
        columns=columns,
        bins=list(bins),
        noise=noise,
    )


def legacy(recorded, region, x, *, stratify_by=None, bin_means=False):
    """Raw score, its error, and ceiling by the field's formulas, in numpy and scikit-learn.

    Means over repetitions have rows in the order in which images first appear in the file; splits
    are over these rows; fits are on rows sorted by image id; the ceiling's halves are of
    repetitions.
    """
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    trials = recorded.in_region(region).astype(np.float64)
    trials = trials.mean(axis=2) if bin_means else trials[:, :, 0]
    rows = recorded.of_first_appearance()
    ids = np.array(recorded.ids)[rows]
    means = np.stack([trials[recorded.stimulus == s].mean(axis=0) for s in rows])
    source = x[rows]
    if stratify_by is None:
        splits = ShuffleSplit(10, train_size=0.9, random_state=1).split(rows)
    else:
        labels = np.array(recorded.columns[stratify_by])[rows]
        splits = StratifiedShuffleSplit(10, train_size=0.9, random_state=1).split(rows, labels)
    medians = []
    for train, test in splits:
        train, test = train[np.argsort(ids[train])], test[np.argsort(ids[test])]
        fit = PLSRegression(n_components=25, scale=False).fit(source[train], means[train])
        predicted = fit.predict(source[test])
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, means[test].T, strict=True)]
        medians.append(np.nanmedian(r))
    halves = []
    repetitions = np.unique(recorded.repetition)
    for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(repetitions):
        a, b = (
            np.stack(
                [
                    trials[(recorded.stimulus == s) & np.isin(recorded.repetition, half)].mean(0)
                    for s in rows
                ]
            )
            for half in (repetitions[first], repetitions[second])
        )
        r = np.array([np.corrcoef(p, q)[0, 1] for p, q in zip(a.T, b.T, strict=True)])
        halves.append(np.median(2 * r / (1 + r)))
    error = np.std(medians) / np.sqrt(len(medians))
    return float(np.mean(medians)), float(error), float(np.mean(halves))
