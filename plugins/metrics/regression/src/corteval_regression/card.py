"""Cards of the regression metrics."""

from __future__ import annotations

from corteval.cards import MetricCard

PLS = MetricCard(
    identifier="pls",
    factory="corteval_regression.metric:pls",
    summary="Cross-validated partial least squares, 25 components; median Pearson r over neuroids",
    licence="MIT",
    bibtex="""@article{yamins2014performance,
  title = {Performance-optimized hierarchical models predict neural responses in higher visual
           cortex},
  author = {Yamins, Daniel L. K. and Hong, Ha and Cadieu, Charles F. and Solomon, Ethan A. and
            Seibert, Darren and DiCarlo, James J.},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {111},
  number = {23},
  pages = {8619--8624},
  year = {2014}
}""",
)

RIDGE = MetricCard(
    identifier="ridge",
    factory="corteval_regression.metric:ridge",
    summary="Cross-validated ridge regression, alpha 1; median Pearson r over neuroids",
    licence="MIT",
    bibtex="""@article{hoerl1970ridge,
  title = {Ridge regression: biased estimation for nonorthogonal problems},
  author = {Hoerl, Arthur E. and Kennard, Robert W.},
  journal = {Technometrics},
  volume = {12},
  number = {1},
  pages = {55--67},
  year = {1970}
}""",
)
