"""Cards of the benchmarks on the dimensionality of shape and texture."""

from __future__ import annotations

import math

from corteval.cards import BenchmarkCard

ISLAM2021 = """@inproceedings{islam2021shape,
  title = {Shape or texture: Understanding discriminative features in {CNNs}},
  author = {Islam, Md Amirul and Kowal, Matthew and Esser, Patrick and Jia, Sen and
            Ommer, Bj{\\"o}rn and Derpanis, Konstantinos G. and Bruce, Neil},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
  url = {https://openreview.net/forum?id=NcFEZOi-rLa}
}"""


def _card(factor: str, region: str) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Islam2021-{factor}_{region.lower()}_dimensionality",
        factory="corteval_islam2021.pairs:FactorShare",
        summary=f"Share of a model's {region} units that {factor} occupies, 21,845 stylised images",
        licence="MIT",
        bibtex=ISLAM2021,
        data=("brainscore/Islam2021",),
        target=region,
        parent="engineering",
        controls=("pixels", "gabor-colour", "random-cnn", "{model}-untrained"),
        # of units that share nothing between the images of a pair
        chance=1 / (2 + math.e),
        options={"factor": factor, "time_bins": ((70.0, 170.0),)},
    )


SHAPE_V1 = _card("shape", "V1")
SHAPE_V2 = _card("shape", "V2")
SHAPE_V4 = _card("shape", "V4")
SHAPE_IT = _card("shape", "IT")
TEXTURE_V1 = _card("texture", "V1")
TEXTURE_V2 = _card("texture", "V2")
TEXTURE_V4 = _card("texture", "V4")
TEXTURE_IT = _card("texture", "IT")
