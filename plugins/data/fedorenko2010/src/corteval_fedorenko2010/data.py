"""Sentences and strings of non-words, twelve of each word by word."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Literal, final, get_args

import pandas as pd
import xarray as xr

from corteval.errors import NotInData, OptionError
from corteval.fetch import fetch_all
from corteval.stimuli import StimulusSet
from corteval_fedorenko2010.card import FILES

Case = Literal["upper", "lower"]

_CONDITION = {"S": "sentence", "N": "nonword"}
_WORDS = [f"stim{number}" for number in range(2, 14)]  # stim1 is the trial, stim14 the condition
_COLUMNS = ["text", "condition", "run", "set", "trial"]


@final
@dataclass(frozen=True, kw_only=True)
class Localization:
    """Stimuli of the contrast of sentences with strings of non-words.

    Args:
        case: ``"upper"`` as in the files; ``"lower"`` as localizers of language models write them.

    Raises:
        OptionError: for another case.
    """

    case: Case = "upper"

    def __post_init__(self) -> None:
        if self.case not in get_args(Case):
            raise OptionError(f"case is {self.case!r}; it is {' or '.join(get_args(Case))}.")

    def stimuli(self) -> StimulusSet:
        """480 texts of twelve words, joined by spaces; each is read alone, without context.

        Columns: condition (sentence, nonword: 240 each), run (1, 2), set (1 to 5), trial (place
        in its run, 1 to 48, in blocks of three). Ids are ``set<set>-run<run>-<trial>``. In order
        of set, run and trial.
        """
        rows = {}
        paths = dict(zip(FILES, fetch_all(list(FILES.values())), strict=True))
        for run, part in sorted(paths, key=lambda key: (key[1], key[0])):
            with paths[run, part].open(encoding="utf-8", newline="") as file:
                for trial, line in enumerate(csv.DictReader(file), start=1):
                    text = " ".join(line[name] for name in _WORDS)
                    rows[f"set{part}-run{run}-{trial:02d}"] = (
                        text.lower() if self.case == "lower" else text,
                        _CONDITION[line["stim14"]],
                        run,
                        part,
                        trial,
                    )
        table = pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)
        return StimulusSet(
            identifier="Fedorenko2010.localization",
            modality="text",
            table=table.rename_axis("stimulus_id"),
        )

    def assembly(self) -> xr.DataArray:
        """None: a localizer is shown to a subject, and chooses units by what that answers.

        Raises:
            NotInData: always.
        """
        raise NotInData(
            "Fedorenko2010.localization has stimuli and no responses. Record a subject's own "
            "responses to them, and compare the conditions 'sentence' and 'nonword'."
        )
