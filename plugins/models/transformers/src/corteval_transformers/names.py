"""Names of members: a repository or folder, and ``-untrained`` and ``-seedN`` after it."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import final

from corteval.errors import OptionError

_MEMBER = re.compile(r"(?P<name>.+?)(?P<untrained>-untrained)?(?:-seed(?P<seed>\d{1,9}))?")


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of the family.

    Args:
        name: of the repository or folder.
        seed: of random weights; None if they are trained.
    """

    name: str
    seed: int | None


def parse(text: str, seed: int | None = None) -> Member:
    """The member that `text` names.

    Args:
        text: ``gpt2``, ``gpt2-untrained``, ``gpt2-untrained-seed3``.
        seed: says the same as ``-seedN``.

    Raises:
        OptionError: a seed for trained weights, or two seeds.
    """
    found = _MEMBER.fullmatch(text)
    if found is None or (found["seed"] and not found["untrained"]):
        raise OptionError(
            f"hf/{text}: trained weights are not drawn, so they have no seed. Random ones are "
            f"hf/{found['name'] if found else text}-untrained-seed1."
        )
    if not found["untrained"]:
        if seed is not None:
            raise OptionError(f"hf/{text}: seed={seed}, but only random weights are drawn.")
        return Member(name=found["name"], seed=None)
    if found["seed"] and seed not in (None, int(found["seed"])):
        raise OptionError(f"hf/{text} names one seed and the option seed={seed} another.")
    return Member(name=found["name"], seed=int(found["seed"] or seed or 0))


def folder_of(name: str, folder: Path | str | None) -> Path | None:
    """The local folder of a model; None if it is a repository of the hub.

    Args:
        name: a folder below the current one that holds a ``config.json`` is taken as such.
        folder: anywhere; a relative or absolute path.

    Raises:
        OptionError: if `folder` holds no model.
    """
    if folder is None:
        near = Path(name)
        return near.resolve() if (near / "config.json").is_file() else None
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise OptionError(
            f"hf/{name}: there is no folder {path} on {socket.gethostname()}. Processes of a run "
            "find it where all machines see it under this path."
        )
    if not (path / "config.json").is_file():
        raise OptionError(
            f"{path} holds no config.json, so it is no folder that save_pretrained wrote."
        )
    return path


def files_of(member: str, folder: Path | str | None = None) -> list[Path]:
    """The local folder that ``hf/<member>`` is made of, if it is one.

    Raises:
        OptionError: a seed for trained weights, or `folder` holds no model.
    """
    found = folder_of(parse(member).name, folder)
    return [] if found is None else [found]
