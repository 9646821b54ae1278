"""Card of the set of shapes."""

from __future__ import annotations

from corteval.cards import DataCard

SHAPES = DataCard(
    identifier="Shapes",
    factory="corteval_shapes.data:Shapes",
    summary="256 images of 64 objects of 8 classes of shape, made from a seed",
    licence="MIT",
    bibtex="""@misc{corteval_shapes,
  title = {Shapes: labelled images made from a seed},
  author = {{The Corteval developers}},
  note = {Software package corteval-shapes}
}""",
    notes=(
        "the images are drawn by Corteval, nobody has published them; no responses of people or "
        "animals to them exist",
    ),
)
