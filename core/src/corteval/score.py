"""Scores: a normalised value with its raw estimate, ceiling, interval and provenance.

Normalisations (r: raw score, c: ceiling; spec ``metrics`` 2.4, ``statistics`` S8):

==========================  =====================================================================
``r/c``                     a score over the same score of the data with themselves
``r^2/c``                   explained variance over reliability; r correlation, c Spearman-Brown
                            reliability; computed as ``r|r|/c``, so anti-correlation stays negative
``r/sqrt(c)``               correlation with the noiseless response, by explicit name only
``(r/c)^2``                 legacy (field before 2025-12), by explicit name only; sign of r kept
``r^2/sqrt(c)``             legacy mistake (a perfect model scores sqrt(c)), by explicit name only
``(acc-chance)/(c-chance)`` accuracy above chance over that of the ceiling
==========================  =====================================================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from corteval.errors import OptionError, ScoreFormatError, UndefinedScore
from corteval.intervals import Interval, Replicates, interval_of
from corteval.notebook import Tabular, facts

if TYPE_CHECKING:
    import xarray as xr

#: Of the summary that the command line prints, and of the full record.
SCHEMA = "corteval.score/1"
RECORD_SCHEMA = "corteval.record/1"

Status = Literal["scored", "undefined", "not-applicable", "failed"]

#: What a number is. ``reliability`` is the share of variance over stimuli that another sample of
#: the same trials would reproduce (Spearman-Brown corrected halves, ncsnr): only ceilings are one.
#: ``variance`` is a share of variance explained; ``log likelihood`` a gain in nats.
Quantity = Literal[
    "correlation", "similarity", "accuracy", "variance", "log likelihood", "reliability"
]

NORMALIZATIONS: dict[str, Callable[[Any, Any, float], Any]] = {
    "r/c": lambda r, c, chance: r / c,
    "r^2/c": lambda r, c, chance: r * abs(r) / c,
    "r/sqrt(c)": lambda r, c, chance: r / np.sqrt(c),
    "r^2/sqrt(c)": lambda r, c, chance: r * abs(r) / np.sqrt(c),
    "(r/c)^2": lambda r, c, chance: (r / c) * abs(r / c),
    "(acc-chance)/(c-chance)": lambda r, c, chance: (r - chance) / (c - chance),
}

_NORMALIZATION_OF: dict[tuple[Quantity, Quantity], str] = {
    ("correlation", "correlation"): "r/c",
    ("correlation", "reliability"): "r^2/c",
    ("similarity", "similarity"): "r/c",
    ("variance", "variance"): "r/c",
    ("variance", "reliability"): "r/c",
    ("log likelihood", "log likelihood"): "r/c",
    ("accuracy", "accuracy"): "(acc-chance)/(c-chance)",
}


@final
@dataclass(frozen=True, kw_only=True)
class Estimate(Tabular):
    """A number, its spread, and what it is.

    Args:
        value: the estimate.
        error: its spread as `method` defines it; not a confidence bound unless that says so.
        method: how value and error were got, in words.
        quantity: what the number is; the normalisation follows from those of raw and ceiling.
        replicates: of the value, for each way of resampling. Where two factors are drawn
            together, each is also drawn alone: `interval_of` needs all three.
        splits: SHA-256 of the train and test sets behind it, empty if there are none. A score and
            its ceiling may not use different ones.
    """

    value: float
    error: float | None = None
    method: str = ""
    quantity: Quantity = "similarity"
    replicates: tuple[Replicates, ...] = field(default=(), repr=False)
    splits: str = ""

    words: ClassVar[Mapping[str, str]] = dict.fromkeys(("low", "high"), "no interval")

    def row(self) -> dict[str, Any]:
        """Value, spread, 95 % interval and how they came."""
        interval = interval_of(self.value, self.replicates)
        return {
            "quantity": self.quantity,
            "value": self.value,
            "error": math.nan if self.error is None else self.error,
            "low": math.nan if interval is None else interval.low,
            "high": math.nan if interval is None else interval.high,
            "scope": "" if interval is None else interval.scope,
            "method": self.method,
        }


@final
@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a score was computed from and with.

    Args:
        versions: of Python, libraries and plugins, by distribution name.
        cards: version of every card used, by ``kind/identifier``; it rises when scores change.
        options: what the caller set beyond the cards, by ``kind/identifier``.
        digests: SHA-256 of stimuli and assemblies, by role.
        seed: of everything random.
        access: who may have the data, by identifier: ``"public"``, ``"on request"``, ``"private"``.
        device: where the model ran.
        seconds: wall-clock time.
        started: ISO 8601, UTC.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    access: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    seconds: float | None = None
    started: str = ""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Score(Tabular):
    """Result of a model on a benchmark, or of a metric on two assemblies.

    Args:
        value: ceiling-normalised; never clipped; NaN unless `status` is ``"scored"``.
        raw: before normalisation.
        ceiling: what the data allow.
        samples: raw values per neuroid, split, subject, as far as the metric has them.
        further: other quantities of the same comparison, by name, such as ``"pooled R2"``.
        interval: of `value`.
        normalization: key of `NORMALIZATIONS`.
        chance: accuracy of guessing that the normalisation took off.
        status: anything but ``"scored"`` has a `reason`.
        reason: why there is no value.
        notes: what a reader must know to read the value rightly.
        provenance: inputs and environment.
        model, benchmark: identifiers.
    """

    value: float
    raw: Estimate | None = None
    ceiling: Estimate | None = None
    samples: xr.DataArray | None = None
    interval: Interval | None = None
    normalization: str = ""
    chance: float = 0.0
    status: Status = "scored"
    reason: str = ""
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = None
    model: str = ""
    benchmark: str = ""
    further: Mapping[str, Estimate] = field(default_factory=dict)

    @classmethod
    def unscored(cls, status: Status, reason: str, **fields: Any) -> Score:
        """A score without value, for `reason`."""
        return cls(value=math.nan, status=status, reason=reason, **fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Score) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, numbers at full precision, non-finite ones as text.

        It holds everything, values of single neuroids included: what of a score on private data
        may leave the lab is `corteval.sharing.redacted(score).to_json()`.
        """
        content = {
            "schema": RECORD_SCHEMA,
            **{name: getattr(self, name) for name in _PLAIN},
            **{
                name: None if part is None else asdict(part)
                for name in _PARTS
                for part in [getattr(self, name)]
            },
            "samples": _array_to_json(self.samples),
        }
        if self.further:  # records without any stay what they were
            content["further"] = {name: asdict(part) for name, part in self.further.items()}
        return json.dumps(_finite(content), sort_keys=True, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Score:
        """Inverse of `to_json`, exact.

        Raises:
            ScoreFormatError: if `text` is not what `to_json` writes.
        """
        try:
            content = json.loads(text)
            if content.get("schema") != RECORD_SCHEMA:
                raise ScoreFormatError(
                    f"Expected JSON of schema {RECORD_SCHEMA!r}, found {content.get('schema')!r}."
                )
            parts: dict[str, Any] = {
                name: None if content[name] is None else part(**_numbers(content[name], part))
                for name, part in _PARTS.items()
            }
            plain: dict[str, Any] = {name: content[name] for name in _PLAIN}
            plain |= {"value": float(plain["value"]), "chance": float(plain["chance"])}
            plain |= {"notes": tuple(plain["notes"])}
            further = {
                name: Estimate(**_numbers(part, Estimate))
                for name, part in content.get("further", {}).items()
            }
            samples = _array_from_json(content["samples"])
            return cls(**plain, **parts, samples=samples, further=further)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ScoreFormatError(f"This is not the JSON of a score: {error!r}") from error

    def summary(self) -> dict[str, Any]:
        """The facts people ask for, as JSON types: the payload of ``corteval score --json``."""
        facts = {
            "schema": SCHEMA,
            "model": self.model,
            "benchmark": self.benchmark,
            "status": self.status,
            "value": self.value,
            "raw": _estimate_summary(self.raw),
            "ceiling": _estimate_summary(self.ceiling),
            "normalization": self.normalization or None,
            "interval": None if self.interval is None else asdict(self.interval),
            "further": {name: _further_summary(part) for name, part in self.further.items()},
            "reason": self.reason or None,
            "notes": list(self.notes),
            "provenance": None if self.provenance is None else asdict(self.provenance),
        }
        return {name: _null_for_nan(fact) for name, fact in facts.items()}

    def row(self) -> dict[str, Any]:
        """Model, benchmark, status, value, low, high, raw, ceiling and how they came."""
        interval, raw, ceiling = self.interval, self.raw, self.ceiling
        return {
            "model": self.model,
            "benchmark": self.benchmark,
            "status": self.status,
            "value": self.value,
            "low": math.nan if interval is None else interval.low,
            "high": math.nan if interval is None else interval.high,
            "raw": math.nan if raw is None else raw.value,
            "ceiling": math.nan if ceiling is None else ceiling.value,
            "normalization": self.normalization,
            "reason": self.reason,
        }

    def __repr__(self) -> str:
        name = " on ".join(part for part in (self.model, self.benchmark) if part) or "unnamed"
        if self.status != "scored":
            return f"<Score {name}: {self.status}: {self.reason}>"
        bounds = f" [{self.interval.low:.3f}, {self.interval.high:.3f}]" if self.interval else ""
        return f"<Score {name}: {self.value:.3f}{bounds} ({self.normalization or 'raw'})>"

    def _repr_html_(self) -> str:
        scored, i = self.status == "scored", self.interval
        told = {
            "model": self.model or "unnamed",
            "benchmark": self.benchmark or "unnamed",
            "status": self.status.replace("-", " "),
            "score": f"{self.value:.4f} ({self.normalization or 'raw'})" if scored else "no score",
            "interval": "no interval",
        }
        if i is not None:
            told["interval"] = f"{i.low:.4f} to {i.high:.4f} ({i.level:.0%}, over {i.scope})"
        for name, estimate in (("raw", self.raw), ("ceiling", self.ceiling)):
            if estimate is not None:
                told[name] = f"{estimate.value:.4f} ({estimate.method or 'method not given'})"
        told |= {"reason": self.reason} if self.reason else {}
        told |= {f"note {n}": note for n, note in enumerate(self.notes, start=1)}
        return facts("Score", told)


_NO_REPLICATES = "no interval: the metric was asked for no bootstrap replicates"
_PLAIN = ("value", "normalization", "chance", "status", "reason", "notes", "model", "benchmark")
_PARTS: dict[str, type[Any]] = {
    "raw": Estimate,
    "ceiling": Estimate,
    "interval": Interval,
    "provenance": Provenance,
}


#: A ceiling that was published: the number, or number and quantity.
Published = float | tuple[float, Quantity]


def published(ceiling: Published, quantity: Quantity) -> Estimate:
    """A ceiling that cannot be computed from the data at hand, without uncertainty.

    Args:
        ceiling: as a card gives it.
        quantity: what it is, if that does not say so.

    Raises:
        OptionError: if it is not above 0.
    """
    value, kind = ceiling if isinstance(ceiling, tuple) else (ceiling, quantity)
    if not (isinstance(value, int | float) and value > 0):
        raise OptionError(f"A published ceiling is a number above 0, not {value!r}.")
    method = "a published constant, which the data at hand do not give; its error is not known"
    return Estimate(value=float(value), method=method, quantity=kind)


def normalization_for(raw: Quantity, ceiling: Quantity) -> str:
    """Name of the normalisation that fits a raw score and a ceiling of the given quantities."""
    try:
        return _NORMALIZATION_OF[raw, ceiling]
    except KeyError:
        raise OptionError(
            f"No normalisation relates a {raw} score to a {ceiling} ceiling; known pairs: "
            f"{', '.join(f'{r} with {c}' for r, c in _NORMALIZATION_OF)}."
        ) from None


def check_normalization(name: str | None) -> None:
    """Whether `name` is a key of `NORMALIZATIONS`, or None.

    Raises:
        OptionError: if it is not; names those there are.
    """
    if name is not None and name not in NORMALIZATIONS:
        raise OptionError(f"Unknown normalisation {name!r}; known: {', '.join(NORMALIZATIONS)}.")


def normalize(
    score: Score,
    ceiling: Estimate,
    *,
    normalization: str | None = None,
    chance: float = 0.0,
    level: float = 0.95,
) -> Score:
    """`score` divided by `ceiling`, with the interval of the ratio from joint replicates.

    Replicate ``b`` of the ratio is ``f(raw_b, ceiling_b)``, where f is the normalisation, so the
    ceiling's uncertainty is part of the interval. It is undefined where the ceiling leaves nothing
    to normalise by: with over a tenth of these, the interval has no end and is not given.

    Args:
        score: with a raw estimate.
        ceiling: of the same data.
        normalization: key of `NORMALIZATIONS`; None derives it from both quantities.
        chance: accuracy of guessing, for accuracies.
        level: nominal coverage, between 0 and 1.

    Raises:
        UndefinedScore: if the ceiling leaves nothing to normalise by.
        OptionError: if score and ceiling were cross-validated on different splits.
    """
    if not isinstance(score, Score) or not isinstance(ceiling, Estimate):
        raise OptionError(
            f"normalize takes a Score and the Estimate of a ceiling, not a {type(score).__name__} "
            f"and a {type(ceiling).__name__}."
        )
    if not 0 < level < 1:
        raise OptionError(f"The level of an interval lies between 0 and 1, not at {level}.")
    if score.ceiling is not None:
        raise OptionError(f"The score is normalised already, by {score.normalization}.")
    raw = score.raw
    if raw is None:
        raise UndefinedScore("The score has no raw estimate to normalise.")
    name = normalization or normalization_for(raw.quantity, ceiling.quantity)
    check_normalization(name)
    if raw.splits and ceiling.splits and raw.splits != ceiling.splits:
        raise OptionError(
            "Score and ceiling were cross-validated on different splits "
            f"({raw.splits[:12]} and {ceiling.splits[:12]}); give both the same options."
        )
    floor = chance if "chance" in name else 0.0
    if not ceiling.value > floor:
        raise UndefinedScore(
            f"The data's ceiling is {ceiling.value:.4g}, not above {floor:.4g}: the responses are "
            "not reliable enough to score any model on."
        )
    value = float(NORMALIZATIONS[name](raw.value, ceiling.value, chance))
    ratios, remark = _ratios(name, raw, ceiling, chance)
    interval = interval_of(value, ratios, level=level, remark=remark)
    notes = score.notes
    if interval is None:
        notes += (
            "no interval: over a tenth of the bootstrap replicates are undefined, most often "
            "because the ceiling is hardly above zero"
            if raw.replicates
            else _NO_REPLICATES,
        )
    if interval is not None and "subjects" not in interval.scope:
        notes += ("the interval does not generalise to new subjects",)
    return replace(
        score,
        value=value,
        ceiling=ceiling,
        normalization=name,
        chance=chance,
        interval=interval,
        notes=notes,
    )


def unnormalized(score: Score, reason: str, *, level: float = 0.95) -> Score:
    """`score` as it is, with its interval, for data whose ceiling nobody can know.

    Args:
        score: with a raw estimate.
        reason: why there is no ceiling; becomes a note.
        level: nominal coverage, between 0 and 1.
    """
    if score.raw is None:
        raise UndefinedScore("The score has no raw estimate.")
    interval = interval_of(score.raw.value, score.raw.replicates, level=level)
    notes = (*score.notes, f"not normalised: {reason}")
    if interval is None:
        notes += (
            "no interval: over a tenth of the bootstrap replicates are undefined"
            if score.raw.replicates
            else _NO_REPLICATES,
        )
    if interval is not None and "subjects" not in interval.scope:
        notes += ("the interval does not generalise to new subjects",)
    return replace(score, value=score.raw.value, interval=interval, notes=notes)


def normalized_replicates(score: Score) -> tuple[Replicates, ...]:
    """Replicates of a normalised score's value, resampled jointly with its ceiling.

    Raises:
        OptionError: if it has a ceiling and no normalisation.
    """
    if score.raw is None or score.ceiling is None:
        return () if score.raw is None else score.raw.replicates
    return _ratios(score.normalization, score.raw, score.ceiling, score.chance)[0]


def _ratios(
    name: str, raw: Estimate, ceiling: Estimate, chance: float
) -> tuple[tuple[Replicates, ...], str]:
    """Replicates of the normalised score, and how the ceiling takes part in them.

    Raises:
        OptionError: if `name` is no normalisation, as of a score put together by hand.
    """
    if name not in NORMALIZATIONS:
        raise OptionError(
            f"The score has a ceiling, but is normalised by {name!r}, not by one of "
            f"{', '.join(NORMALIZATIONS)}. `corteval.score.normalize` makes a score with a ceiling."
        )
    below = {r.scope: r for r in ceiling.replicates}
    floor = chance if "chance" in name else 0.0
    ratios, remark = [], "ceiling held fixed"
    for above in raw.replicates:
        mate = below.get(above.scope)
        divisor = np.full(len(above.values), ceiling.value)
        if mate is not None and len(mate.values) == len(above.values):
            divisor = np.array(mate.values)
            alike = mate.draw == above.draw
            remark = "jointly with the ceiling" if alike else "ceiling drawn apart from the score"
        with np.errstate(divide="ignore", invalid="ignore"):
            values = NORMALIZATIONS[name](np.array(above.values), divisor, chance)
        values = np.where((divisor > floor) & np.isfinite(values), values, np.nan)
        ratios.append(replace(above, values=tuple(values.tolist())))
    return tuple(ratios), remark


def _estimate_summary(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {name: v for name, v in asdict(estimate).items() if name != "replicates"}


def _further_summary(estimate: Estimate) -> dict[str, Any]:
    interval = interval_of(estimate.value, estimate.replicates)
    return {
        **(_estimate_summary(estimate) or {}),
        "interval": None if interval is None else asdict(interval),
    }


def _finite(content: Any) -> Any:
    """JSON has no NaN or infinity: they become text."""
    if isinstance(content, float) and not math.isfinite(content):
        return repr(content)
    if isinstance(content, Mapping):
        return {str(name): _finite(value) for name, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_finite(value) for value in content]
    return content


def _null_for_nan(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, Mapping):
        return {name: _null_for_nan(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_null_for_nan(value) for value in content]
    return content


def _numbers(content: dict[str, Any], part: type[Any]) -> dict[str, Any]:
    """Undo `_finite` in the fields of a part that are numbers."""
    fixed = dict(content)
    for name in {"value", "error", "low", "high", "level", "seconds"} & set(fixed):
        fixed[name] = None if fixed[name] is None else float(fixed[name])
    if part is Estimate:
        fixed["replicates"] = tuple(
            Replicates(
                scope=r["scope"],
                sizes=tuple(r["sizes"]),
                values=tuple(float(v) for v in r["values"]),
                median=bool(r["median"]),
                seed=int(r["seed"]),
                draw=str(r["draw"]),
            )
            for r in fixed["replicates"]
        )
    return fixed


def _array_to_json(array: xr.DataArray | None) -> dict[str, Any] | None:
    if array is None:
        return None
    columns = {"": array, **{str(n): c for n, c in array.coords.items()}}
    return {
        "dims": [str(d) for d in array.dims],
        "variables": {
            name: {
                "dims": [str(d) for d in variable.dims],
                "dtype": "text" if variable.dtype.kind in "OUST" else variable.dtype.str,
                "values": variable.values.ravel().tolist(),
                "shape": list(variable.shape),
            }
            for name, variable in columns.items()
        },
    }


def _array_from_json(content: dict[str, Any] | None) -> xr.DataArray | None:
    if content is None:
        return None
    import xarray as xr

    arrays = {}
    for name, variable in content["variables"].items():
        text = variable["dtype"] == "text"
        dtype = np.dtype(str if text else variable["dtype"])
        if dtype.kind not in "fiubU":
            raise ScoreFormatError(f"Samples of type {dtype} are not read.")
        values = np.array(
            [float(v) for v in variable["values"]] if dtype.kind == "f" else variable["values"]
        )
        arrays[name] = (
            variable["dims"],
            values.astype(dtype if not text else values.dtype).reshape(variable["shape"]),
        )
    _, values = arrays.pop("")
    return xr.DataArray(values, dims=content["dims"], coords=arrays)
