"""Cards of the ceilings."""

from __future__ import annotations

from corteval.cards import MetricCard

INTERNAL_CONSISTENCY = MetricCard(
    identifier="internal_consistency",
    factory="corteval_ceilings.internal_consistency:InternalConsistency",
    summary="Split-half reliability over trials with Spearman-Brown correction",
    licence="MIT",
    role="ceiling",
    bibtex="""@article{spearman1910correlation,
  title = {Correlation calculated from faulty data},
  author = {Spearman, Charles},
  journal = {British Journal of Psychology},
  volume = {3},
  number = {3},
  pages = {271--295},
  year = {1910}
}

@article{brown1910experimental,
  title = {Some experimental results in the correlation of mental abilities},
  author = {Brown, William},
  journal = {British Journal of Psychology},
  volume = {3},
  number = {3},
  pages = {296--322},
  year = {1910}
}""",
)
