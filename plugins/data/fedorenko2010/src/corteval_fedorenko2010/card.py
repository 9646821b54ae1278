"""Card of the stimuli of the language localizer."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/brain-score/language/"
    "0e0bb4a2d8df5d3c30fe26ec4528f27a188e1cdc/brainscore_language/data/fedorenko2010_localization"
)
_LICENCE = "MIT"


def _file(run: int, part: int, sha256: str, size: int) -> Resource:
    return Resource(
        url=f"{_ROOT}/langloc_fmri_run{run}_stim_set{part}.csv",
        sha256=sha256,
        size=size,
        licence=_LICENCE,
    )


#: By run and set.
FILES: dict[tuple[int, int], Resource] = {
    (1, 1): _file(1, 1, "6a545fd8033bcddeaf465a6013f65ed511a2aaf537e493a83cb2515989d8316f", 3_416),
    (1, 2): _file(1, 2, "d480f698da43ce58a579230dc93145a287da0c0a21266628dee725dc247766b4", 3_469),
    (1, 3): _file(1, 3, "cfcd11f6e7879b4b5d038ec16946e8a685527d6f7f176aca5d6565a266a8c4d4", 3_520),
    (1, 4): _file(1, 4, "04dfcd8ceef370ed71d2a065d05d833d7c6028d4a4f87afaf8455b204eb8bd5a", 3_492),
    (1, 5): _file(1, 5, "4ded965faa4af50afb3ea47ce7df270957d2c27035a7d6c4a6c7e71ff48a2641", 3_454),
    (2, 1): _file(2, 1, "39c1c98a856b87a0f927d907a736f00d0631ba37a70768ffcad4eea70a810509", 3_512),
    (2, 2): _file(2, 2, "aaad394e427c603d932cef9a072c4046f24b72ad354898cc2d5382267f601a2a", 3_553),
    (2, 3): _file(2, 3, "f62ad8c191478278365d664dc111c7bfd6cfe5590bea6f16bc27f86ec2f54f7b", 3_569),
    (2, 4): _file(2, 4, "4f03100af15982eeba419bcd457f0a2d4f10ae08d61c5c49cc4f8ad97ec1719a", 3_470),
    (2, 5): _file(2, 5, "e52ca8c5cd341fcb8fbc7841c584c4d4e162fa4b3405e1178ccdbb4eec07fe4b", 3_494),
}

LOCALIZATION = DataCard(
    identifier="Fedorenko2010.localization",
    factory="corteval_fedorenko2010.data:Localization",
    summary="240 sentences and 240 strings of non-words that localise language areas; no responses",
    licence=_LICENCE,
    bibtex="""@article{fedorenko2010localization,
  title = {New method for fMRI investigations of language: defining ROIs functionally in
           individual subjects},
  author = {Fedorenko, Evelina and Hsieh, Po-Jang and Nieto-Castanon, Alfonso and
            Whitfield-Gabrieli, Susan and Kanwisher, Nancy},
  journal = {Journal of Neurophysiology},
  volume = {104},
  number = {2},
  pages = {1177--1194},
  year = {2010},
  doi = {10.1152/jn.00032.2010}
}""",
    modality="text",
    notes=(
        "Stimuli only. They lie in a repository under MIT; the authors of the paper state no "
        "licence of their own.",
    ),
    resources=tuple(FILES.values()),
)
