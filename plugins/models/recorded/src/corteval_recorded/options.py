"""How a table is read as one subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, final, get_args

from corteval.errors import OptionError
from corteval.requests import TimeBin
from corteval_recorded.matching import rule

#: What becomes of several trials of one stimulus; the first three for choices and probabilities.
Policy = Literal["single", "first", "majority", "mean", "each"]


@final
@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices that a table leaves open.

    Args:
        observer: the subject whose rows are read, if there are several in the table.
        policy: what becomes of several trials of one stimulus. Choices: ``"single"`` (the default)
            allows one, ``"first"`` takes the first by session and trial, ``"majority"`` the most
            frequent choice, where trials without a response do not vote. Probabilities:
            ``"single"`` or ``"mean"``. Responses: ``"mean"`` (the default) over trials, or
            ``"each"``, which answers with as many trials as a request asks for.
        match: rule of `corteval_recorded.matching` by which stimuli find their record.
        no_response: recorded choice that means that no response was given. It is answered as it
            is, so that it counts as wrong, although it is none of the choices of a task.
        targets: recording targets that the responses answer; ``"*"`` answers all.
        time_bins: (start, end) in milliseconds of the responses, if their file does not say.
        seed: breaks ties of a majority.
    """

    observer: str | None = None
    policy: Policy | None = None
    match: str = "exact"
    no_response: str | None = None
    targets: tuple[str, ...] = ()
    time_bins: tuple[tuple[float, float], ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        rule(self.match)
        if self.policy is not None and self.policy not in get_args(Policy):
            raise OptionError(
                f"There is no policy {self.policy!r}; known are {', '.join(get_args(Policy))}."
            )
        targets: Any = self.targets
        if isinstance(targets, str):
            raise OptionError(f"targets is a tuple of names, such as ({targets!r},).")
        object.__setattr__(self, "targets", tuple(targets))
        bins = tuple((float(start), float(end)) for start, end in self.time_bins)
        for start, end in bins:
            TimeBin(start, end)  # refuses one that ends before it starts
        object.__setattr__(self, "time_bins", bins)

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        lists = {"targets": [*self.targets], "time_bins": [[*times] for times in self.time_bins]}
        return asdict(self) | lists

    @classmethod
    def from_json(cls, content: Any) -> Options:
        """Inverse of `to_json`.

        Raises:
            OptionError: if `content` is something else.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(content, Mapping) or not set(content) <= known:
            raise OptionError(f"Options are {', '.join(sorted(known))}; found {str(content)[:80]}.")
        try:
            return cls(**content)
        except (TypeError, ValueError) as error:
            raise OptionError(f"The options are not understood: {error}.") from error

    def default(self, policy: Policy, *allowed: Policy) -> Policy:
        """The policy in force where `policy` is the default and `allowed` are possible too."""
        chosen = self.policy or policy
        if chosen not in {policy, *allowed}:
            raise OptionError(
                f"The policy {chosen!r} does not suit these records; use "
                f"{' or '.join([policy, *allowed])}."
            )
        return chosen
