"""Cards of the two benchmarks, and of the metric of one of them."""

from __future__ import annotations

from corteval.cards import BenchmarkCard, MetricCard

#: Categories of shapes and textures, which is what a subject may answer.
CHOICES = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
)

_BIBTEX = """@inproceedings{hermann2020origins,
  title = {The origins and prevalence of texture bias in convolutional neural networks},
  author = {Hermann, Katherine and Chen, Ting and Kornblith, Simon},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {33},
  pages = {19000--19015},
  year = {2020}
}
@inproceedings{geirhos2019imagenet,
  title = {{ImageNet}-trained {CNNs} are biased towards texture; increasing shape bias improves
           accuracy and robustness},
  author = {Geirhos, Robert and Rubisch, Patricia and Michaelis, Claudio and Bethge, Matthias and
            Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}"""

_NOTES = ("images whose shape and texture are of one category are left out",)
_NO_PEOPLE = (
    "people are not compared with: the score is a property of the subject, for which there is no "
    "right value"
)

SHAPE_BIAS = BenchmarkCard(
    identifier="Hermann2020cueconflict-shape_bias",
    factory="corteval_hermann2020.benchmark:CueConflict",
    summary="1,200 images of conflicting shape and texture: share of shape in decisions for either",
    licence="MIT",
    bibtex=_BIBTEX,
    data=("brainscore/Geirhos2021_cue-conflict",),
    metric="shape_preference",
    target="label",
    parent="engineering",
    controls=("{model}-untrained",),
    chance=0.5,
    options={"choices": CHOICES, "notes": (*_NOTES, _NO_PEOPLE)},
)

SHAPE_MATCH = BenchmarkCard(
    identifier="Hermann2020cueconflict-shape_match",
    factory="corteval_hermann2020.benchmark:CueConflict",
    summary="1,200 images of conflicting shape and texture: share answered by the shape",
    licence="MIT",
    bibtex=_BIBTEX,
    data=("brainscore/Geirhos2021_cue-conflict",),
    metric="accuracy",
    target="label",
    parent="engineering",
    controls=("{model}-untrained",),
    chance=1 / len(CHOICES),
    options={"choices": CHOICES, "notes": _NOTES},
)

SHAPE_PREFERENCE = MetricCard(
    identifier="shape_preference",
    factory="corteval_hermann2020.preference:ShapePreference",
    summary="Share of shape among decisions for the shape or the texture of an image",
    licence="MIT",
    bibtex=_BIBTEX,
    bounds=(0.0, 1.0),
    takes="choices",
    needs=("truth", "texture"),
    example="corteval_hermann2020.preference:example",
)
