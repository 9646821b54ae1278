"""Objects read out from a model's responses in domains that the read-out was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import registry
from corteval.assembly import neural, responses_matrix
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError, StimuliError, UndefinedScore
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stats.resampling import draw, replicates
from corteval.stimuli import StimulusSet

#: The domain that is trained on, by which it is named here.
TRAINED = "hvm"

#: Source and style of the images of each domain; a style of None is any.
DOMAINS: Mapping[str, tuple[str, str | None]] = {
    TRAINED: ("Silhouette", "original"),
    **{s: ("Art", s) for s in ("cartoon", "line_drawing", "mosaic", "painting", "sketch")},
    **{s: ("Silhouette", s) for s in ("convex_hull", "outline", "skeleton", "silhouette")},
    "cococolor": ("COCOColor", None),
    "cocogray": ("COCOGray", None),
    "tdw": ("TDW", None),
}
#: Domains made from the images of the trained one: those of tested backgrounds are tested.
DERIVED = ("convex_hull", "outline", "skeleton", "silhouette")

ALPHAS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)


@final
@dataclass(frozen=True, kw_only=True)
class ObjectReadout:
    """Accuracy of two-way choices between objects, mean over domains.

    A linear read-out (one ridge regression an object, penalty by leave-one-out, units of unit
    length about their training mean) is trained on images of one domain, but for a few. An image
    of object k is right against object j if its output for k is the larger one::

        accuracy = mean_d mean_s mean_i mean_(j != k) [ f_k(x_i) > f_j(x_i) ]

    over domains d, splits s and test images i. In every split the test images of the trained domain
    and of unrelated ones are drawn anew, objects keeping their shares; of domains derived from the
    trained one, images with the backgrounds tested there are. Published splits were not seeded;
    these are. Source: spec ``vision-benchmarks`` 3.

    Args:
        card: names data and target.
        count: number of splits.
        tested: images of a domain tested in a split.
        split_seed: of the splits.
        domains: source and style of each domain.
        source, style, label, background: columns of the stimulus table.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject.
        data_options: for the factory of the data.
        resamples: bootstrap replicates over test images; 0 for none.
        notes: what a reader must know to read the score rightly.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    count: int = 1000
    tested: int = 30
    split_seed: int = 0
    domains: Mapping[str, tuple[str, str | None]] = field(default_factory=lambda: dict(DOMAINS))
    source: str = "stimulus_source"
    style: str = "object_style"
    label: str = "object_label"
    background: str = "background_id"
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 1000
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.count < 1 or self.tested < 1:
            raise OptionError(f"{self.count} splits that test {self.tested} images are impossible.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """None: whoever is always right reaches 1.

        Raises:
            UndefinedScore: always.
        """
        raise UndefinedScore(f"{self.card.identifier} measures accuracy, which no data bound.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Accuracy of the read-out from `model`."""
        responses = responses_matrix(record(model, self._stimuli, self._recording))
        values = np.asarray(responses.values, np.float64)
        right, times = self._tested(values)
        accuracy = {d: right[rows].sum() / times[rows].sum() for d, rows in self._rows.items()}
        raw = Estimate(
            value=float(np.mean(list(accuracy.values()))),
            method=f"two-way accuracy of a linear read-out, mean over {self.count} splits and "
            f"{len(accuracy)} domains",
            quantity="accuracy",
            replicates=self._replicates(right, times),
        )
        samples = xr.DataArray(
            list(accuracy.values()), dims=["domain"], coords={"domain": list(accuracy)}
        )
        score = Score(value=raw.value, raw=raw, samples=samples)
        score = unnormalized(score, "an accuracy, of which 1 is the most and .5 is chance")
        provenance = Provenance(digests={"stimuli": self._stimuli.digest()}, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """A unit for each object, active when it is shown."""
        del seed  # they are not drawn
        names, which = np.unique(self._labels, return_inverse=True)
        ids = {"neuroid_id": [f"unit-{name}" for name in names]}
        return neural(np.eye(len(names))[which], self._stimuli.stimulus_ids, ids)

    def _tested(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each image: share of choices that were right, summed over the times it was tested."""
        from sklearn.model_selection import StratifiedShuffleSplit

        right, times = np.zeros(len(values)), np.zeros(len(values))
        labels, rng = self._labels, np.random.RandomState(self.split_seed)

        def drawn(rows: np.ndarray) -> np.ndarray:
            if len(rows) <= self.tested:
                return rows
            shuffle = StratifiedShuffleSplit(
                1, test_size=self.tested, random_state=rng.randint(2**31)
            )
            ((_, test),) = shuffle.split(rows, labels[rows])
            return np.asarray(rows[test])

        for _ in range(self.count):
            own = self._rows[TRAINED]
            tests = {TRAINED: drawn(own)}
            seen = self._backgrounds[tests[TRAINED]]
            for domain, rows in self._rows.items():
                if domain in DERIVED:
                    tests[domain] = rows[np.isin(self._backgrounds[rows], seen)]
                elif domain != TRAINED:
                    tests[domain] = drawn(rows)
            train = np.setdiff1d(own, tests[TRAINED])
            every = np.concatenate(list(tests.values()))
            right[every] += two_way(values[train], labels[train], values[every], labels[every])
            times[every] += 1
        return right, times

    def _replicates(self, right: np.ndarray, times: np.ndarray) -> tuple[Any, ...]:
        ids = self._stimuli.stimulus_ids
        found = []
        for way in draw(stimulus_ids=ids, resamples=self.resamples, seed=self.seed):
            counts = np.asarray(way.stimuli)
            with np.errstate(invalid="ignore", divide="ignore"):
                means = [
                    counts[:, r] @ right[r] / (counts[:, r] @ times[r]) for r in self._rows.values()
                ]
            found.append(replicates(way, np.mean(means, axis=0)))
        return tuple(found)

    @cached_property
    def _recording(self) -> Recording:
        return Recording(self.card.target, self.time_bins)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        """Those of all domains."""
        (identifier,) = self.card.data
        options = {"recorded": False, **self.data_options}
        whole = cast("DataSource", registry.data.create(identifier, **options)).stimuli()
        missing = {self.source, self.style, self.label, self.background} - set(whole.table)
        if missing:
            raise StimuliError(
                f"{whole.identifier} has no column {', '.join(sorted(missing))}; it has "
                f"{', '.join(map(str, whole.table.columns))}."
            )
        kept = np.any([self._of(d, whole.table) for d in self.domains], axis=0)
        stimuli = whole.select([i for i, k in zip(whole.stimulus_ids, kept, strict=True) if k])
        return stimuli.sized(self.visual_degrees)

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        """Positions of the images of each domain."""
        rows = {d: np.flatnonzero(self._of(d, self._stimuli.table)) for d in self.domains}
        empty = [d for d, r in rows.items() if not len(r)]
        if empty or len(rows.get(TRAINED, ())) <= self.tested:
            raise StimuliError(
                f"{self._stimuli.identifier}: no image of {', '.join(empty) or 'a domain'}, or not "
                f"more than the {self.tested} that are tested of {TRAINED}."
            )
        return rows

    @cached_property
    def _labels(self) -> np.ndarray:
        return np.asarray(self._stimuli.table[self.label].astype(str))

    @cached_property
    def _backgrounds(self) -> np.ndarray:
        return np.asarray(self._stimuli.table[self.background])

    def _of(self, domain: str, table: pd.DataFrame) -> np.ndarray:
        source, style = self.domains[domain]
        found = np.asarray(table[self.source].astype(str) == source)
        return found if style is None else found & np.asarray(table[self.style] == style)


def two_way(
    train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray
) -> np.ndarray:
    """Share of the other objects against which each test image is taken for its own.

    Args:
        train, test: (image, unit) responses.
        train_labels, test_labels: (image) objects; those tested are among those trained.

    Returns:
        (test image), between 0 and 1.
    """
    from sklearn.linear_model import RidgeClassifierCV

    mean = train.mean(axis=0)
    length = np.linalg.norm(train - mean, axis=0)
    length[length == 0] = 1.0
    readout = RidgeClassifierCV(alphas=ALPHAS).fit((train - mean) / length, train_labels)
    output = np.asarray(readout.decision_function((test - mean) / length))
    if output.ndim == 1:  # of two objects, scikit-learn gives the output of the second
        output = np.stack([-output, output], axis=1)
    own = np.searchsorted(readout.classes_, test_labels)
    higher = output[np.arange(len(test)), own][:, None] > output
    return np.asarray(higher.sum(axis=1) / (len(readout.classes_) - 1))
