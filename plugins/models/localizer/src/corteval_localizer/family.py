"""Builds the members of the family ``localized/[preset/]<model>``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from corteval import model_options, registry
from corteval.commitment import LayerCommitment
from corteval.errors import OptionError
from corteval_localizer.localizer import PRESETS, Localizer, Selection, preset
from corteval_localizer.units import localized

_CONTROL = re.compile(r"random(\d*)")
_OPTIONS = tuple(sorted(f.name for f in fields(Localizer)))
_OF_SELECTION = ("top", "fraction", "fdr", "procedure")


def build(member: str, *, target: str = "language_system", **options: Any) -> LayerCommitment:
    """A model whose `target` is answered by the units that a localizer selects.

    ``localized/gpt2`` uses the default localizer, ``localized/topolm/gpt2`` the preset of that name
    and ``localized/random3/gpt2`` or ``localized/topolm/random3/gpt2`` as many random units (seed
    3) in each layer.

    Args:
        member: of the family.
        target: that the selected units answer.
        options: arguments of `Localizer` laid over the preset; ``top``, ``fraction``, ``fdr`` and
            ``procedure`` of its selection; all others are the model's, such as ``folder``.

    Raises:
        OptionError: for a model that is not made of layers, or an option that there is not.
    """
    name, control, rest = _split(member)
    own, passed = _divided(options)
    _check(rest, passed)
    subject = registry.models.create(rest, **passed)
    if not isinstance(subject, LayerCommitment):
        raise OptionError(
            f"localized/{member}: {rest} is a {type(subject).__name__}, which is not made of "
            "layers, so that there are no units to select."
        )
    if "text" not in subject.modalities:
        raise OptionError(
            f"localized/{member}: {rest} does not read. Of a subject that sees, units are "
            "localized by corteval_localizer.localized(subject, Localizer(data=...))."
        )
    text_only = replace(subject, modalities=frozenset({"text"}))
    return localized(
        text_only,
        _changed(preset(name), own),
        target=target,
        control=control,
        identifier=f"localized/{member}",
    )


def files_of(member: str, **options: Any) -> tuple[Path, ...]:
    """What the model is made of whose units are selected."""
    return registry.own_files(models_of(member, **options)[0])


def models_of(member: str, **options: Any) -> tuple[str]:
    """The model whose units are selected, with the options that are its own."""
    return (model_options.named(_split(member)[2], _divided(options)[1]),)


def _divided(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the localizer, and those of the model."""
    known = {*_OPTIONS, *_OF_SELECTION, "target"}
    own = {name: value for name, value in options.items() if name in known}
    return own, {name: value for name, value in options.items() if name not in known}


def _check(model: str, options: Mapping[str, Any]) -> None:
    """Whether the model takes the options that the localizer does not.

    Raises:
        OptionError: names those that either takes.
    """
    if not options:
        return
    try:
        registry.models.check_options(model_options.named(model, options))
    except TypeError:  # objects, which nobody writes behind a name
        return
    except OptionError as error:
        raise OptionError(
            f"A localizer has no option {', '.join(sorted(options))}. It has "
            f"{', '.join(_OPTIONS)}; and {', '.join(_OF_SELECTION)} of its selection. Others are "
            f"the model's. {error}"
        ) from error


def _split(member: str) -> tuple[str, int | None, str]:
    """Preset, seed of random units if it asks for them, and the model, of a member's name."""
    name, rest = "default", member
    first, _, after = rest.partition("/")
    if first in PRESETS and after:
        name, rest = first, after
    first, _, after = rest.partition("/")
    found = _CONTROL.fullmatch(first)
    return (name, int(found[1] or 0), after) if found and after else (name, None, rest)


def _changed(localizer: Localizer, options: dict[str, Any]) -> Localizer:
    rule = {name: options.pop(name) for name in _OF_SELECTION[:3] if name in options}
    procedure = {"procedure": options.pop("procedure")} if "procedure" in options else {}
    if "data_options" in options:
        options["data_options"] = tuple(dict(options["data_options"]).items())
    if rule:
        options["selection"] = Selection(**rule, **procedure)
    elif procedure:
        options["selection"] = replace(localizer.selection, **procedure)
    return replace(localizer, **options)
