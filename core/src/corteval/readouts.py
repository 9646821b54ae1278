"""Read-outs: behaviour computed from the responses of one layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, final, runtime_checkable

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, StimuliError, UnsupportedRequest
from corteval.requests import Label, OddOneOut, Probabilities, Task
from corteval.stimuli import StimulusSet

#: Gives the responses (presentation, unit) of a read-out's layer, in the order of the stimuli.
Features = Callable[[StimulusSet], np.ndarray]


@runtime_checkable
class Readout(Protocol):
    """Answers one kind of task from a layer."""

    @property
    def layer(self) -> str:
        """Layer whose responses it needs."""

    def supports(self, task: Task) -> bool:
        """Whether it can do `task`."""

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """Behaviour in `task`."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Logits:
    """Labels from logits over any number of classes.

        p = softmax(logits),   p(choice) = mean of p over the classes of the choice,   argmax

    Source: spec ``metrics`` section 2.8. Softmax is computed after taking off the maximum.

    Args:
        layer: whose units are the logits.
        classes: name of each logit, in order.
        choices: choice -> names of its classes; a choice not listed is a class itself. Case is
            ignored.
    """

    layer: str
    classes: Sequence[str]
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [
            name
            for members in self.choices.values()
            for name in members
            if name.casefold() not in self._positions
        ]
        if unknown:
            raise OptionError(
                f"The read-out of {self.layer} has no class {', '.join(map(repr, unknown[:5]))}."
            )

    def supports(self, task: Task) -> bool:
        """Labels whose choices are all known."""
        return isinstance(task, Label) and all(self._members(c) for c in task.choices)

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """The most probable choice of each stimulus; of equal ones the first."""
        assert isinstance(task, Label)
        logits = features(stimuli).astype(np.float64)
        if logits.shape[1] != len(self.classes):
            raise AssemblyError(
                f"Layer {self.layer} has {logits.shape[1]} units for {len(self.classes)} classes."
            )
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = exponentials / exponentials.sum(axis=1, keepdims=True)
        by_choice = np.stack([p[:, self._members(c)].mean(axis=1) for c in task.choices], axis=1)
        chosen = np.array(task.choices)[by_choice.argmax(axis=1)]
        return _over_stimuli(chosen, stimuli)

    def _members(self, choice: str) -> list[int]:
        names = self._by_choice.get(choice.casefold(), (choice,))
        return [i for n in names for i in self._positions.get(n.casefold(), [])]

    @cached_property
    def _positions(self) -> dict[str, list[int]]:
        """Logits by class name; ImageNet has two classes called crane."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.classes):
            found.setdefault(name.casefold(), []).append(number)
        return found

    @cached_property
    def _by_choice(self) -> dict[str, Sequence[str]]:
        return {choice.casefold(): members for choice, members in self.choices.items()}


@final
@dataclass(frozen=True, kw_only=True)
class LogisticProbabilities:
    """Probabilities of labels by multinomial logistic regression on a layer.

    Features are standardised on the fitting stimuli; penalty ½‖w‖²/C with C = 10⁻³, solved by
    newton-cg from zero, so nothing is random. Source: spec ``metrics`` section 2.8.
    """

    layer: str
    inverse_penalty: float = 1e-3

    def supports(self, task: Task) -> bool:
        """Probabilities."""
        return isinstance(task, Probabilities)

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """(presentation, choice) probabilities; choices in alphabetical order.

        Raises:
            StimuliError: if the fitting stimuli have no labels, or one label only.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        assert isinstance(task, Probabilities)
        labels = _labels(task.fit)
        classifier = make_pipeline(
            StandardScaler(), LogisticRegression(C=self.inverse_penalty, solver="newton-cg")
        )
        classifier.fit(features(task.fit).astype(np.float64), labels)
        values = classifier.predict_proba(features(stimuli).astype(np.float64))
        return xr.DataArray(
            values,
            dims=["presentation", "choice"],
            coords={
                "stimulus_id": ("presentation", stimuli.stimulus_ids),
                "choice": [str(c) for c in classifier.classes_],
            },
        )


@final
@dataclass(frozen=True, kw_only=True)
class OddOneOutByDotProduct:
    """Of three stimuli the one left over when the most similar pair is taken out.

    Similarity is the dot product of responses. Source: spec ``metrics`` section 2.8.
    """

    layer: str

    def supports(self, task: Task) -> bool:
        """Odd one out."""
        return isinstance(task, OddOneOut)

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """The stimulus id chosen in each triplet, whose ids are ``first``, ``second``, ``third``.

        Raises:
            StimuliError: if a triplet names a stimulus that is not shown.
        """
        assert isinstance(task, OddOneOut)
        row = {stimulus_id: i for i, stimulus_id in enumerate(stimuli.stimulus_ids)}
        unknown = sorted({i for t in task.triplets for i in t if i not in row})
        if unknown:
            raise StimuliError(
                f"Triplets name stimuli that are not in {stimuli.identifier}: "
                f"{', '.join(unknown[:5])}."
            )
        triplets = np.array([[row[i] for i in triplet] for triplet in task.triplets], dtype=int)
        x = features(stimuli).astype(np.float64)
        similarity = x @ x.T
        # the pair that leaves out the first, the second, the third
        pairs = [(1, 2), (0, 2), (0, 1)]
        by_odd = np.stack([similarity[triplets[:, a], triplets[:, b]] for a, b in pairs], axis=1)
        ids = np.array(stimuli.stimulus_ids)
        odd = triplets[np.arange(len(triplets)), by_odd.argmax(axis=1)]
        names = ("first", "second", "third")
        return xr.DataArray(
            ids[odd],
            dims=["presentation"],
            coords={
                "stimulus_id": ("presentation", ids[odd]),
                **{n: ("presentation", ids[triplets[:, k]]) for k, n in enumerate(names)},
            },
        )


def _labels(fit: StimulusSet) -> np.ndarray:
    if "label" not in fit.table.columns:
        raise StimuliError(f"{fit.identifier}: fitting probabilities needs a column 'label'.")
    labels = fit.table["label"].astype(str).to_numpy()
    if len(set(labels)) < 2:
        raise StimuliError(f"{fit.identifier}: one label cannot be told from others.")
    return labels


def _over_stimuli(values: np.ndarray, stimuli: StimulusSet) -> xr.DataArray:
    return xr.DataArray(
        values,
        dims=["presentation"],
        coords={"stimulus_id": ("presentation", stimuli.stimulus_ids)},
    )


def readout_for(readouts: Sequence[Readout], task: Task) -> Readout:
    """The first read-out that can do `task`.

    Raises:
        UnsupportedRequest: if none can.
    """
    for readout in readouts:
        if readout.supports(task):
            return readout
    raise UnsupportedRequest(f"No read-out can do the task {type(task).__name__}.")
