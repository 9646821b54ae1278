"""Card of the set of contours."""

from __future__ import annotations

from corteval.cards import DataCard

GABOR_CONTOURS = DataCard(
    identifier="GaborContours",
    factory="corteval_gabor_contours.data:GaborContours",
    summary="Contours of 4 classes of Gabor elements among distractors, undisturbed and disturbed",
    licence="MIT",
    bibtex="""@misc{corteval_gabor_contours,
  title = {GaborContours: contours across discontinuities, made from a seed},
  author = {{The Corteval developers}},
  note = {Software package corteval-gabor-contours}
}

@article{field1993contour,
  title = {Contour integration by the human visual system: evidence for a local ``association
           field''},
  author = {Field, David J. and Hayes, Anthony and Hess, Robert F.},
  journal = {Vision Research},
  volume = {33},
  number = {2},
  pages = {173--193},
  year = {1993}
}""",
    notes=(
        "the images are of Corteval's own design, nobody has published them; no responses of "
        "people or animals to them exist",
    ),
)
