"""Names of timm's models, and what Corteval appends to them: ``-untrained`` and ``-seedN``."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import final

from corteval.errors import OptionError, UnknownIdentifier
from corteval_timm.library import timm

_MEMBER = re.compile(r"(?P<name>.+?)(?P<untrained>-untrained)?(?:-seed(?P<seed>\d{1,9}))?")

#: Tags named in messages.
_FEW = 4


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of the family.

    Args:
        architecture: as timm calls it, ``"resnet18"``.
        tag: of trained weights, ``"a1_in1k"``; empty for none.
        seed: of random weights; None if they are trained.
    """

    architecture: str
    tag: str
    seed: int | None

    @property
    def name(self) -> str:
        """What timm calls it, tag included."""
        return f"{self.architecture}.{self.tag}" if self.tag else self.architecture


def parse(text: str) -> Member:
    """The member that `text` names.

    A name without tag has random weights, one with a tag trained ones unless it ends in
    ``-untrained``. The tag of an untrained model still decides its input.

    Raises:
        UnknownIdentifier: timm has no such architecture or tag; with close matches.
        OptionError: a seed for trained weights.
    """
    found = _MEMBER.fullmatch(text)
    if found is None:
        raise UnknownIdentifier(f"timm/{text} names no model.")
    architecture, _, tag = found["name"].partition(".")
    if not timm.is_model(architecture):
        raise UnknownIdentifier(
            f"timm {timm.__version__} has no model {architecture!r}{_close(text)}"
        )
    known = tags(architecture)
    if tag and tag not in known:
        raise UnknownIdentifier(
            f"timm {timm.__version__} has no weights {tag!r} of {architecture}. "
            + (f"It has {_listed(known)}." if known else "It has none.")
        )
    if tag and not found["untrained"]:
        if found["seed"]:
            raise OptionError(
                f"timm/{text}: trained weights are not drawn, so they have no seed. Random ones "
                f"are timm/{found['name']}-untrained-seed{found['seed']}."
            )
        return Member(architecture=architecture, tag=tag, seed=None)
    return Member(architecture=architecture, tag=tag, seed=int(found["seed"] or 0))


def tags(architecture: str) -> list[str]:
    """Tags of the trained weights of `architecture`."""
    prefix = f"{architecture}."
    return [name.removeprefix(prefix) for name in timm.list_pretrained(f"{prefix}*")]


def trained_ones(architecture: str) -> str:
    """In words, where trained weights of `architecture` are."""
    known = tags(architecture)
    if not known:
        return "timm has no trained ones"
    return "trained ones: " + _listed([f"timm/{architecture}.{tag}" for tag in known])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def _close(text: str) -> str:
    """Names that `text` may have meant: the most similar ones, those that begin alike first."""
    similar = difflib.get_close_matches(text.lower(), timm.list_models(), n=20, cutoff=0.6)
    close = sorted(similar, key=lambda known: -_alike(text.lower(), known))[:3]
    if not close:
        return ". timm.list_models() lists all."
    return f". Did you mean {' or '.join(f'timm/{known}' for known in close)}?"


def _alike(a: str, b: str) -> int:
    """Number of letters with which both begin."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
