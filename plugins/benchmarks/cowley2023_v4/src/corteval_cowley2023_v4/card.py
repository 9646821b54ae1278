"""Cards of the V4 benchmarks. Parts and parameters are all there is: core builds the rest."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

COWLEY2023 = """@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and
            Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  doi = {10.1101/2023.11.22.568315}
}"""


def _card(metric: str, words: str) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Cowley2023.V4-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque V4, 640 images, 50 neurons: {words}",
        licence="MIT",
        bibtex=COWLEY2023,
        data=("Cowley2023",),
        metric=metric,
        ceiling="internal_consistency",
        target="V4",
        species="macaque",
        parent="V4",
        options={
            # Every image has at least six trials. The session is the only stratum, which gives the
            # splits that published numbers on these data were computed with.
            "trials": 6,
            "metric_options": {"cross_validation": {"stratify_by": "session"}},
            "notes": (
                "one animal, one session",
                "images have no stated size in degrees and fill the model's field of view",
            ),
        },
    )


V4_PLS = _card("pls", "partial least squares, explained variance over reliability")
V4_RIDGE = _card("ridge", "ridge regression, explained variance over reliability")
V4_RIDGECV = _card("ridgecv", "ridge regression, penalty by leave-one-out, explained variance")
V4_NEURON_TO_NEURON = _card("neuron_to_neuron", "best single model unit, explained variance")
