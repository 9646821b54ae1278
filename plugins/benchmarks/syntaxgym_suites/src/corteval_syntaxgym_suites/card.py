"""Cards of the benchmarks: one of each suite, and the mean of 31 of them."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard

SYNTAXGYM = """@inproceedings{hu2020systematic,
  title = {A systematic assessment of syntactic generalization in neural language models},
  author = {Hu, Jennifer and Gauthier, Jon and Qian, Peng and Wilcox, Ethan and Levy, Roger P.},
  booktitle = {Proceedings of the 58th Annual Meeting of the Association for Computational
               Linguistics},
  pages = {1725--1744},
  year = {2020},
  doi = {10.18653/v1/2020.acl-main.158}
}

@inproceedings{gauthier2020syntaxgym,
  title = {{SyntaxGym}: An online platform for targeted evaluation of language models},
  author = {Gauthier, Jon and Hu, Jennifer and Wilcox, Ethan and Qian, Peng and Levy, Roger},
  booktitle = {Proceedings of the 58th Annual Meeting of the Association for Computational
               Linguistics: System Demonstrations},
  pages = {70--76},
  year = {2020},
  doi = {10.18653/v1/2020.acl-demos.10}
}"""

#: Share of items that surprisals drawn independently from one continuous distribution get right.
#: One inequality of sums that are drawn alike holds half of the time.
ONE = 1 / 2
#: Two inequalities between four regions.
TWO = 1 / 4
#: a < c, a < d and b < d hold in 5 of the 24 orders of four regions.
CHAIN = 5 / 24
#: x > y, x > z and x - y > z - w hold in 6 to 8 of 24 draws, depending on the distribution, and
#: in 7 of 24 if it is symmetric.
INTERACTION = 7 / 24
#: Two predictions that exclude each other.
NONE = 0.0

#: Chance by suite, in the order of the field's tables.
CHANCE: dict[str, float] = {
    "center_embed": ONE,
    "center_embed_mod": ONE,
    "cleft": ONE,
    "cleft_modifier": ONE,
    "fgd-embed3": TWO,
    "fgd-embed4": TWO,
    "fgd_hierarchy": NONE,
    "fgd_object": TWO,
    "fgd_pp": TWO,
    "fgd_subject": TWO,
    "mvrr": INTERACTION,
    "mvrr_mod": INTERACTION,
    "nn-nv-rpl": TWO,
    "npi_orc_any": CHAIN,
    "npi_orc_ever": CHAIN,
    "npi_src_any": CHAIN,
    "npi_src_ever": CHAIN,
    "npz_ambig": INTERACTION,
    "npz_ambig_mod": INTERACTION,
    "npz_obj": INTERACTION,
    "npz_obj_mod": INTERACTION,
    "number_orc": TWO,
    "number_prep": TWO,
    "number_src": TWO,
    "reflexive_orc_fem": TWO,
    "reflexive_orc_masc": TWO,
    "reflexive_prep_fem": TWO,
    "reflexive_prep_masc": TWO,
    "reflexive_src_fem": TWO,
    "reflexive_src_masc": TWO,
    "subordination": TWO,
    "subordination_orc-orc": TWO,
    "subordination_pp-pp": TWO,
    "subordination_src-src": TWO,
}
#: Suites that the field's leaderboard leaves out.
LEFT_OUT = ("fgd-embed3", "fgd-embed4", "nn-nv-rpl")
#: The 31 suites of the field's leaderboard.
LEADERBOARD = tuple(name for name in CHANCE if name not in LEFT_OUT)

IMPOSSIBLE = (
    "the predictions of fgd_hierarchy exclude each other, so that no subject gets any of its items "
    "right"
)
SINGLE_ITEM = "the suite has one item, which tells next to nothing of a subject"


def _card(identifier: str, summary: str, data: str, chance: float, **options: Any) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"SyntaxGym-{identifier}",
        factory="corteval_syntaxgym_suites.benchmark:SyntaxSuites",
        summary=summary,
        licence="MIT",
        bibtex=SYNTAXGYM,
        data=(data,),
        target="syntax",
        parent="syntax",
        controls=("kneser-ney/1", "{model}-untrained"),
        chance=chance,
        options=options,
    )


def _suite(name: str) -> BenchmarkCard:
    notes = {"fgd_hierarchy": (IMPOSSIBLE,), "nn-nv-rpl": (SINGLE_ITEM,)}.get(name, ())
    return _card(
        name,
        f"Share of items of the suite {name} for which all predictions hold",
        f"SyntaxGym.{name}",
        CHANCE[name],
        notes=notes,
    )


#: By name of the suite.
SUITES = {name: _suite(name) for name in CHANCE}

MEAN = _card(
    "mean",
    "Mean accuracy of the 31 suites of syntax of the field's leaderboard",
    "SyntaxGym",
    sum(CHANCE[name] for name in LEADERBOARD) / len(LEADERBOARD),
    data_options={"suite": LEADERBOARD},
    notes=(f"mean of 31 suites, without {', '.join(LEFT_OUT)}, as published", IMPOSSIBLE),
)

# entry points name attributes of this module
globals().update({name.replace("-", "_").upper(): card for name, card in SUITES.items()})
