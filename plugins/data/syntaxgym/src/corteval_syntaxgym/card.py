"""Cards of the SyntaxGym test suites: one of all, and one of each."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/cpllab/syntactic-generalization/"
    "43f1f86b746254406dafc89bd17b9d4976607ef6"
)
_LICENCE = "MIT"
_HU2020 = """@inproceedings{hu2020systematic,
  title = {A systematic assessment of syntactic generalization in neural language models},
  author = {Hu, Jennifer and Gauthier, Jon and Qian, Peng and Wilcox, Ethan and Levy, Roger P.},
  booktitle = {Proceedings of the 58th Annual Meeting of the Association for Computational
               Linguistics},
  pages = {1725--1744},
  year = {2020},
  doi = {10.18653/v1/2020.acl-main.158}
}"""
_OUTCOMES = (
    "Outcomes are of four models (GPT-2, GPT-2-XL, GRNN, JRNN), one run each. Their files number "
    "items from 0, the suites from 1; they are matched by order."
)
_HIERARCHY = (
    "The two predictions of fgd_hierarchy exclude each other (one surprisal is to be below another "
    "and equal to it), so no item can be right; its released outcomes are from other predictions."
)
_LEADERBOARD = "The field's leaderboard uses 31 suites: not fgd-embed3, fgd-embed4 and nn-nv-rpl."


def _outcomes(model: str, sha256: str, size: int) -> Resource:
    return Resource(
        url=f"{_ROOT}/data/raw/sg_results/syntaxgym_results_{model}_.csv",
        sha256=sha256,
        size=size,
        licence=_LICENCE,
    )


OUTCOMES: dict[str, Resource] = {
    "gpt2": _outcomes(
        "gpt-2-pretrained",
        "2abc9cd1d16712ffef7e1a4b635b3fec1ea509d9df0d090ac351b72d26433a42",
        34_582,
    ),
    "gpt2-xl": _outcomes(
        "gpt-2-xl-pretrained",
        "4a6057cb89ce64e4425a3ada7a1975180d7d272f8c57907177419b5af611c041",
        37_063,
    ),
    "grnn": _outcomes(
        "grnn", "c2aa594a9c10be635be3c828fb486d71591d76995143052a6bce2ae86dac4902", 24_698
    ),
    "jrnn": _outcomes(
        "jrnn", "bbfa979a0f51c3709d92421b0a7094d3910f308af540b23992b52c1351562a8e", 24_643
    ),
}
#: The file of each suite, in order of their names.
SUITES: dict[str, Resource] = {}


def _card(identifier: str, summary: str, **options: str) -> DataCard:
    names = [options["suite"]] if options else list(SUITES)
    notes = (_OUTCOMES, *([_HIERARCHY] if "fgd_hierarchy" in names else []), _LEADERBOARD)
    return DataCard(
        identifier=identifier,
        factory="corteval_syntaxgym.data:SyntaxGym",
        options=options,
        summary=summary,
        licence=_LICENCE,
        bibtex=_HU2020,
        modality="text",
        notes=notes,
        resources=(*(SUITES[name] for name in names), *OUTCOMES.values()),
    )


def _suite(name: str, sha256: str, size: int) -> DataCard:
    SUITES[name] = Resource(
        url=f"{_ROOT}/test_suites/json/{name}.json", sha256=sha256, size=size, licence=_LICENCE
    )
    summary = f"Test suite of syntax {name}: sentences in regions, predictions, outcomes"
    return _card(f"SyntaxGym.{name}", summary, suite=name)


CENTER_EMBED = _suite(
    "center_embed", "cc8b60e34eff4ec723a295d0378af07cceaf9bdccddd5a9508a1284e40d3390c", 68_895
)
CENTER_EMBED_MOD = _suite(
    "center_embed_mod", "9688aebd2c4a8ff68ca25873fb9039304e3c70996488b74ffb69681dd236e8d7", 78_070
)
CLEFT = _suite("cleft", "b6e19bedec743fc8af079638d145e4af224efa4d671e403d2d7ff4a395d10713", 169_883)
CLEFT_MODIFIER = _suite(
    "cleft_modifier", "d9823123e538ea8d3150c7f584881e1e7137339e9a136077d033c7cd5ae4f2a3", 199_953
)
FGD_EMBED3 = _suite(
    "fgd-embed3", "35db2d0535f2b4f896157149b3aa625e5fd08694480b4978fcc31a34156462ba", 108_837
)
FGD_EMBED4 = _suite(
    "fgd-embed4", "6933e47b9bc5e0635412bfa3dc89d44b34889e73f780f615ba6575dd069ab20b", 110_548
)
FGD_HIERARCHY = _suite(
    "fgd_hierarchy", "ed5ddf73c04fc0bf577f6fcd4aef62b660b01c4fecb5b69216b1164128924693", 224_609
)
FGD_OBJECT = _suite(
    "fgd_object", "64045162cd8158f07bcf9efc9b2ba9ad60324009f71bae8d58bb9a841e72eee5", 133_880
)
FGD_PP = _suite(
    "fgd_pp", "8baa56588f01f9807d465d910159ad0c89829a211088de88d8a9d2cb4df574ff", 133_709
)
FGD_SUBJECT = _suite(
    "fgd_subject", "bb641e69be1e4ad4d4077ceeb5fd86c87fcd1df69795b8654702bf7746386746", 133_832
)
MVRR = _suite("mvrr", "5201adc7f9019caffc0bc54ca2d71db601f187d5a0dce55df0e90fd5592b2581", 123_524)
MVRR_MOD = _suite(
    "mvrr_mod", "e6f7cea18cd1b5d22faaae0f2f9a08fecab53665dfc2926fabb1c6841637d2d2", 141_633
)
NN_NV_RPL = _suite(
    "nn-nv-rpl", "7b06181fe8aa7cc6d3c3a224485b3023be2be638ca2ae16ef2dc1ee2c74d4dec", 4_246
)
NPI_ORC_ANY = _suite(
    "npi_orc_any", "96f6bd4ab779633f4837132d2a17d89568e46b154a7052636da208ac360f7685", 228_769
)
NPI_ORC_EVER = _suite(
    "npi_orc_ever", "7c69bb7c2d01df8107a650703ab12dfb900a09afb2d8e9c54da8ac82eaefd99d", 228_557
)
NPI_SRC_ANY = _suite(
    "npi_src_any", "3ce002cc8a88beb0012dba511fff56edb60c58b5934275dbf4f8d36274505f75", 228_760
)
NPI_SRC_EVER = _suite(
    "npi_src_ever", "cd7735f62dc7a301e0c48c825fb93b1824add388c7337954971f7da4bc2523f2", 228_557
)
NPZ_AMBIG = _suite(
    "npz_ambig", "2b46dd51f5985e62527e59e7f536656e28f462e33de9e3459cd635f73d5ca5e3", 104_837
)
NPZ_AMBIG_MOD = _suite(
    "npz_ambig_mod", "3cac79834de52d9cc4ff9b3ab0c8c8160cd9d602f1be2e503b6b622a4a2a582a", 120_603
)
NPZ_OBJ = _suite(
    "npz_obj", "6852eddee888fce984dbe7734f90bfccd185e8b4d11affb8141434d5362b5cb6", 105_377
)
NPZ_OBJ_MOD = _suite(
    "npz_obj_mod", "2c7d32dbf0167750510b6d7c30788665537210246024b30d9aa6545228ecb3bc", 121_149
)
NUMBER_ORC = _suite(
    "number_orc", "b5c96cb8ed8306cc2c90f3bb65a4ba1c4d27c004bdb34855bfc7ec2973c934ac", 103_660
)
NUMBER_PREP = _suite(
    "number_prep", "5c6a54fa244df2962b0700a2a6d6e03b8c0db8a1482cccfe64d16d01f8b3eeca", 92_583
)
NUMBER_SRC = _suite(
    "number_src", "8c3a1db336d275fe7d10dac418450f83fc40c5456e94beb3a547ce314753f6df", 103_660
)
REFLEXIVE_ORC_FEM = _suite(
    "reflexive_orc_fem", "d18ce6a3a970b1356721ed8415e400b89020b5e0d76a3017d6be28689404b7b7", 103_872
)
REFLEXIVE_ORC_MASC = _suite(
    "reflexive_orc_masc",
    "03d31c93a4225e94decf38fe0c28cd01e869da2f209ae1ef7fb1d5c310323e7c",
    103_845,
)
REFLEXIVE_PREP_FEM = _suite(
    "reflexive_prep_fem", "e192369294f0780b1133349ec3d9a75532b0bce310ae50ddab9b2e2d394137e9", 92_927
)
REFLEXIVE_PREP_MASC = _suite(
    "reflexive_prep_masc",
    "81934e17431b72a553ab3a501471cb0b0eaa101ca7f78799abc48905a21f16ca",
    92_936,
)
REFLEXIVE_SRC_FEM = _suite(
    "reflexive_src_fem", "4e821bfd260762d996a72989fa350e64802e4f22e2188c0d5f58abcce2160a58", 103_844
)
REFLEXIVE_SRC_MASC = _suite(
    "reflexive_src_masc",
    "645ef6786dc63433c407de9d0085233df3b212579bef7b04f6e20493d37ec312",
    103_845,
)
SUBORDINATION = _suite(
    "subordination", "065fc960d7346cd96f152c389c36816bf330b415661319e7dc6022ff610855b4", 60_306
)
SUBORDINATION_ORC_ORC = _suite(
    "subordination_orc-orc",
    "91232f6eb5247b5fdccb399af642eb86411e099db2ba91b45b434401326a3497",
    92_607,
)
SUBORDINATION_PP_PP = _suite(
    "subordination_pp-pp",
    "e9eb380ba720048c4b6a503c23ccef2680db55bdd4093b41afb0d281ae0bb912",
    92_423,
)
SUBORDINATION_SRC_SRC = _suite(
    "subordination_src-src",
    "f0b84b08402fbde49b9e2ae07db0a3e663ff149a4dcffc4c8c931ef8bbc843a5",
    92_541,
)


ALL = _card("SyntaxGym", "34 test suites of syntax, 842 items: sentences, predictions, outcomes")
