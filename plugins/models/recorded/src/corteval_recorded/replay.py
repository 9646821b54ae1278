"""The subject that answers with what was recorded."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import digest, first_trials
from corteval.cards import Modality
from corteval.errors import AssemblyError, OptionError, StimuliError, UnsupportedRequest
from corteval.model import Perturbation
from corteval.requests import Label, Probabilities, Recording, Request, TimeBin, describe
from corteval.stimuli import StimulusSet
from corteval.units import selected_units
from corteval_recorded import tables, trials
from corteval_recorded.matching import RULES, rule
from corteval_recorded.options import Options
from corteval_recorded.tables import Records

ANY_TARGET = "*"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedSubject:
    """Answers with the record of each stimulus, found by its id, and with nothing else.

    Args:
        identifier: name in tables.
        options: how the records were read.
        choices: by stimulus, what was chosen.
        probabilities: (presentation, choice).
        responses: (presentation, neuroid[, time_bin][, trial]).
        notes: said with every score.
        perturbations: changes applied to the responses; decisions have no units to change.
    """

    identifier: str
    options: Options
    choices: Mapping[str, str] | None = None
    probabilities: xr.DataArray | None = None
    responses: xr.DataArray | None = None
    notes: tuple[str, ...] = ()
    perturbations: tuple[Perturbation, ...] = ()

    @property
    def modalities(self) -> frozenset[Modality]:
        """All: a stimulus is known by its id, whatever it is."""
        return frozenset({"image", "text", "video"})

    @property
    def visual_degrees(self) -> float | None:
        """None: it saw the stimuli when it was recorded, at the size they had then."""
        return None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what it can answer."""
        parts = [digest(a) for a in (self.probabilities, self.responses) if a is not None]
        content = [self.options.to_json(), self.choices, *parts]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def supports(self, request: Request) -> bool:
        """True for what was recorded.

        That is labels, if one of the choices was ever made; probabilities of exactly the labels
        asked for; and recordings of its targets, time bins and units.
        """
        if isinstance(request, Label) and self.choices is not None:
            known = set(self.choices.values())
            return not self.perturbations and not known.isdisjoint(request.choices)
        if isinstance(request, Probabilities) and self.probabilities is not None:
            asked = set(request.fit.table.get("label", pd.Series(dtype=str)).astype(str))
            return not self.perturbations and asked == set(self.probabilities["choice"].values)
        if isinstance(request, Recording) and self.responses is not None:
            return (
                self._answers(request.target)
                and set(request.time_bins) <= set(self._time_bins())
                and (request.units is None or request.units.coordinates <= set(self._columns()))
            )
        return False

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """The records of `stimuli`, in their order.

        Raises:
            StimuliError: for stimuli without a record, or two that match the same one.
            AssemblyError: a recorded choice is none of those asked for, or trials are missing.
        """
        for request in requests:
            if not self.supports(request):
                raise UnsupportedRequest(f"{self.identifier} cannot answer {describe(request)}.")
        answers: dict[Request, xr.DataArray] = {}
        for request in requests:
            if isinstance(request, Label):
                answers[request] = self._label(request, stimuli)
            elif isinstance(request, Recording):
                answers[request] = self._record(request, stimuli)
            else:
                assert self.probabilities is not None
                answers[request] = self._rows(self.probabilities, stimuli)
        return answers

    def perturbed(self, *perturbations: Perturbation) -> RecordedSubject:
        """A new subject with recorded units changed; it has no decisions, for those are made.

        Raises:
            UnsupportedRequest: for a target that was not recorded.
        """
        for perturbation in perturbations:
            if self.responses is None or not self._answers(perturbation.target):
                raise UnsupportedRequest(
                    f"{self.identifier} has no recorded units of {perturbation.target}, so that "
                    f"{perturbation.identifier} has nothing to change."
                )
            selected_units(perturbation.units, self._columns())
        names = "+".join(p.identifier for p in perturbations)
        return replace(
            self,
            identifier=f"{self.identifier}+{names}",
            perturbations=(*self.perturbations, *perturbations),
        )

    def _label(self, request: Label, stimuli: StimulusSet) -> xr.DataArray:
        assert self.choices is not None
        keys = self._keys(stimuli, self.choices)
        chosen = [self.choices[key] for key in keys]
        allowed = {*request.choices, self.options.no_response}
        odd = Counter(choice for choice in chosen if choice not in allowed)
        if odd:
            listed = ", ".join(f"{c!r} ({n})" for c, n in odd.most_common(5))
            silent = (
                ""
                if self.options.no_response
                else (
                    " If one of them means that there was no response, say so: no_response=, "
                    "--no-response."
                )
            )
            raise AssemblyError(
                f"{self.identifier} chose {listed}{', ...' if len(odd) > 5 else ''}, which are not "
                f"among the {len(request.choices)} choices asked for.{silent}"
            )
        return xr.DataArray(
            np.array(chosen),
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", stimuli.stimulus_ids)},
        )

    def _record(self, request: Recording, stimuli: StimulusSet) -> xr.DataArray:
        assert self.responses is not None
        columns = self._columns()
        kept = selected_units(request.units, columns)
        if not kept.size:
            raise UnsupportedRequest(
                f"No unit of {request.target} meets the filter of the request."
            )
        found = self._perturb(request.target, self._rows(self.responses, stimuli))
        found = found.isel(neuroid=kept)
        if request.time_bins:
            known = self._time_bins()
            found = found.isel(time_bin=[known.index(b) for b in request.time_bins])
        return first_trials(found, request.trials) if "trial" in found.dims else found

    def _rows(self, records: xr.DataArray, stimuli: StimulusSet) -> xr.DataArray:
        row = {str(key): n for n, key in enumerate(records["stimulus_id"].values)}
        found = records.isel(presentation=[row[key] for key in self._keys(stimuli, row)])
        return found.assign_coords(stimulus_id=("presentation", stimuli.stimulus_ids))

    def _keys(self, stimuli: StimulusSet, known: Mapping[str, object]) -> list[str]:
        """What the ids of `stimuli` match by, each of them known and each once."""
        match = rule(self.options.match)
        keys = [match(stimulus_id) for stimulus_id in stimuli.stimulus_ids]
        pairs = list(zip(stimuli.stimulus_ids, keys, strict=True))
        missing = [stimulus_id for stimulus_id, key in pairs if key not in known]
        if missing:
            raise StimuliError(
                f"{self.identifier} has no record of {len(missing)} of {len(stimuli)} stimuli: "
                f"{', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}; it has records of "
                f"{len(known)}, such as {next(iter(known))}. They are matched by the rule "
                f"{self.options.match!r}; match= or --match chooses another of "
                f"{', '.join(RULES)}."
            )
        if len(set(keys)) < len(keys):
            twice = next(key for key, count in Counter(keys).items() if count > 1)
            same = [stimulus_id for stimulus_id, key in pairs if key == twice]
            raise StimuliError(
                f"{', '.join(same[:5])} all match the record {twice} by the rule "
                f"{self.options.match!r}; choose a rule that tells them apart."
            )
        return keys

    def _perturb(self, target: str, responses: xr.DataArray) -> xr.DataArray:
        if not self.perturbations:
            return responses
        last = responses.transpose(..., "neuroid")
        values = np.array(last.values)
        columns = self._columns()
        for perturbation in self.perturbations:
            if perturbation.target == target:
                changed = selected_units(perturbation.units, columns)
                values[..., changed] = perturbation.apply(
                    values[..., changed], {n: c[changed] for n, c in columns.items()}
                )
        return last.copy(data=values).transpose(*responses.dims)

    def _answers(self, target: str) -> bool:
        return target in self.options.targets or ANY_TARGET in self.options.targets

    def _columns(self) -> dict[str, np.ndarray]:
        assert self.responses is not None
        coordinates = self.responses.coords.items()
        return {str(name): c.values for name, c in coordinates if c.dims == ("neuroid",)}

    def _time_bins(self) -> list[TimeBin]:
        assert self.responses is not None
        if "time_bin" not in self.responses.dims:
            return []
        ends = (self.responses[f"time_bin_{end}_ms"].values for end in ("start", "end"))
        return [TimeBin(float(start), float(end)) for start, end in zip(*ends, strict=True)]


