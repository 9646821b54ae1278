"""Brain-Score's public archive of stimulus sets and assemblies, as a family of data sets."""

__version__ = "0.1.0"
