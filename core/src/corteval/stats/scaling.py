"""Power laws of what is left to explain: loss against size, data or compute, with an asymptote.

    L = 1 - score

All fits minimise, over rows, the sum of Huber losses of log residuals, by BFGS from every point
of a grid; the lowest loss is kept. Source: spec ``models`` 7 (Gokce and Schrimpf 2024); Hoffmann
et al. 2022 (the fit).
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, final

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import student_over_normal
from corteval.notebook import Tabular, frame, table

if TYPE_CHECKING:
    import pandas as pd

#: By how much sizes are divided before they are fitted, so that coefficients are near 1.
SCALERS: Final[Mapping[str, float]] = MappingProxyType(
    {"parameters": 1e5, "samples": 1e4, "flops": 1e13}
)

#: A law of one size, one with a shift of it, and one of two sizes.
Form = Literal["plain", "shifted", "two"]

#: Parameters of each form, in the order in which they are fitted.
PARAMETERS: Final[Mapping[Form, tuple[str, ...]]] = MappingProxyType(
    {
        "plain": ("e", "a", "alpha"),
        "shifted": ("e", "a", "alpha", "lambda"),
        "two": ("e", "a", "alpha", "b", "beta"),
    }
)

#: Where the Huber loss turns from square to linear.
DELTA: Final = 1e-3

_EXPONENTS = np.arange(0, 2.1, 0.5)
_COEFFICIENTS = np.arange(0, 25.1, 5)
_GRID: Final[Mapping[str, np.ndarray]] = {
    "e": np.arange(-1, 1.1, 0.5),
    "a": _COEFFICIENTS,
    "alpha": _EXPONENTS,
    "b": _COEFFICIENTS,
    "beta": _EXPONENTS,
    "lambda": np.array([0.0]),
}

#: Of a law as a table.
_COLUMNS = ("parameter", "value", "low", "high")

#: Draws of a bootstrap that may fail: beyond a tenth there is no interval.
_FAILURES = 0.1


@final
@dataclass(frozen=True, kw_only=True)
class ScalingLaw:
    """A fitted law.

        plain:    L = E + A / X^alpha
        shifted:  L = E + A / (X + 10^lambda)^alpha
        two:      L = E + A / N^alpha + B / D^beta

    with E = exp(e), A = exp(a), B = exp(b), and X, N, D divided by `scales`.

    Args:
        form: which of the laws.
        values: of `PARAMETERS`, in their order.
        scales: of the sizes.
        objective: sum of Huber losses.
        rows: how many it was fitted to.
        replicates: (draw, parameter) values from bootstrap draws of rows; NaN where a fit failed.
    """

    form: Form
    values: tuple[float, ...]
    scales: tuple[float, ...]
    objective: float
    rows: int
    replicates: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row a parameter, with its 95 % interval if it was fitted to draws as well."""
        return frame(self._parameters())

    def _repr_html_(self) -> str:
        title = (
            f"Scaling law ({self.form}) of {self.rows} rows: loss {self.asymptote:.4g} is left at "
            "any size"
        )
        words = dict.fromkeys(("low", "high"), "no interval")
        return table(self._parameters(), title=title, missing=words)

    def _parameters(self) -> list[dict[str, Any]]:
        bounds: Mapping[str, tuple[float, float]] = {}
        with contextlib.suppress(UndefinedScore):
            bounds = self.intervals()
        none = (float("nan"),) * 2
        return [
            dict(zip(_COLUMNS, (name, v, *bounds.get(name, none)), strict=True))
            for name, v in zip(PARAMETERS[self.form], self.values, strict=True)
        ]

    def __getitem__(self, name: str) -> float:
        """A parameter by name."""
        return dict(zip(PARAMETERS[self.form], self.values, strict=True))[name]

    @property
    def asymptote(self) -> float:
        """E: the loss that is left at any size; scores saturate at 1 - E."""
        return float(np.exp(self["e"]))

    def loss(self, *sizes: Sequence[float] | np.ndarray) -> np.ndarray:
        """Predicted loss at `sizes`, one array for each of the law's variables."""
        logs = [np.log(_scaled(x, s)) for x, s in zip(sizes, self.scales, strict=True)]
        return np.asarray(np.exp(_log_loss(self.form, np.array(self.values), logs)))

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Percentile interval of each parameter over the bootstrap draws.

        Rows that are seeds of one architecture are no independent draws: intervals are then too
        narrow. Of independent rows, 10 or 20, intervals of 95 % covered 92 to 98 %; so did those of
        laws with a shift (25 rows) and of two sizes (30): ``tests/test_calibration_scaling.py``.

        Raises:
            UndefinedScore: without draws, or if over a tenth of the fits failed.
        """
        kept = self.replicates[np.isfinite(self.replicates).all(axis=1)]
        if len(kept) < 2 or len(kept) < (1 - _FAILURES) * len(self.replicates):
            raise UndefinedScore(
                f"{len(kept)} of {len(self.replicates)} bootstrap fits came out: no intervals. "
                "Fit with resamples=1000, or to more rows."
            )
        low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return {
            name: (float(low[n]), float(high[n])) for n, name in enumerate(PARAMETERS[self.form])
        }

    def band(
        self, *sizes: Sequence[float] | np.ndarray, level: float = 0.95
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pointwise band of the loss from percentiles of the bootstrap draws of its log.

            fit + k (draws - median),    k = sqrt(n / (n - p)) t(level, n - p) / z(level)

        with n rows and p parameters. Of 10 or 20 rows, bands of 95 % covered 90 to 100 %, where
        percentiles without k covered 83 to 97 %.

        Raises:
            UndefinedScore: as `intervals`.
        """
        self.intervals(level)  # raises where there is none
        logs = [np.log(_scaled(x, s)) for x, s in zip(sizes, self.scales, strict=True)]
        kept = self.replicates[np.isfinite(self.replicates).all(axis=1)]
        drawn = np.array([_log_loss(self.form, values, logs) for values in kept])
        tails = [(1 - level) / 2, (1 + level) / 2]
        freedom = self.rows - len(self.values)
        stretch = np.sqrt(self.rows / freedom) * student_over_normal(tails[0], float(freedom))
        fitted = _log_loss(self.form, np.array(self.values), logs)
        low, high = np.exp(
            fitted + stretch * np.quantile(drawn - np.median(drawn, axis=0), tails, axis=0)
        )
        return low, high


