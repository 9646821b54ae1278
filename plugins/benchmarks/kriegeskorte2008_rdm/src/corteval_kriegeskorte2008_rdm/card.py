"""Cards of the benchmarks on 92 images. Parts and parameters are all there is."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard

_NEURON = """@article{kriegeskorte2008neuron,
  title = {Matching categorical object representations in inferior temporal cortex of man and
           monkey},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Ruff, Douglas A. and Kiani, Roozbeh and
            Bodurka, Jerzy and Esteky, Hossein and Tanaka, Keiji and Bandettini, Peter A.},
  journal = {Neuron}, volume = {60}, number = {6}, pages = {1126--1141},
  year = {2008},
  doi = {10.1016/j.neuron.2008.10.043}
}"""
_MUR = """@article{mur2013human,
  title = {Human object-similarity judgments reflect and transcend the primate-{IT} object
           representation},
  author = {Mur, Marieke and Meys, Mirjam and Bodurka, Jerzy and Goebel, Rainer and
            Bandettini, Peter A. and Kriegeskorte, Nikolaus},
  journal = {Frontiers in Psychology}, volume = {4}, pages = {128},
  year = {2013},
  doi = {10.3389/fpsyg.2013.00128}
}"""
_NILI = """@article{nili2014toolbox,
  title = {A toolbox for representational similarity analysis},
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and
            Marslen-Wilson, William and Kriegeskorte, Nikolaus},
  journal = {PLoS Computational Biology}, volume = {10}, number = {4}, pages = {e1003553},
  year = {2014},
  doi = {10.1371/journal.pcbi.1003553}
}"""

_COMPARISONS = {
    "spearman": ("rdm", "Spearman's correlation"),
    "pearson": ("rdm-pearson", "Pearson's correlation"),
    "kendall": ("rdm-kendall", "Kendall's tau-a"),
}
_FIELD_OF_VIEW = "images have no stated size in degrees and fill the model's field of view"


def _card(
    name: str,
    words: str,
    *notes: str,
    species: str,
    bibtex: str,
    parent: str | None,
    comparison: str = "spearman",
    bounded: bool = True,
) -> BenchmarkCard:
    """Card of one data set and one comparison of RDMs.

    Args:
        name: of the data set, behind the common prefix.
        words: what its RDMs are of.
        notes: of this data set.
        species, bibtex, parent: see `BenchmarkCard`.
        comparison: a key of `_COMPARISONS`.
        bounded: there are RDMs of several subjects, so there is a noise ceiling.
    """
    metric, how = _COMPARISONS[comparison]
    # Pools matched to the comparison are the best there are, or nearly, by tau-a: with the plain
    # mean of RDMs as pool, the mean of their ranks would score above 1 by Spearman's correlation.
    bounds: dict[str, Any] = {
        "ceiling_options": {"comparison": comparison, "pooling": "matched"},
        "lower_bound": "rsa_lower",
    }
    return BenchmarkCard(
        identifier=f"Kriegeskorte2008.{name}-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"{words}, 92 images: {how} of RDMs",
        licence="MIT",
        bibtex=f"{bibtex}\n{_NILI}",
        data=(f"Kriegeskorte2008.{name}",),
        metric=metric,
        ceiling="rsa_upper" if bounded else None,
        target="IT",
        species=species,
        parent=parent,
        controls=("pixels", "gabor-colour", "random-cnn", "{model}-untrained"),
        options={"notes": (*notes, _FIELD_OF_VIEW), **(bounds if bounded else {})},
    )


def _human_it(comparison: str) -> BenchmarkCard:
    return _card(
        "humanIT",
        "Human IT (fMRI), 4 subjects",
        "four subjects, two of them weak; with so few the upper bound is inflated",
        species="human",
        bibtex=_NEURON,
        parent="IT",
        comparison=comparison,
    )


def _behaviour(comparison: str) -> BenchmarkCard:
    return _card(
        "behaviour",
        "Human similarity judgements, 16 subjects",
        "judgements are compared with the model's representation in IT; it is asked for no "
        "behaviour",
        species="human",
        bibtex=f"{_MUR}\n{_NEURON}",
        parent="behaviour",
        comparison=comparison,
    )


HUMAN_IT = _human_it("spearman")
HUMAN_IT_PEARSON = _human_it("pearson")
HUMAN_IT_KENDALL = _human_it("kendall")
BEHAVIOUR = _behaviour("spearman")
BEHAVIOUR_PEARSON = _behaviour("pearson")
BEHAVIOUR_KENDALL = _behaviour("kendall")

#: No parent: a suite may not average raw scores with normalised ones.
MONKEY_IT = _card(
    "monkeyIT",
    "Macaque IT, 674 neurons",
    "there is one RDM of all neurons, so no noise ceiling can be computed",
    species="macaque",
    bibtex=_NEURON,
    parent=None,
    bounded=False,
)
