"""Statistics of scores: resampling shared by metrics and ceilings."""

from corteval.stats.resampling import (
    correlation,
    draw_neuroids,
    draw_stimuli,
    median_correlation_replicates,
)

__all__ = ["correlation", "draw_neuroids", "draw_stimuli", "median_correlation_replicates"]
