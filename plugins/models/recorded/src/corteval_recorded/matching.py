r"""Which record belongs to which stimulus: rules that turn names into what is compared.

======================== ==========================================================================
``exact``                the stimulus id as it is
``name``                 what follows the last ``/`` or ``\``
``stem``                 the same without its last extension
``model-vs-human``       the name without ``0001_cop_s01_``, the trial, experiment and observer that
                         the image names of model-vs-human begin with
``model-vs-human-image`` the name without the condition, category and number that follow as well:
                         ``0001_s5n_s01_0_bird_00_bird3-bird2.png`` is ``bird3-bird2.png``
======================== ==========================================================================

A rule is applied to recorded names and to the ids of the stimuli shown; equal results match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from corteval.errors import OptionError

_TRIAL = re.compile(r"\d{4}_[A-Za-z0-9-]+_(?:s\d+|dnn)_")
_IMAGE = re.compile(r"\d{4}_[A-Za-z0-9-]+_(?:s\d+|dnn)_[^_]+_[A-Za-z]+_\d+_")


def rule(name: str) -> Callable[[str], str]:
    """The function of a rule.

    >>> rule("model-vs-human")("0001_cop_s01_c30_knife_10_n03041632_7380.png")
    'c30_knife_10_n03041632_7380.png'
    """
    if name not in RULES:
        raise OptionError(f"There is no rule {name!r} to match by; known are {', '.join(RULES)}.")
    return RULES[name]


def _name(text: str) -> str:
    return re.split(r"[/\\]", text)[-1]


def _stem(text: str) -> str:
    stem, dot, _ = _name(text).rpartition(".")
    return stem if dot and stem else _name(text)


def _without(prefix: re.Pattern[str]) -> Callable[[str], str]:
    return lambda text: (
        prefix.sub("", _name(text), count=1) if prefix.match(_name(text)) else _name(text)
    )


RULES: Mapping[str, Callable[[str], str]] = {
    "exact": lambda text: text,
    "name": _name,
    "stem": _stem,
    "model-vs-human": _without(_TRIAL),
    "model-vs-human-image": _without(_IMAGE),
}
