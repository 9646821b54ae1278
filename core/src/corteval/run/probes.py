"""What models were measured to hold in memory while they answered one batch.

A probe (`probing`) is kept in ``<home>/probes`` until the model's package changes. It says what a
model takes that has no record yet.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

from corteval import registry, settings
from corteval.errors import CortevalError
from corteval.run.cells import key_of_model
from corteval.run.records import folder_of
from corteval.store.disk import explained, replacing, write_all


@final
@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a model took.

    Args:
        model: identifier.
        key: of its card and package, see `cells.key_of_model`.
        one_bytes: peak of its process, with everything it has loaded, for one stimulus.
        batch_bytes: the same for a batch.
        rows: stimuli of the batch.
    """

    model: str
    key: str
    one_bytes: int
    batch_bytes: int
    rows: int

    @property
    def peak_bytes(self) -> int:
        """The larger of both."""
        return max(self.one_bytes, self.batch_bytes)


def saved(models: Iterable[str]) -> dict[str, Probe]:
    """Probes that were kept and are of the models as they are installed now."""
    found = {}
    for model in models:
        with contextlib.suppress(OSError, ValueError, TypeError, CortevalError):
            probe = Probe(**json.loads(_path(model).read_text("utf-8")))
            if probe.key == key_of_model(model):
                found[model] = probe
    return found


def keep(probe: Probe) -> None:
    """Keep a probe in place of an earlier one of the model.

    Raises:
        StorageFull, StoreError
    """
    path = _path(probe.model)
    with explained(f"The probe of {probe.model} cannot be kept", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write_all(file.descriptor, json.dumps(asdict(probe)).encode())


def is_isolated(model: str) -> bool:
    """Whether a model runs in a process of its own."""
    try:
        return bool(getattr(registry.models.member_card(model), "isolated", True))
    except CortevalError:
        return False


def _path(model: str) -> Path:
    return settings.home() / "probes" / f"{folder_of(model)}.json"