@final
@dataclass(frozen=True, kw_only=True)
class Allocation(Tabular):
    """How compute is best divided between model size N and samples D.

        N = G (C / k)^model_exponent,    D = (C / k)^data_exponent / G,    N D = C / k

    Args:
        model_exponent: beta / (alpha + beta).
        data_exponent: alpha / (alpha + beta).
        factor: G = (alpha A / (beta B))^(1 / (alpha + beta)), of scaled N and D.
    """

    model_exponent: float
    data_exponent: float
    factor: float

    def row(self) -> dict[str, Any]:
        """Exponents and factor."""
        return asdict(self)

    def at(self, product: float) -> tuple[float, float]:
        """Scaled N and D with the lowest loss whose product is `product`."""
        n = self.factor * product**self.model_exponent
        return n, product**self.data_exponent / self.factor


def fit_scaling(
    loss: Sequence[float] | np.ndarray,
    *sizes: Sequence[float] | np.ndarray,
    form: Form = "plain",
    scales: Sequence[float] = (),
    starts: Sequence[Sequence[float]] | np.ndarray | None = None,
    resamples: int = 0,
    seed: int = 42,
) -> ScalingLaw:
    """The law that fits `loss` at `sizes` best.

        sum_i Huber_delta(log L_i - log L(X_i)),    delta = 1e-3

    log L is computed as log(exp(a - alpha log X) + exp(e)). Starting points are all combinations of
    e in -1, -.5, ..., 1; a and b in 0, 5, ..., 25; alpha and beta in 0, .5, ..., 2. Bootstrap
    draws of rows, from ``default_rng(seed)``, are fitted from the parameters of the whole, not from
    the grid.

    Args:
        loss: (row) 1 - score, positive.
        sizes: (row) parameters, samples or operations, positive; two of them for ``"two"``.
        form: of the law.
        scales: what sizes are divided by, see `SCALERS`; 1 by default.
        starts: (start, parameter) other starting points than the grid, which has 150 for one size
            and 4,500 for two (about a minute).
        resamples: bootstrap draws; 0 for none.
        seed: of the draws.

    Raises:
        OptionError: if the number or length of the arrays is wrong, or a value is not positive.
        UndefinedScore: with fewer rows than parameters plus one, if a size does not vary, or no fit
            comes out.
    """
    target, logs, scales = _checked(loss, sizes, form, scales)
    if starts is None:
        starts = [*itertools.product(*(_GRID[name] for name in PARAMETERS[form]))]
    values, objective = _best(form, target, logs, _points(form, starts))
    drawn = np.full((resamples, len(values)), np.nan)
    rng = np.random.default_rng(seed)
    for number in range(resamples):
        rows = rng.integers(0, len(target), len(target))
        try:
            drawn[number], _ = _best(form, target[rows], [x[rows] for x in logs], values[None])
        except UndefinedScore:
            continue
    return ScalingLaw(
        form=form,
        values=tuple(values.tolist()),
        scales=tuple(scales),
        objective=objective,
        rows=len(target),
        replicates=drawn,
    )


def optimal_allocation(law: ScalingLaw) -> Allocation:
    """Where, along a fixed product of N and D, the law of two sizes has its lowest loss.

    Raises:
        OptionError: if `law` is not of form ``"two"``.
        UndefinedScore: if an exponent is not positive: more is then never better.
    """
    if law.form != "two":
        raise OptionError(f"An allocation is between two sizes; this law is {law.form!r}.")
    alpha, beta = law["alpha"], law["beta"]
    if alpha <= 0 or beta <= 0:
        raise UndefinedScore(
            f"alpha = {alpha:g} and beta = {beta:g}: the best division needs both above 0."
        )
    total = alpha + beta
    ratio = np.log(alpha / beta) + law["a"] - law["b"]
    return Allocation(
        model_exponent=beta / total,
        data_exponent=alpha / total,
        factor=float(np.exp(ratio / total)),
    )


