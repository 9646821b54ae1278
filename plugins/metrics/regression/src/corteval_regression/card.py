"""Cards of the regression metrics."""

from __future__ import annotations

from typing import Any

from corteval.cards import MetricCard

YAMINS = """@article{yamins2014performance,
  title = {Performance-optimized hierarchical models predict neural responses in higher visual
           cortex},
  author = {Yamins, Daniel L. K. and Hong, Ha and Cadieu, Charles F. and Solomon, Ethan A. and
            Seibert, Darren and DiCarlo, James J.},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {111},
  number = {23},
  pages = {8619--8624},
  year = {2014}
}"""

HOERL = """@article{hoerl1970ridge,
  title = {Ridge regression: biased estimation for nonorthogonal problems},
  author = {Hoerl, Arthur E. and Kennard, Robert W.},
  journal = {Technometrics},
  volume = {12},
  number = {1},
  pages = {55--67},
  year = {1970}
}"""

GOLUB = """@article{golub1979generalized,
  title = {Generalized cross-validation as a method for choosing a good ridge parameter},
  author = {Golub, Gene H. and Heath, Michael and Wahba, Grace},
  journal = {Technometrics},
  volume = {21},
  number = {2},
  pages = {215--223},
  year = {1979}
}"""

SCHRIMPF = """@article{schrimpf2021neural,
  title = {The neural architecture of language: integrative modeling converges on predictive
           processing},
  author = {Schrimpf, Martin and Blank, Idan Asher and Tuckute, Greta and Kauf, Carina and
            Hosseini, Eghbal A. and Kanwisher, Nancy and Tenenbaum, Joshua B. and
            Fedorenko, Evelina},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {118},
  number = {45},
  year = {2021}
}"""

NUNEZ = """@article{nunezelizalde2019voxelwise,
  title = {Voxelwise encoding models with non-spherical multivariate normal priors},
  author = {Nunez-Elizalde, Anwar O. and Huth, Alexander G. and Gallant, Jack L.},
  journal = {NeuroImage},
  volume = {197},
  pages = {482--492},
  year = {2019}
}"""

DE_HEER = """@article{deheer2017hierarchical,
  title = {The hierarchical cortical organization of human speech processing},
  author = {de Heer, Wendy A. and Huth, Alexander G. and Griffiths, Thomas L. and
            Gallant, Jack L. and Theunissen, Frédéric E.},
  journal = {Journal of Neuroscience},
  volume = {37},
  number = {27},
  pages = {6539--6557},
  year = {2017}
}"""

_FIXED = {"cross_validation": {"folds": "fixed"}}

#: Grids of penalties (spec ``metrics`` 2.2).
_WIDE = tuple(10.0**power for power in range(-10, 11))
_HALF_DECADES = tuple(10.0 ** (half / 2) for half in range(-6, 13))
_LANGUAGE = tuple(10.0**power for power in range(-3, 4))

#: How published language scores divided sentences, and counted constant predictions.
_PUBLISHED = {
    "cross_validation": {"folds": "shuffle", "allow_leaky": True, "order": "rows"},
    "constant": "zero",
}


def _card(identifier: str, factory: str, words: str, bibtex: str, **options: Any) -> MetricCard:
    spantime = factory.startswith("spantime_")
    example = {
        "banded_ridge": "corteval_regression.variance:banded_example",
        **dict.fromkeys(("spantime_pls", "spantime_ridge"), "corteval_regression.spantime:example"),
    }.get(factory)
    needs = ("split",) * identifier.endswith("-split")
    needs += ("subject",) * (options.get("alpha_per") == "subject")
    return MetricCard(
        identifier=identifier,
        factory=f"corteval_regression.{'spantime' if spantime else 'metric'}:{factory}",
        summary=f"{words}; median r over neuroids",
        licence="MIT",
        bibtex=bibtex,
        options=options,
        takes="other" if example else "neural",
        needs=needs,
        ceilings=("internal_consistency", "predictor_consistency", "ncsnr"),
        cross_validated=True,
        example=example,
    )


_LINEAR = "Cross-validated least squares"
_RIDGE = "Cross-validated ridge regression, alpha 1"
_RIDGECV = "Cross-validated ridge"
_PLS = "Cross-validated partial least squares, 25 components"
_ONE = "Best single model unit, cross-validated"
_TEST = "one fixed train-test split"

