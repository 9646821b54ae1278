"""Cards of the benchmarks, and of the halves of the public images."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, DataCard

_BIBTEX = """@article{rajalingham2018large,
  title = {Large-Scale, High-Resolution Comparison of the Core Visual Object Recognition Behavior of
           Humans, Monkeys, and State-of-the-Art Deep Artificial Neural Networks},
  author = {Rajalingham, Rishi and Issa, Elias B. and Bashivan, Pouya and Kar, Kohitij and
            Schmidt, Kailyn and DiCarlo, James J.},
  journal = {Journal of Neuroscience},
  volume = {38},
  number = {33},
  pages = {7255--7269},
  year = {2018},
  doi = {10.1523/JNEUROSCI.0388-18.2018}
}"""
_LICENCE = "none recorded in the archive's registry"
_HALVINGS = {"repetitions": 10}

#: Over the root of the consistency of halves: what a perfect model without noise correlates with.
_DEFAULT = {
    "metric": "i2n",
    "ceiling": "human_i2n",
    "metric_options": _HALVINGS,
    "ceiling_options": _HALVINGS,
    "normalization": "r/sqrt(c)",
}
_LEGACY = {"metric": "i2n-noise-corrected", "ceiling": None, "metric_options": {"repetitions": 2}}
_LEGACY_NOTE = (
    "r over the root of the consistency of halves, for each of two halvings, and their mean: no "
    "other normalisation follows"
)
_CIRCULAR = (
    "as published, the read-out is fitted on the very images that are tested, with their labels"
)


def _card(
    identifier: str,
    summary: str,
    data: tuple[str, ...],
    comparison: dict[str, Any],
    *notes: str,
) -> BenchmarkCard:
    options = {name: v for name, v in comparison.items() if name not in ("metric", "ceiling")}
    return BenchmarkCard(
        identifier=identifier,
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary=summary,
        licence=_LICENCE,
        bibtex=_BIBTEX,
        data=data,
        metric=comparison["metric"],
        ceiling=comparison["ceiling"],
        target="probabilities",
        species="human",
        parent="behaviour",
        controls=("{model}-untrained",),
        options={
            "task": "probabilities",
            "fit": data[1],
            "fit_label": "image_label",
            "visual_degrees": 8.0,
            "notes": notes,
            **options,
        },
    )


_PRIVATE = ("brainscore/Rajalingham2018.private", "brainscore/objectome.public")
_PUBLIC = (
    "Rajalingham2018.public-test",
    "Rajalingham2018.public-fit",
    "brainscore/Rajalingham2018.public",
    "brainscore/objectome.public",
)

I2N = _card(
    "Rajalingham2018-i2n",
    "24 objects in 240 images: d' of each image against each other object",
    _PRIVATE,
    _DEFAULT,
)
I2N_LEGACY = _card(
    "Rajalingham2018-i2n-legacy",
    "24 objects in 240 images: d' of each image and object, two halvings as published",
    _PRIVATE,
    _LEGACY,
    _LEGACY_NOTE,
)
PUBLIC_I2N = _card(
    "Rajalingham2018public-i2n",
    "24 objects, fitted on 1080 and tested on 1080 other public images: d' of each",
    _PUBLIC,
    _DEFAULT,
)
PUBLIC_I2N_LEGACY = _card(
    "Rajalingham2018public-i2n-legacy",
    "24 objects in 2160 public images, fitted and tested on the same ones, as published",
    ("brainscore/Rajalingham2018.public", "brainscore/objectome.public"),
    _LEGACY,
    _LEGACY_NOTE,
    _CIRCULAR,
)


def _half(half: str, summary: str) -> DataCard:
    return DataCard(
        identifier=f"Rajalingham2018.public-{half}",
        factory="corteval_rajalingham2018.data:PublicHalf",
        summary=summary,
        licence=_LICENCE,
        bibtex=_BIBTEX,
        species="human",
        options={"half": half},
        notes=(
            "Half of brainscore/objectome.public and its trials. Which image is in which half "
            "follows from its id and is a choice of ours: the archive has no such halves.",
        ),
    )


PUBLIC_FIT = _half("fit", "Half of the public images of 24 objects, to fit read-outs on")
PUBLIC_TEST = _half("test", "The other half of the public images of 24 objects, to test on")
