"""Card of the benchmark."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

_BIBTEX = """@article{hebart2023things,
  title = {{THINGS}-data, a multimodal collection of large-scale datasets for investigating object
           representations in human brain and behavior},
  author = {Hebart, Martin N. and Contier, Oliver and Teichmann, Lina and Rockter, Adam H. and
            Zheng, Charles Y. and Kidder, Alexis and Corriveau, Anna and Vaziri-Pashkam, Maryam and
            Baker, Chris I.},
  journal = {eLife},
  volume = {12},
  pages = {e82580},
  year = {2023},
  doi = {10.7554/eLife.82580}
}"""

#: Coordinates of a trial with the ids of what was shown; the last is what people chose.
_SHOWN = ("image_1", "image_2", "image_3")

MATCH = BenchmarkCard(
    identifier="Hebart2023-match",
    factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
    summary="453,642 triplets of 1,854 things: which is the odd one out",
    licence="none recorded in the archive's registry; THINGS images may not be redistributed",
    bibtex=_BIBTEX,
    data=("brainscore/Hebart2023",),
    metric="accuracy",
    ceiling=None,
    target="odd_one_out",
    species="human",
    parent="behaviour",
    controls=("{model}-untrained",),
    options={
        "task": "odd_one_out",
        "triplets": _SHOWN,
        "truth": _SHOWN[-1],
        # trials are filed under what was odd: nothing else counts as recorded
        "data_options": {"recorded": False},
        "published_ceiling": (0.6767, "accuracy"),
        "visual_degrees": 8.0,
        # a draw of the bootstrap counts every triplet: a thousand of them take a minute and 3 GB
        "metric_options": {"resamples": 200},
        "notes": (
            "the ceiling is the share of people who agree with each other on a triplet, as "
            "published: it is of other triplets than these",
        ),
    },
)