LINEAR = _card("linear", "linear", _LINEAR, SCHRIMPF)
LINEAR_SPLIT = _card("linear-split", "linear", f"Least squares, {_TEST}", SCHRIMPF, **_FIXED)
RIDGE = _card("ridge", "ridge", _RIDGE, HOERL)
RIDGE_SPLIT = _card("ridge-split", "ridge", f"Ridge regression, alpha 1, {_TEST}", HOERL, **_FIXED)
RIDGECV = _card("ridgecv", "ridgecv", f"{_RIDGECV}, alpha by leave-one-out, one for all", GOLUB)
RIDGECV_SPLIT = _card(
    "ridgecv-split",
    "ridgecv",
    f"Ridge, alpha by leave-one-out, {_TEST}",
    GOLUB,
    **_FIXED,
)
RIDGECV_PER_TARGET = _card(
    "ridgecv_per_target",
    "ridgecv",
    f"{_RIDGECV}, alpha of each neuroid by leave-one-out",
    GOLUB,
    alpha_per="target",
)
RIDGECV_ZSCORED = _card(
    "ridgecv_zscored",
    "ridgecv",
    "Cross-validated ridge on z-scored features, alpha of each neuroid of 1e-3 to 1e6",
    GOLUB,
    alphas=_HALF_DECADES,
    alpha_per="target",
    standardise=True,
    constant="zero",
)
RIDGECV_PER_TARGET_SPLIT = _card(
    "ridgecv_per_target-split",
    "ridgecv",
    f"Ridge, alpha of each neuroid, {_TEST}",
    GOLUB,
    alpha_per="target",
    **_FIXED,
)
RIDGECV_PER_SUBJECT = _card(
    "ridgecv_per_subject",
    "ridgecv",
    f"{_RIDGECV}, alpha of each subject, mean over subjects",
    GOLUB,
    alpha_per="subject",
    aggregate="subjects",
)
DUAL_RIDGE = _card(
    "dual_ridge",
    "ridgecv",
    f"{_RIDGECV}, one alpha of 1e-10 to 1e10",
    GOLUB,
    alphas=_WIDE,
)
DUAL_RIDGE_SPLIT = _card(
    "dual_ridge-split",
    "ridgecv",
    f"Ridge, one alpha of 1e-10 to 1e10, {_TEST}",
    GOLUB,
    alphas=_WIDE,
    **_FIXED,
)
PLS = _card("pls", "pls", _PLS, YAMINS)
PLS_SPLIT = _card("pls-split", "pls", f"Partial least squares, {_TEST}", YAMINS, **_FIXED)
PLS_EXACT = _card(
    "pls-exact", "pls", "Cross-validated partial least squares, converged", YAMINS, exact=True
)
REVERSE_PLS = _card(
    "reverse_pls",
    "pls",
    "Model units from neuroids by partial least squares, 25 components",
    YAMINS,
    reverse=True,
)
SPANTIME_PLS = _card(
    "spantime_pls",
    "spantime_pls",
    "Partial least squares with time bins as samples, mean over bins",
    YAMINS,
)
SPANTIME_RIDGE = _card(
    "spantime_ridge",
    "spantime_ridge",
    "Ridge regression, alpha 1, with time bins as samples, mean over bins",
    HOERL,
)
NEURON_TO_NEURON = _card("neuron_to_neuron", "neuron_to_neuron", _ONE, YAMINS)
NEURON_TO_NEURON_SPLIT = _card(
    "neuron_to_neuron-split",
    "neuron_to_neuron",
    f"Best single model unit, {_TEST}",
    YAMINS,
    **_FIXED,
)
BANDED_RIDGE = _card(
    "banded_ridge",
    "banded_ridge",
    f"{_RIDGECV}, alpha by band of features and neuroid",
    NUNEZ,
)
UNIQUE_VARIANCE = MetricCard(
    identifier="unique_variance",
    factory="corteval_regression.variance:UniqueVariance",
    summary="Held-out variance that one band of features adds to the others; median over neuroids",
    licence="MIT",
    bibtex=DE_HEER,
    bounds=(float("-inf"), float("inf")),  # the others alone may explain less than nothing
    takes="other",
    cross_validated=True,
    example="corteval_regression.variance:example",
)
LINEAR_LEGACY = _card(
    "linear-legacy", "linear", "As published for language: random splits", SCHRIMPF, **_PUBLISHED
)
RIDGECV_LEGACY = _card(
    "ridgecv-legacy",
    "ridgecv",
    "As published for language: random splits, alpha of 7",
    SCHRIMPF,
    alphas=_LANGUAGE,
    **_PUBLISHED,
)
