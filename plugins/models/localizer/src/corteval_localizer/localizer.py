"""Parameters of a localizer: which contrast, of which responses, and which units it selects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, final, get_args

from corteval.errors import OptionError

Pooling = Literal["whole", "last", "mean"]
Responses = Literal["signed", "absolute"]
Alternative = Literal["greater", "two-sided"]
Procedure = Literal["BH", "BY"]

#: Rises when a localizer of the same parameters selects other units.
VERSION = 1


@final
@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which units of all layers together are selected, by t and p. Exactly one rule is given.

    A unit whose t is undefined, since it responds to everything alike, is never selected. Of units
    of equal t those of the layer named first come first, and in a layer those that stand first, so
    that `top` and `fraction` select exactly as many units as they say.

    Args:
        top: so many units of the largest t.
        fraction: this share of all units, rounded down, but one at least.
        fdr: units with t > 0 whose adjusted p is at most this false discovery rate.
        procedure: of the adjustment, ``"BH"`` (Benjamini & Hochberg 1995; tests independent or
            positively dependent) or ``"BY"`` (Benjamini & Yekutieli 2001; whatever the dependence).
    """

    top: int | None = None
    fraction: float | None = None
    fdr: float | None = None
    procedure: Procedure = "BH"

    def __post_init__(self) -> None:
        rules = {"top": self.top, "fraction": self.fraction, "fdr": self.fdr}
        given = [name for name, value in rules.items() if value is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise OptionError(f"A selection has one of top, fraction and fdr; {said} was given.")
        if self.top is not None and (type(self.top) is not int or self.top < 1):
            raise OptionError(f"top is a number of units, 1 or more, not {self.top!r}.")
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise OptionError(f"fraction is above 0 and at most 1, not {self.fraction!r}.")
        if self.fdr is not None and not 0 < self.fdr < 1:
            raise OptionError(f"fdr lies between 0 and 1, not at {self.fdr!r}.")
        if self.procedure not in get_args(Procedure):
            raise OptionError(f"procedure is BH or BY, not {self.procedure!r}.")

    def __str__(self) -> str:
        if self.top is not None:
            return f"the {self.top} units of largest t"
        if self.fraction is not None:
            return f"the {100 * self.fraction:g} % of units of largest t"
        return f"units of a false discovery rate of {self.fdr:g} ({self.procedure})"


@final
@dataclass(frozen=True, kw_only=True)
class Localizer:
    """A functional localizer.

    Args:
        data: registered stimuli, shown without their conditions.
        data_options: (name, value) pairs for them.
        column: of the stimuli that says their condition.
        positive, negative: conditions; t is positive where the first has larger responses.
        pooling: ``"whole"`` takes what the subject answers to a whole stimulus; ``"last"`` its
            response to the last token, ``"mean"`` the mean over tokens. A subject whose extractor
            is no `corteval_localizer.reading.Poolable` is made to read word by word, and then it
            is the last word, and the mean over words.
        responses: ``"absolute"`` compares the sizes of responses, whatever their sign.
        tokens: cut every text to so many tokens, inserted ones counted, as far as it has them;
            None leaves texts whole. Strings of non-words have more tokens than sentences, and cut
            to the same number they have fewer words: either way something differs.
        smoothing_mm: full width at half maximum of a Gaussian in the tissue, by which responses are
            averaged over units first; None for none.
        alternative: of p; ``"greater"`` tests whether the positive condition has larger responses.
        selection: of units.
        layers: names, or a comma list with patterns such as ``"transformer.h.*"``. If None, the
            layers that the target is committed to if these are several; else the last layer of
            each block of the network; else all layers that anything is committed to.

    Raises:
        OptionError: for a value that there is not.
    """

    data: str = "Fedorenko2010.localization"
    data_options: tuple[tuple[str, str | int | float | bool], ...] = (("case", "lower"),)
    column: str = "condition"
    positive: str = "sentence"
    negative: str = "nonword"
    pooling: Pooling = "whole"
    responses: Responses = "signed"
    tokens: int | None = None
    smoothing_mm: float | None = None
    alternative: Alternative = "greater"
    selection: Selection = Selection(fraction=0.1)
    layers: str | tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, kind in (
            ("pooling", Pooling),
            ("responses", Responses),
            ("alternative", Alternative),
        ):
            value = getattr(self, name)
            if value not in get_args(kind):
                raise OptionError(f"{name} is {' or '.join(get_args(kind))}, not {value!r}.")
        if self.tokens is not None and (type(self.tokens) is not int or self.tokens < 1):
            raise OptionError(f"tokens is a number of tokens, 1 or more, not {self.tokens!r}.")
        if self.smoothing_mm is not None and not self.smoothing_mm > 0:
            raise OptionError(f"smoothing_mm is a width above 0, not {self.smoothing_mm!r}.")
        if self.positive == self.negative:
            raise OptionError(f"The two conditions are the same: {self.positive!r}.")

    def identity(self) -> dict[str, Any]:
        """What determines the units selected, as JSON types."""
        return {"version": VERSION, **asdict(self), "data_options": dict(self.data_options)}

    def __str__(self) -> str:
        extras = [
            f"pooling {self.pooling}" if self.pooling != "whole" else "",
            "of absolute responses" if self.responses == "absolute" else "",
            f"texts cut to {self.tokens} tokens" if self.tokens else "",
            f"smoothed by {self.smoothing_mm:g} mm" if self.smoothing_mm else "",
        ]
        said = [f"{self.positive} > {self.negative} of {self.data}", *filter(None, extras)]
        return f"{self.selection}, {', '.join(said)}"


#: Localizers by name: ours, and three that were published. What the sources leave to their users
#: is chosen here: the tenth of Brain-Score's ``-loc-10`` models, and one percent.
PRESETS: dict[str, Localizer] = {
    "default": Localizer(),
    # the language package of Brain-Score: last token, signed t, texts cut to 12 tokens
    "brain-score": Localizer(pooling="last", tokens=12, alternative="two-sided"),
    # llm-localization: sizes of responses at the last token
    "llm-localization": Localizer(
        pooling="last",
        responses="absolute",
        alternative="two-sided",
        selection=Selection(fraction=0.01),
    ),
    # TopoLM: mean over tokens, smoothed in the tissue, units beyond chance
    "topolm": Localizer(
        pooling="mean",
        smoothing_mm=2.0,
        alternative="two-sided",
        selection=Selection(fdr=0.05),
    ),
}


def preset(name: str) -> Localizer:
    """The localizer of this name.

    Raises:
        OptionError: names those there are.
    """
    if name not in PRESETS:
        raise OptionError(f"There is no localizer {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]
