"""Cards of the benchmarks of object solution times, and of the times themselves."""

from __future__ import annotations

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard, DataCard, Resource

KAR2019 = """@article{kar2019evidence,
  title = {Evidence that recurrent circuits are critical to the ventral stream's execution of core
           object recognition behavior},
  author = {Kar, Kohitij and Kubilius, Jonas and Schmidt, Kailyn and Issa, Elias B. and
            DiCarlo, James J.},
  journal = {Nature Neuroscience},
  volume = {22},
  number = {6},
  pages = {974--983},
  year = {2019},
  doi = {10.1038/s41593-019-0392-5}
}"""

VISUAL_DEGREES, TRIALS, CEILING = 8, 44, 0.79
TIME_BINS = tuple((start, start + 10) for start in range(70, 250, 10))


def _card(metric: str, words: str) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Kar2019-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque IT, 1,318 images: object solution times, {words}",
        licence="MIT",
        bibtex=KAR2019,
        data=("Kar2019",),
        metric=metric,
        target="IT",
        species="macaque",
        parent="IT",
        controls=RECORDING_CONTROLS["image"],
        options={
            "model_trials": TRIALS,
            "time_bins": TIME_BINS,
            "over_time": "whole",
            "published_ceiling": CEILING,
            "data_options": {"visual_degrees": VISUAL_DEGREES},
            "notes": ("responses that do not change in time have no score",),
        },
    )


OST = _card("ost", "readouts trained briefly, as published")
OST_EXACT = _card("ost-exact", "readouts at their optimum")

_BUCKET = "https://brainscore-storage.s3.amazonaws.com/brainio-brainscore"
_LICENCE = "none recorded in the registry"


def _pinned(name: str, sha1: str) -> Resource:
    """A file of Brain-Score's archive, whose registry gives no size."""
    return Resource(url=f"{_BUCKET}/{name}", sha1=sha1, licence=_LICENCE)


DATA = DataCard(
    identifier="Kar2019",
    factory="corteval_kar2019.data:Kar2019",
    summary="When macaque IT solves 1,318 images of ten objects, as times in ms",
    licence=_LICENCE,
    bibtex=KAR2019,
    resources=(
        _pinned("assy_dicarlo_Kar2019.nc", "147717ce397e11d56164d472063a84a83bbcbb94"),
        _pinned("stimulus_Kar2019.csv", "7f705bdea02c0a72a76d7f5e7b6963531df818a6"),
        _pinned("stimulus_Kar2019.zip", "75ab7b8b499fc8e86c813f717b79d268bcb986be"),
    ),
    access="private",
    species="macaque",
    notes=(
        "The files are those of brainscore/Kar2019. Metadata of Brain-Score's benchmarks call them "
        "private; nobody tried the address here.",
        "Two of 1,320 images are there twice: the first of each is kept.",
    ),
)
