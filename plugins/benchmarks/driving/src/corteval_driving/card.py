"""Cards of the metric, its ceilings, and the benchmark on published data."""

from __future__ import annotations

from corteval.cards import BenchmarkCard, MetricCard

TUCKUTE = """@article{tuckute2024driving,
  title = {Driving and suppressing the human language network using large language models},
  author = {Tuckute, Greta and Sathe, Aalok and Srikant, Shashank and Taliaferro, Maya and
            Wang, Mingye and Schrimpf, Martin and Kay, Kendrick and Fedorenko, Evelina},
  journal = {Nature Human Behaviour}, volume = {8},
  year = {2024},
  doi = {10.1038/s41562-023-01783-7}
}"""

_ALLEN = """@article{allen2022massive,
  title = {A massive 7T fMRI dataset to bridge cognitive neuroscience and artificial intelligence},
  author = {Allen, Emily J. and St-Yves, Ghislain and Wu, Yihan and others},
  journal = {Nature Neuroscience},
  volume = {25},
  pages = {116--126},
  year = {2022}
}"""

DRIVE_SUPPRESS = MetricCard(
    identifier="drive_suppress",
    factory="corteval_driving.metric:DriveSuppress",
    summary="Measured contrast of the held-out stimuli predicted highest and lowest; median share",
    licence="MIT",
    bibtex=TUCKUTE,
    ceilings=("drive_suppress_noiseless", "drive_suppress_ncsnr", "drive_suppress_half"),
    cross_validated=True,
)

NOISELESS = MetricCard(
    identifier="drive_suppress_noiseless",
    factory="corteval_driving.ceiling:HalvesChoice",
    summary="Contrast that the noiseless response would choose, from choices by halves of trials",
    licence="MIT",
    bibtex=TUCKUTE,
    role="ceiling",
    takes="trials",
    options={"chosen_by": "noiseless"},
)

HALF = MetricCard(
    identifier="drive_suppress_half",
    factory="corteval_driving.ceiling:HalvesChoice",
    summary="Contrast, in one half of the trials, of stimuli chosen by the other half",
    licence="MIT",
    bibtex=TUCKUTE,
    role="ceiling",
    takes="trials",
    options={"chosen_by": "half"},
)

NCSNR = MetricCard(
    identifier="drive_suppress_ncsnr",
    factory="corteval_driving.ceiling:SignalToNoise",
    summary="Contrast that the noiseless response would choose, from the noise ceiling SNR",
    licence="MIT",
    bibtex=f"{TUCKUTE}\n\n{_ALLEN}",
    role="ceiling",
    takes="trials",
)

#: Sentences stand alone, so nothing can be known of their neighbours.
_CONTROLS = (
    "sentence-length",
    "word-frequency",
    "sentence-features",
    "randomembedding-100",
    "{model}-untrained",
)

TUCKUTE2024 = BenchmarkCard(
    identifier="Tuckute2024-drive_suppress",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="Human language network (fMRI), 1,000 sentences: driving and suppressing held-out ones",
    licence="MIT",
    bibtex=TUCKUTE,
    data=("brainscore/Tuckute2024.language",),
    metric="drive_suppress",
    target="language_system",
    species="human",
    parent="Tuckute2024",
    controls=_CONTROLS,
    options={
        # a thousand sentences that stand alone: no groups to keep together
        "metric_options": {"cross_validation": {"folds": "kfold", "count": 5, "group_by": None}},
        "notes": (
            "sentences are chosen among those recorded; the published study chose from 1.8 million "
            "and recorded what it chose",
            "raw score: the archive has the mean of five people only, from which no ceiling "
            "follows; the authors report a noise ceiling of r = .559 for it, which is about the "
            "share that the noiseless response attains",
        ),
    },
)
