"""Recognition of ImageNet's thousand classes, also under corruption and in ObjectNet."""

__version__ = "0.1.0"
