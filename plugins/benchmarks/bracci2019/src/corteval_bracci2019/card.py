"""Cards of the benchmark on animals, lookalikes and objects in ventral temporal cortex."""

from __future__ import annotations

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

BRACCI2019 = """@article{bracci2019ventral,
  title = {The ventral visual pathway represents animal appearance over animacy, unlike human
           behavior and deep neural networks},
  author = {Bracci, Stefania and Ritchie, J. Brendan and Kalfas, Ioannis and Op de Beeck, Hans P.},
  journal = {Journal of Neuroscience}, volume = {39}, number = {33}, pages = {6513--6525},
  year = {2019},
  doi = {10.1523/JNEUROSCI.1714-18.2019}
}"""

_NOTES = (
    "the ceiling is how well a person's RDM agrees with the mean of the others: a model may exceed "
    "it",
    "whose a voxel is rests on the archive's labels, which may be wrong (see the package's README)",
)


def _card(words: str, form: str = "") -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Bracci2019.anteriorVTC-rdm{form}",
        factory="corteval_bracci2019.voxels:VoxelsRDM",
        summary=f"Human anterior VTC (fMRI), 27 images: {words}",
        licence="MIT",
        bibtex=BRACCI2019,
        data=("brainscore/Bracci2019",),
        metric="rdm",
        ceiling="rsa_lower",
        target="IT",
        species="human",
        parent=None if form else "IT",
        controls=RECORDING_CONTROLS["image"],
        options={
            "neuroids": {"roi": 2},
            "people": "averaged" if form else "separate",
            "visual_degrees": 8.0,
            "time_bins": ((70.0, 170.0),),
            "notes": _NOTES,
        },
    )


ANTERIOR_VTC = _card("Spearman's correlation of RDMs, mean over 12 people")
ANTERIOR_VTC_LEGACY = _card("RDM of voxels averaged over people, as published", "-legacy")