def training_flops(macs: float | np.ndarray, samples: float | np.ndarray) -> float | np.ndarray:
    """Operations of training: 3 (forward and twice as much backward) x 2 x MACs x samples seen."""
    return 3 * 2 * macs * samples


def _checked(
    loss: Sequence[float] | np.ndarray,
    sizes: Sequence[Sequence[float] | np.ndarray],
    form: Form,
    scales: Sequence[float],
) -> tuple[np.ndarray, list[np.ndarray], Sequence[float]]:
    """Log loss, logs of scaled sizes, and their scales."""
    if form not in PARAMETERS:
        raise OptionError(f"form is one of {', '.join(PARAMETERS)}, not {form!r}.")
    wanted = 2 if form == "two" else 1
    scales = scales or [1.0] * wanted
    if len(sizes) != wanted or len(scales) != wanted:
        raise OptionError(
            f"A law of form {form!r} has {wanted} sizes, each with a scale; given are {len(sizes)} "
            f"sizes and {len(scales)} scales."
        )
    values = np.asarray(loss, np.float64).ravel()
    columns = [_scaled(x, s) for x, s in zip(sizes, scales, strict=True)]
    if any(len(x) != len(values) for x in columns):
        counts = ", ".join(str(len(x)) for x in columns)
        raise OptionError(f"There are {len(values)} losses, but {counts} sizes.")
    for what, column in (("loss", values), *(("size", x) for x in columns)):
        if not (np.isfinite(column) & (column > 0)).all():
            row = int(np.argmin(np.isfinite(column) & (column > 0)))
            raise OptionError(
                f"Each {what} is a number above 0; in row {row} it is {column[row]:g}. Leave out "
                "rows whose score is missing or 1 or more."
            )
    if len(values) <= len(PARAMETERS[form]):
        raise UndefinedScore(
            f"{len(values)} rows: a law of {len(PARAMETERS[form])} parameters needs more."
        )
    for column in columns:
        if np.ptp(column) == 0:
            raise UndefinedScore("A size is the same in all rows: nothing tells how it matters.")
    return np.log(values), [np.log(x) for x in columns], scales


def _points(form: Form, starts: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    points = np.asarray(starts, np.float64)
    if points.ndim != 2 or not len(points) or points.shape[1] != len(PARAMETERS[form]):
        raise OptionError(
            f"Starting points are rows of {', '.join(PARAMETERS[form])}; given is an array of "
            f"shape {points.shape}."
        )
    return points


def _scaled(size: Sequence[float] | np.ndarray, scale: float) -> np.ndarray:
    return np.asarray(size, np.float64).ravel() / scale


def _terms(form: Form, values: np.ndarray, logs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Logs of the summands of a law, (row) each; that of the asymptote is first."""
    e, a, alpha = values[:3]
    size = logs[0]
    if form == "shifted":
        size = np.logaddexp(size, values[3] * np.log(10))
    terms = [np.full_like(size, e), a - alpha * size]
    return [*terms, values[3] - values[4] * logs[1]] if form == "two" else terms


def _log_loss(form: Form, values: np.ndarray, logs: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(np.logaddexp.reduce(_terms(form, values, logs), axis=0))


def _objective(
    form: Form, target: np.ndarray, logs: Sequence[np.ndarray]
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Sum of Huber losses of log residuals, and its gradient."""

    def value(values: np.ndarray) -> tuple[float, np.ndarray]:
        terms = np.array(_terms(form, values, logs))
        fitted = np.logaddexp.reduce(terms, axis=0)
        residual = target - fitted
        inside = np.abs(residual) <= DELTA
        losses = np.where(inside, residual**2 / 2, DELTA * (np.abs(residual) - DELTA / 2))
        slope = -np.clip(residual, -DELTA, DELTA)  # of the loss by the fitted log
        shares = np.exp(terms - fitted)  # of the fitted log by each term
        size = logs[0]
        parts = [shares[0], shares[1]]
        if form == "shifted":
            shift = values[3] * np.log(10)
            size = np.logaddexp(size, shift)
            moved = -values[2] * shares[1] * np.exp(shift - size) * np.log(10)
            parts += [-size * shares[1], moved]
        else:
            parts.append(-size * shares[1])
        if form == "two":
            parts += [shares[2], -logs[1] * shares[2]]
        return float(losses.sum()), np.array(parts) @ slope

    return value


def _best(
    form: Form, target: np.ndarray, logs: Sequence[np.ndarray], starts: np.ndarray
) -> tuple[np.ndarray, float]:
    """Parameters of the lowest loss that BFGS finds from any of `starts`, (start, parameter)."""
    from scipy.optimize import minimize

    objective = _objective(form, target, logs)
    best, lowest = None, np.inf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for start in starts:
            found = minimize(objective, start, jac=True, method="BFGS")
            if np.isfinite(found.fun) and found.fun < lowest and np.isfinite(found.x).all():
                best, lowest = found.x, float(found.fun)
    if best is None:
        raise UndefinedScore("No fit came out: losses or sizes are too extreme for a power law.")
    return np.asarray(best), lowest
