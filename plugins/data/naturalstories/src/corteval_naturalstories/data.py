"""Ten stories word by word, and how long people took to read each word."""

from __future__ import annotations

import csv
import string
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import check_behavioural
from corteval.errors import OptionError
from corteval.fetch import fetch_all
from corteval.stimuli import StimulusSet
from corteval_naturalstories.card import MISALIGNED, READING_TIMES, WORDS
from corteval_naturalstories.sentences import places

#: Name in the file of means, and here.
_MEASURES = {
    "nItem": "n",
    "meanItemRT": "mean_ms",
    "sdItemRT": "sd_ms",
    "gmeanItemRT": "geometric_mean_ms",
    "gsdItemRT": "geometric_sd",
}
_OF_WORDS = ("story", "position", "sentence", "word_within_sentence_id", "word", "length")
_OF_TIMES = ("sd_ms", "n", "geometric_mean_ms", "geometric_sd")


@final
@dataclass(frozen=True, kw_only=True)
class NaturalStories:
    """Words of ten stories, and their reading times averaged over readers.

    A word's id is the corpus's own code for the word with its punctuation, such as
    ``1.57.whole``: story 1, word 57.

    Args:
        alignment_shift: give the reading time in the row of word z to the word z + so many of the
            same story; 0 leaves the published alignment, which is in doubt by 1 (see the notes of
            the card). Reading times that find no word are dropped, and counted in the attribute
            ``dropped`` of the assembly.

    Raises:
        OptionError: for a shift that is no whole number.
    """

    alignment_shift: int = 0

    def __post_init__(self) -> None:
        shift = self.alignment_shift
        if isinstance(shift, bool) or not isinstance(shift, int):
            raise OptionError(
                f"alignment_shift is {shift!r}; it is a whole number of words, such as 1."
            )

    def words(self) -> pd.DataFrame:
        """Everything the files tell, one row a word, in reading order, indexed by stimulus_id.

        Columns: story (1 to 10), position (in the story, from 1), sentence and
        word_within_sentence_id (see `corteval_naturalstories.sentences`), word (with its
        punctuation), length (characters without the punctuation around the word), n (readers),
        mean_ms, sd_ms, geometric_mean_ms, geometric_sd (a factor). Reading times stand where the
        file has them, whatever `alignment_shift` says.
        """
        words_file, times_file = fetch_all([WORDS, READING_TIMES])
        table = _read(words_file).merge(
            _read(times_file), on=["item", "zone"], suffixes=("", "_again"), validate="one_to_one"
        )
        table = table.rename(columns={"item": "story", "zone": "position", **_MEASURES})
        table = table.sort_values(["story", "position"], kind="stable", ignore_index=True)
        found = [p for _, words in table.groupby("story")["word"] for p in places(list(words))]
        table["sentence"] = [place.sentence for place in found]
        table["word_within_sentence_id"] = [place.word for place in found]
        table["length"] = [len(word.strip(string.punctuation)) for word in table["word"]]
        codes = zip(table["story"], table["position"], strict=True)
        table.index = pd.Index([f"{s}.{z}.whole" for s, z in codes], name="stimulus_id")
        return table[[*_OF_WORDS, "mean_ms", *_OF_TIMES]]

    def stimuli(self) -> StimulusSet:
        """10,256 words; those of one story are read in order, and stories apart.

        Each word but the first of a story begins with the space that parts it from the word
        before, so the texts of a story, joined as they are, give the story. Nothing follows the
        word: what has been read up to a word ends with it.
        """
        words = self.words()
        table = words[[*_OF_WORDS]].assign(
            text=np.where(words["position"] > 1, " ", "") + words["word"].astype(object),
            context_id=[f"story-{story}" for story in words["story"]],
        )
        return StimulusSet(identifier="NaturalStories", modality="text", table=table)

    def assembly(self) -> xr.DataArray:
        """Mean reading times in ms: presentation 10,256 (10 fewer for each word of the shift).

        Coordinates of the word: stimulus_id, story, position, sentence, word_within_sentence_id,
        word, length. Of its reading time: n readers, sd_ms, geometric_mean_ms, geometric_sd.
        """
        published = self.words()
        words = _shifted(published, self.alignment_shift)
        coords = {name: ("presentation", _plain(words[name])) for name in (*_OF_WORDS, *_OF_TIMES)}
        assembly = xr.DataArray(
            words["mean_ms"].to_numpy(np.float64),
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", _plain(words.index)), **coords},
            attrs={
                "unit": "ms",
                "alignment_shift": self.alignment_shift,
                "dropped": len(published) - len(words),
                "erratum": MISALIGNED,
            },
        )
        return check_behavioural(assembly)


def _read(path: Path) -> pd.DataFrame:
    """Table of a file in which quotes are part of the words, as is ``null``."""
    return pd.read_csv(
        path, sep="\t", quoting=csv.QUOTE_NONE, keep_default_na=False, dtype={"word": object}
    )


def _plain(column: pd.Series | pd.Index) -> np.ndarray:
    """Values as numpy numbers or text."""
    values = column.to_numpy()
    return values.astype(str) if values.dtype.kind not in "fiu" else values


def _shifted(words: pd.DataFrame, shift: int) -> pd.DataFrame:
    """`words` with each reading time at the word `shift` further on in its story.

    Raises:
        OptionError: if no reading time finds a word.
    """
    measures = ["mean_ms", *_OF_TIMES]
    times = words[["story", "position", *measures]].assign(position=words["position"] + shift)
    kept = words[list(_OF_WORDS)].reset_index().merge(times, on=["story", "position"])
    if kept.empty:
        raise OptionError(
            f"alignment_shift is {shift}; no story has so many words. The shift in doubt is 1."
        )
    return kept.set_index("stimulus_id")
