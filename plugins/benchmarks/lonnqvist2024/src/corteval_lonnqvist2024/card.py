"""Cards of the benchmarks: three groups of people, and the right answers."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

#: No article of these data is known; Brain-Score, which has them, says that one is to appear.
_BIBTEX = """@misc{lonnqvist2024brainscore,
  title = {Lonnqvist2024: data and benchmarks of contour integration in {Brain-Score}},
  author = {Lonnqvist, Ben and others},
  year = {2024},
  howpublished = {https://github.com/brain-score/vision},
  note = {article to appear}
}
@article{schrimpf2020integrative,
  title = {Integrative Benchmarking to Advance Neurally Mechanistic Models of Human Intelligence},
  author = {Schrimpf, Martin and Kubilius, Jonas and others},
  journal = {Neuron},
  year = {2020},
  doi = {10.1016/j.neuron.2020.07.040}
}"""
_LICENCE = "none recorded in the archive's registry"
_FIT = "brainscore/Lonnqvist2024_train"
_TASK = {
    "task": "probabilities",
    "fit": _FIT,
    "fit_label": "image_label",
    "visual_degrees": 17.70753,
}


def _group(member: str, people: int, where: str, chance: float) -> BenchmarkCard:
    """Card of one group.

    Args:
        member: of the archive, without the study.
        people: who took part.
        where: and how.
        chance: normalised score of guessing, from the published ceiling and the published raw
            score of AlexNet, whose accuracy is .45: .45 / raw is the accuracy of people.
    """
    return BenchmarkCard(
        identifier=f"Lonnqvist2024.{member.replace('-', '_')}-accuracy_distance",
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary=f"{people} people {where}: is a curve followed as often as they follow it",
        licence=_LICENCE,
        bibtex=_BIBTEX,
        data=(f"brainscore/Lonnqvist2024_{member}", _FIT),
        metric="accuracy_distance",
        ceiling="human_accuracy_distance",
        target="probabilities",
        species="human",
        parent="behaviour",
        controls=("{model}-untrained",),
        chance=chance,
        options=_TASK,
    )


INLAB_INSTRUCTIONS = _group("inlab-instructions", 10, "in the laboratory, instructed", 0.68)
INLAB_NO_INSTRUCTIONS = _group("inlab-no-instructions", 10, "in the laboratory", 0.83)
ONLINE_NO_INSTRUCTIONS = _group("online-no-instructions", 92, "online", 1.09)

ENGINEERING = BenchmarkCard(
    identifier="Lonnqvist2024.engineering-accuracy",
    factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
    summary="380 images of curves: share of right answers",
    licence=_LICENCE,
    bibtex=_BIBTEX,
    data=("brainscore/Lonnqvist2024_test", _FIT),
    metric="accuracy",
    ceiling=None,
    target="probabilities",
    parent="engineering",
    controls=("{model}-untrained",),
    chance=0.5,
    options={**_TASK, "truth": "image_label"},
)
