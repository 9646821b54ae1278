"""Cards of WikiText-2: its test and its validation part."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/mschrimpf/neural-nlp/"
    "6e1a989b24fff0ffd7cac67d880a94136c4b4fb5/ressources/ml/wikitext-2"
)
_LICENCE = "CC BY-SA"
_RAW = (
    "The raw variant: rare words are written out, not replaced by <unk>. It is tokenised all the "
    "same: marks stand apart from words, and @-@, @,@ and @.@ stand for marks within a word."
)

#: By name of the part.
FILES: dict[str, Resource] = {
    "test": Resource(
        url=f"{_ROOT}/test.txt",
        sha256="c8e3ae92a2980cb187dd60e3204581534277a640e165fbc16550245dd5e100d7",
        size=1_286_232,
        licence=_LICENCE,
    ),
    "validation": Resource(
        url=f"{_ROOT}/val.txt",
        sha256="4cd0f6876d07a413aa911261ff6d363c72d757d47f0fdd6015702014c89cb9c7",
        size=1_146_846,
        licence=_LICENCE,
    ),
}


def _card(identifier: str, part: str, lines: str, note: str) -> DataCard:
    return DataCard(
        identifier=identifier,
        factory="corteval_wikitext2.data:Wikitext2",
        options={"part": part},
        summary=f"60 Wikipedia articles of WikiText-2 ({part}), {lines} lines; no responses",
        licence=_LICENCE,
        bibtex="""@inproceedings{merity2017pointer,
  title = {Pointer sentinel mixture models},
  author = {Merity, Stephen and Xiong, Caiming and Bradbury, James and Socher, Richard},
  booktitle = {International Conference on Learning Representations},
  year = {2017},
  url = {https://openreview.net/forum?id=Byj72udxe}
}""",
        modality="text",
        notes=(_RAW, note),
        resources=(FILES[part],),
    )


TEST = _card(
    "Wikitext2",
    "test",
    "4,358",
    "This copy lacks the space at the end of each line that the validation part has.",
)
VALIDATION = _card(
    "Wikitext2.validation",
    "validation",
    "3,760",
    "Each line ends with a space before its end of line, which the test part lacks.",
)
