"""Card of the Natural Stories reading times."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/languageMIT/naturalstories/"
    "4700daad696e942f5aba23c957a7423d0de66612/naturalstories_RTS"
)
_LICENCE = "CC-BY-NC-SA-4.0"

WORDS = Resource(
    url=f"{_ROOT}/all_stories.tok",
    sha256="0e4e9bd4708aaa01d8bea342696bb83cedff679c09184545483f6f3f4ba8aca3",
    size=119_005,
    licence=_LICENCE,
)
READING_TIMES = Resource(
    url=f"{_ROOT}/processed_wordinfo.tsv",
    sha256="047d2a0b84eff99d90535d1517f7fa7d466b81fbd60e990f2f08caac04d8aa56",
    size=901_515,
    licence=_LICENCE,
)

MISALIGNED = (
    "The authors announced on 2025-05-12 that their self-paced reading times were shifted by one "
    "word, and replaced the file of single readers. The file of means per word read here is the "
    "one of 2021: its means follow the length of the word after them more than that of the word "
    "before, as if some rows held the reading time of the next word. The authors do not state the "
    "direction. alignment_shift=1 gives each reading time to the next word, to see what depends "
    "on it."
)
MEANS_ONLY = (
    "Means, standard deviations and counts per word, no single subjects: reliability follows from "
    "the ceiling human_reading_time_reliability, not from halves of the subjects."
)
DERIVED_SENTENCES = (
    "The files mark no sentences: sentence and word_within_sentence_id are derived from "
    "punctuation. They give no word frequencies."
)

NATURAL_STORIES = DataCard(
    identifier="NaturalStories",
    factory="corteval_naturalstories.data:NaturalStories",
    summary="Mean self-paced reading times of the 10,256 words of ten English stories",
    licence=_LICENCE,
    bibtex="""@article{futrell2021natural,
  title = {The Natural Stories corpus: a reading-time corpus of English texts containing rare
           syntactic constructions},
  author = {Futrell, Richard and Gibson, Edward and Tily, Harry J. and Blank, Idan and
            Vishnevetsky, Anastasia and Piantadosi, Steven T. and Fedorenko, Evelina},
  journal = {Language Resources and Evaluation},
  volume = {55},
  number = {1},
  pages = {63--77},
  year = {2021},
  doi = {10.1007/s10579-020-09503-7}
}""",
    modality="text",
    species="human",
    notes=(MISALIGNED, MEANS_ONLY, DERIVED_SENTENCES),
    resources=(WORDS, READING_TIMES),
)
