"""Builds the members of the family ``localized/[preset/]<model>``."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from corteval import registry
from corteval.commitment import LayerCommitment
from corteval.errors import OptionError
from corteval_localizer.localizer import PRESETS, Localizer, Selection, preset
from corteval_localizer.units import localized

_CONTROL = re.compile(r"random(\d*)")


def build(member: str, *, target: str = "language_system", **options: Any) -> LayerCommitment:
    """A model whose `target` is answered by the units that a localizer selects.

    ``localized/gpt2`` uses the default localizer, ``localized/topolm/gpt2`` the preset of that name
    and ``localized/random3/gpt2`` or ``localized/topolm/random3/gpt2`` as many random units (seed
    3) in each layer.

    Args:
        member: of the family.
        target: that the selected units answer.
        options: arguments of `Localizer` laid over the preset; and ``top``, ``fraction``, ``fdr``
            and ``procedure`` of its selection.

    Raises:
        OptionError: for a model that is not made of layers, or an option that there is not.
    """
    name, control, rest = _split(member)
    subject = registry.models.create(rest)
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
        _changed(preset(name), options),
        target=target,
        control=control,
        identifier=f"localized/{member}",
    )


def files_of(member: str) -> tuple[Path, ...]:
    """What the model is made of whose units are selected."""
    return registry.own_files(_split(member)[2])


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
    rule = {name: options.pop(name) for name in ("top", "fraction", "fdr") if name in options}
    procedure = {"procedure": options.pop("procedure")} if "procedure" in options else {}
    known = {f.name for f in fields(Localizer)}
    unknown = sorted(set(options) - known)
    if unknown:
        raise OptionError(
            f"A localizer has no option {', '.join(unknown)}. It has {', '.join(sorted(known))}; "
            "and top, fraction, fdr and procedure of its selection."
        )
    if "data_options" in options:
        options["data_options"] = tuple(dict(options["data_options"]).items())
    if rule:
        options["selection"] = Selection(**rule, **procedure)
    elif procedure:
        options["selection"] = replace(localizer.selection, **procedure)
    return replace(localizer, **options)
