"""Published histograms of macaque V1 properties, and the gratings to measure them with."""

__version__ = "0.1.0"
