"""Card of the metric of topography."""

from __future__ import annotations

from corteval.cards import MetricCard

SPATIAL_CORRELATION = MetricCard(
    identifier="spatial_correlation",
    factory="corteval_topography.metric:SpatialCorrelation",
    summary="How alike units correlate at each distance in tissue: 1 - Kolmogorov-Smirnov",
    licence="MIT",
    bibtex="""@article{lee2020topographic,
  title = {Topographic deep artificial neural networks reproduce the hallmarks of the primate
           inferior temporal cortex face processing network},
  author = {Lee, Hyodong and Margalit, Eshed and Jozwik, Kamila M. and Cohen, Michael A. and
            Kanwisher, Nancy and Yamins, Daniel L. K. and DiCarlo, James J.},
  journal = {bioRxiv}, year = {2020}, doi = {10.1101/2020.07.09.185116}}""",
    bounds=(0.0, 1.0),
    symmetric=True,
    needs=("tissue_x_mm", "tissue_y_mm"),
    example="corteval_topography.metric:example",
)
