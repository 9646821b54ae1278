"""Cards: what `corteval list` reads. They import nothing but `corteval.cards`."""

from corteval.cards import BenchmarkCard, DataCard, ModelCard

MODEL = ModelCard(
    identifier="lab-edges",
    factory="lab_plugin.plugin:edges",
    summary="Local contrast on an 8 x 8 grid",
    licence="MIT",
)

DATA = DataCard(
    identifier="LabData2026",
    factory="lab_plugin.plugin:LabData",
    summary="Simulated V4 neurons, stand-in for the lab's own recordings",
    licence="unpublished",
    access="private",
    bibtex="@unpublished{lab2026, title = {Our recordings}, author = {The lab}, year = {2026}}",
)

BENCHMARK = BenchmarkCard(
    identifier="LabData2026.V4-ridge",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="The lab's V4 neurons: ridge regression",
    licence="unpublished",
    bibtex=DATA.bibtex,
    data=("LabData2026",),
    metric="ridge",
    ceiling="internal_consistency",
    target="V4",
)
