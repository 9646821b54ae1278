"""Articles line by line, for models of language."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final, get_args

import pandas as pd
import xarray as xr

from corteval.errors import NotInData, OptionError
from corteval.fetch import fetch
from corteval.stimuli import StimulusSet
from corteval_wikitext2.card import FILES

Context = Literal["article", "file"]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_HEADING = re.compile(r" ((?:= )+)([^=\s].*?)((?: =)+) ?\n?")


@final
@dataclass(frozen=True, kw_only=True)
class Wikitext2:
    """One part of WikiText-2.

    Args:
        part: ``"test"`` or ``"validation"``.
        context: ``"article"`` reads each article without those before it; ``"file"`` reads the
            whole file as one text, as is usual for perplexity.

    Raises:
        OptionError: for another part or context.
    """

    part: str = "test"
    context: Context = "article"

    def __post_init__(self) -> None:
        if self.part not in FILES:
            near = difflib.get_close_matches(str(self.part), FILES) or list(FILES)
            raise OptionError(f"There is no part {self.part!r}; there is {', '.join(near)}.")
        if self.context not in get_args(Context):
            names = " or ".join(get_args(Context))
            raise OptionError(f"context is {self.context!r}; it is {names}.")

    def stimuli(self) -> StimulusSet:
        """Lines with their ends; joined in order of position, they are the file, byte for byte.

        Columns beyond text, context_id and position (number of the line, from 1): kind (blank,
        heading, text), level (of a heading, 1 for the title of an article, else 0) and article
        (from 1). An article begins with the blank line before its title. Blank lines are stimuli,
        since their ends of line are part of what is read; leave them and headings out of a score
        by ``kind``, not out of the context. Ids are ``<part>-<line>``, such as ``test-0002``.
        """
        text = fetch(FILES[self.part]).read_bytes().decode("utf-8")
        lines = _LINE.findall(text)
        levels = heading_levels(lines)
        article, articles = 0, [1] * len(lines)
        for number, level in enumerate(levels):
            if level == 1:
                article += 1
                if article > 1:
                    articles[number - 1] = article
            articles[number] = max(article, 1)
        table = pd.DataFrame(
            {
                "text": lines,
                "context_id": [
                    f"article-{number:02d}" if self.context == "article" else self.part
                    for number in articles
                ],
                "position": range(1, len(lines) + 1),
                "kind": [
                    "heading" if level else "text" if line.strip() else "blank"
                    for line, level in zip(lines, levels, strict=True)
                ],
                "level": levels,
                "article": articles,
            },
            index=pd.Index(
                [f"{self.part}-{number:04d}" for number in range(1, len(lines) + 1)],
                name="stimulus_id",
            ),
        )
        name = "Wikitext2" if self.part == "test" else f"Wikitext2.{self.part}"
        return StimulusSet(identifier=name, modality="text", table=table)

    def assembly(self) -> xr.DataArray:
        """None: these are texts to predict, and nobody was recorded.

        Raises:
            NotInData: always.
        """
        raise NotInData(
            "Wikitext2 has texts and no responses: the next word is what a model is to say. Take "
            "stimuli(), and score the lines whose kind is 'text'."
        )


def heading_levels(lines: Sequence[str]) -> list[int]:
    """Level of each line: the number of ``=`` on either side of a heading, 0 for other lines.

    A heading stands between blank lines. Formulas broken over lines, such as ``= 1 henry and
    capacitance C =``, do not.

    >>> heading_levels(["", " = Du Fu =", "", " = = Life = =", "", " He ."])
    [0, 1, 0, 2, 0, 0]
    """
    blank = [not line.strip() for line in lines]
    levels = []
    for number, line in enumerate(lines):
        found = _HEADING.fullmatch(line)
        apart = all(blank[max(number - 1, 0) : number]) and all(blank[number + 1 : number + 2])
        level = found[1].count("=") if found and apart else 0
        levels.append(level if found and found[3].count("=") == level else 0)
    return levels
