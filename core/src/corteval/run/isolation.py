"""Where the process of a model runs: beside the worker, in its own environment, in a sandbox."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal, get_args

from corteval.errors import OptionError

Isolation = Literal["none", "process"]


def check(name: str) -> str:
    """`name`, if it is a kind of isolation.

    Raises:
        OptionError: if not.
    """
    if name not in get_args(Isolation):
        raise OptionError(f"isolation is one of {', '.join(get_args(Isolation))}, not {name!r}.")
    return name


def command_for(isolation: str, model: str) -> Sequence[str]:
    """What starts the process of `model`."""
    del model
    check(isolation)
    return (sys.executable, "-m", "corteval.run.host")
