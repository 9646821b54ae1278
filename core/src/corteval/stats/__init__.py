"""Statistics of scores: splits and resampling shared by metrics and ceilings, paired tests."""
