"""Cards of the benchmarks: three sets of images, three questions."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

#: Buttons of the response screen, which is what a subject may answer.
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

_BIBTEX = """@inproceedings{geirhos2019imagenet,
  title = {{ImageNet}-trained {CNNs} are biased towards texture; increasing shape bias improves
           accuracy and robustness},
  author = {Geirhos, Robert and Rubisch, Patricia and Michaelis, Claudio and Bethge, Matthias and
            Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}"""

_SETS = {
    "cueconflict": "320 images with shape and texture of two classes",
    "edge": "160 images reduced to edges",
    "silhouette": "160 images reduced to silhouettes",
}
_QUESTIONS = {
    "error_consistency": "consistency of errors",
    "accuracy": "accuracy",
    "shape_bias": "similarity of shape bias",
}
_SHAPE_IS_RIGHT = "right is the class of the shape"
_NOTES = {
    ("cueconflict", "error_consistency"): (_SHAPE_IS_RIGHT,),
    ("cueconflict", "accuracy"): (_SHAPE_IS_RIGHT,),
    ("cueconflict", "shape_bias"): (
        "the raw score is the similarity of the subject's shape bias to that of each person, not "
        "the bias itself",
    ),
}


def _card(images: str, metric: str, *, chance: float = 0.0) -> BenchmarkCard:
    """Card of one question about one set; `chance` is the score of one who guesses."""
    return BenchmarkCard(
        identifier=f"Geirhos2019.{images}-{metric}",
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary=f"10 people, {_SETS[images]}: {_QUESTIONS[metric]}",
        licence="MIT",
        bibtex=_BIBTEX,
        data=(f"Geirhos2019.{images}",),
        metric=metric,
        ceiling=f"human_{metric}",
        target="label",
        species="human",
        parent=f"Geirhos2019-{metric}",
        controls=("{model}-untrained",),
        chance=chance,
        options={"choices": CHOICES, "notes": _NOTES.get((images, metric), ())},
    )


CUE_CONFLICT_ERROR_CONSISTENCY = _card("cueconflict", "error_consistency")
CUE_CONFLICT_ACCURACY = _card("cueconflict", "accuracy")
CUE_CONFLICT_SHAPE_BIAS = _card("cueconflict", "shape_bias", chance=0.54)
EDGE_ERROR_CONSISTENCY = _card("edge", "error_consistency")
EDGE_ACCURACY = _card("edge", "accuracy")
SILHOUETTE_ERROR_CONSISTENCY = _card("silhouette", "error_consistency")
SILHOUETTE_ACCURACY = _card("silhouette", "accuracy")