def subject(
    records: str | Path | pd.DataFrame | xr.DataArray,
    *,
    identifier: str | None = None,
    notes: tuple[str, ...] = (),
    **options: Any,
) -> RecordedSubject:
    """A subject from a file, a table or an assembly of records.

        subject("cue-conflict_subject-01.csv", identifier="subject-01", match="model-vs-human")

    Args:
        records: see `corteval_recorded.tables` for what is read.
        identifier: name in tables; that of the file if None.
        notes: said with every score, after what the subject says of itself.
        options: fields of `Options`.

    Raises:
        AssemblyError, OptionError: what is wrong with the records, and what to choose.
    """
    if isinstance(records, (str, Path)):
        path = Path(records).expanduser()
        return replay(tables.read(path), Options(**_known(options)), identifier or path.stem, notes)
    if identifier is None:
        raise OptionError("A table in memory has no name; give an identifier.")
    if isinstance(records, pd.DataFrame):
        read = tables.from_frame(records)
    elif isinstance(records, xr.DataArray):
        read = tables.from_assembly(records)
    else:
        raise OptionError(
            f"Records are a path, a pandas.DataFrame or an xarray.DataArray, not a "
            f"{type(records).__name__}."
        )
    return replay(read, Options(**_known(options)), identifier, notes)


