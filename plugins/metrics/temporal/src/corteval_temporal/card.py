"""Cards of the temporal metrics."""

from __future__ import annotations

from corteval.cards import MetricCard

_BIBTEX = """@article{kar2019evidence,
  title = {Evidence that recurrent circuits are critical to the ventral stream's execution of core
           object recognition behavior},
  author = {Kar, Kohitij and Kubilius, Jonas and Schmidt, Kailyn and Issa, Elias B. and
            DiCarlo, James J.},
  journal = {Nature Neuroscience},
  volume = {22},
  number = {6},
  pages = {974--983},
  year = {2019}
}

@inproceedings{kubilius2019brainlike,
  title = {Brain-Like Object Recognition with High-Performing Shallow Recurrent {ANNs}},
  author = {Kubilius, Jonas and Schrimpf, Martin and Kar, Kohitij and Rajalingham, Rishi and
            Hong, Ha and Majaj, Najib and Issa, Elias and Bashivan, Pouya and
            Prescott-Roy, Jonathan and Schmidt, Kailyn and Nayebi, Aran and Bear, Daniel and
            Yamins, Daniel L. and DiCarlo, James J.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019}
}"""

OST = MetricCard(
    identifier="ost",
    factory="corteval_temporal.metric:ObjectSolutionTimes",
    summary="Spearman correlation of object solution times; briefly trained readouts, as published",
    licence="MIT",
    bibtex=_BIBTEX,
    takes="other",
    example="corteval_temporal.example:example",
)

OST_EXACT = MetricCard(
    identifier="ost-exact",
    factory="corteval_temporal.metric:ObjectSolutionTimes",
    summary="Spearman correlation of object solution times; readouts at their optimum",
    licence="MIT",
    bibtex=_BIBTEX,
    options={"readout": "converged"},
    takes="other",
    example="corteval_temporal.example:example",
)
