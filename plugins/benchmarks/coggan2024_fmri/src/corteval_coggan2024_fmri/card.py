"""Cards of the benchmarks on fMRI of occluded objects."""

from __future__ import annotations

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

COGGAN2024 = """@unpublished{coggan2024evidence,
  title = {Evidence of strong amodal completion in both early and high-level visual cortices},
  author = {Coggan, David D. and Tong, Frank},
  year = {2024},
  note = {Under review when the benchmark was published}
}"""

_NOTES = (
    "model units count whose mean response exceeds 3.1 standard deviations of the units' means",
    "the ceiling is how well a person's similarities agree with the mean of the others: a model "
    "may exceed it",
)


def _card(region: str, form: str = "") -> BenchmarkCard:
    words = (
        "(r/c)^2 of similarities, as published"
        if form
        else ("Pearson's correlation of similarities")
    )
    return BenchmarkCard(
        identifier=f"Coggan2024_fMRI.{region}-rdm{form}",
        factory="corteval_coggan2024_fmri.similarities:OccludedObjects",
        summary=f"Human {region} (fMRI), occluded objects, 9 people: {words}",
        licence="MIT",
        bibtex=COGGAN2024,
        data=("brainscore/Coggan2024_fMRI",),
        metric="rdm-pearson",
        ceiling="rsa_lower",
        target=region,
        species="human",
        parent=None if form else region,
        controls=RECORDING_CONTROLS["image"],
        options={
            "normalization": "(r/c)^2" if form else "r/c",
            "visual_degrees": 9.0,
            "time_bins": ((0.0, 250.0),),
            "ceiling_options": {"comparison": "pearson"},
            "notes": _NOTES,
        },
    )


V1 = _card("V1")
V2 = _card("V2")
V4 = _card("V4")
IT = _card("IT")
V1_LEGACY = _card("V1", "-legacy")
V2_LEGACY = _card("V2", "-legacy")
V4_LEGACY = _card("V4", "-legacy")
IT_LEGACY = _card("IT", "-legacy")