def replay(
    records: Records, options: Options, identifier: str, notes: tuple[str, ...] = ()
) -> RecordedSubject:
    """A subject from records that were read."""
    if options.no_response is None and records.no_response is not None:
        options = replace(options, no_response=records.no_response)
    make = _READERS[records.kind]
    made = make(records, options, identifier)
    return replace(made, notes=(*_notes(made, records), *notes))


def _of_choices(records: Records, options: Options, identifier: str) -> RecordedSubject:
    _refuse_response_options(records, options)
    chosen = trials.choices(records, options)
    return RecordedSubject(identifier=identifier, options=options, choices=chosen)


def _of_probabilities(records: Records, options: Options, identifier: str) -> RecordedSubject:
    _refuse_response_options(records, options)
    found = trials.probabilities(records, options)
    return RecordedSubject(identifier=identifier, options=options, probabilities=found)


def _of_responses(records: Records, options: Options, identifier: str) -> RecordedSubject:
    if not options.targets:
        raise OptionError(
            "Responses answer a recording target; say which (targets=('V4',), --target V4), or '*' "
            "for any."
        )
    found = trials.responses(records, options)
    return RecordedSubject(identifier=identifier, options=options, responses=found)


_READERS: Mapping[str, Callable[[Records, Options, str], RecordedSubject]] = {
    "choices": _of_choices,
    "probabilities": _of_probabilities,
    "responses": _of_responses,
}


def _refuse_response_options(records: Records, options: Options) -> None:
    if options.targets or options.time_bins:
        raise OptionError(
            f"Targets and time bins belong to responses; the table holds {records.kind}."
        )


def _notes(made: RecordedSubject, records: Records) -> tuple[str, ...]:
    """What was recorded, of whom, and what became of several trials."""
    whose = f" of {made.options.observer}" if made.options.observer else ""
    policy = f" ({made.options.policy} of trials)" if made.options.policy else ""
    notes = [f"recorded {records.kind}{whose}{policy}, replayed"]
    silent = Counter((made.choices or {}).values())[made.options.no_response or ""]
    if silent:
        notes.append(
            f"{silent} stimuli without a response are answered {made.options.no_response!r}, which "
            "counts as wrong"
        )
    return tuple(notes)


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - set(Options.__dataclass_fields__))
    if unknown:
        raise OptionError(
            f"Unknown option {', '.join(unknown)}; known are "
            f"{', '.join(Options.__dataclass_fields__)}."
        )
    return dict(options)
