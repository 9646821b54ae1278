"""Texts to train on: of a registered data set, or of a file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, final

from corteval import registry
from corteval.data import DataSource
from corteval.errors import OptionError

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Corpus:
    """Documents, read when they are first needed.

    Args:
        data: identifier of a data set of texts, each of whose stimuli is a document.
        where: columns of its stimuli and the values they must have.
        path: of a UTF-8 file instead, whose paragraphs, between blank lines, are documents.
        lines: each line of the file is a document.
    """

    data: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    lines: bool = False

    @property
    def name(self) -> str:
        """For messages and notes."""
        return self.data if self.path is None else self.path.name

    @cached_property
    def texts(self) -> list[str]:
        """The documents.

        Raises:
            OptionError: if the file cannot be read.
        """
        if self.path is None:
            source: DataSource = registry.data.create(self.data)
            return [str(text) for text in source.stimuli().where(**self.where).table["text"]]
        try:
            content = self.path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(
                f"{self.path} cannot be read as text in UTF-8: {error}. Name a plain text file."
            ) from error
        return content.splitlines() if self.lines else _BLANK_LINES.split(content)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the documents."""
        return hashlib.sha256(json.dumps(self.texts).encode()).hexdigest()
