"""Cards of four sets of objects without surfaces."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

#: Categories of the objects, which is what a subject may answer.
CHOICES = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "bottle",
    "car",
    "cat",
    "chair",
    "elephant",
    "knife",
)

#: The publisher of the data names no article: it was to appear.
_BIBTEX = """@misc{bmd2024,
  title = {{BMD2024}: objects of texture and of dots},
  note = {Data sets BMD_2024_texture_1, BMD_2024_texture_2, BMD_2024_dotted_1 and BMD_2024_dotted_2
          of Brain-Score; no article was named},
  url = {https://github.com/brain-score/vision},
  year = {2024}
}"""


def _card(name: str, people: int, images: str, ceiling: float) -> BenchmarkCard:
    """Card of one set.

    Args:
        name: of the set.
        people: who took part.
        images: what they saw.
        ceiling: as published; noted, since it can be computed.
    """
    return BenchmarkCard(
        identifier=f"BMD2024.{name}Behavioral-accuracy_distance",
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary=f"{people} people, 100 {images}: similarity of accuracy",
        licence="MIT",
        bibtex=_BIBTEX,
        data=(f"brainscore/BMD2024.{name}",),
        metric="accuracy_distance",
        ceiling="human_accuracy_distance",
        target="label",
        species="human",
        parent="BMD2024",
        controls=("{model}-untrained",),
        options={
            "choices": CHOICES,
            "visual_degrees": 8.0,
            "notes": (f"the published ceiling is {ceiling}",),
        },
    )


TEXTURE_1 = _card("texture_1", 51, "silhouettes filled with one character", 0.983)
TEXTURE_2 = _card("texture_2", 52, "silhouettes filled with another character", 0.973)
DOTTED_1 = _card("dotted_1", 54, "outlines of near dots", 0.978)
DOTTED_2 = _card("dotted_2", 54, "outlines of far dots", 0.931)
