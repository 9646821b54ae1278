"""Cards of the data, which a user provides, and of the benchmarks."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, DataCard

#: Corruptions of each category, in the order of the published benchmarks.
CORRUPTIONS = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise"),
    "blur": ("glass_blur", "motion_blur", "zoom_blur", "defocus_blur"),
    "weather": ("snow", "frost", "fog", "brightness"),
    "digital": ("pixelate", "contrast", "elastic_transform", "jpeg_compression"),
}

_IMAGENET_TERMS = "ImageNet licence (https://image-net.org/download.php)"

_DENG = """@inproceedings{deng2009imagenet,
  title = {{ImageNet}: A large-scale hierarchical image database},
  author = {Deng, Jia and Dong, Wei and Socher, Richard and Li, Li-Jia and Li, Kai and Fei-Fei, Li},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages = {248--255},
  year = {2009}
}"""
_RUSSAKOVSKY = """@article{russakovsky2015imagenet,
  title = {{ImageNet} Large Scale Visual Recognition Challenge},
  author = {Russakovsky, Olga and Deng, Jia and Su, Hao and Krause, Jonathan and Satheesh, Sanjeev
            and Ma, Sean and Huang, Zhiheng and Karpathy, Andrej and Khosla, Aditya and Bernstein,
            Michael and Berg, Alexander C. and Fei-Fei, Li},
  journal = {International Journal of Computer Vision},
  volume = {115},
  pages = {211--252},
  year = {2015},
  doi = {10.1007/s11263-015-0816-y}
}"""
_HENDRYCKS = """@inproceedings{hendrycks2019benchmarking,
  title = {Benchmarking neural network robustness to common corruptions and perturbations},
  author = {Hendrycks, Dan and Dietterich, Thomas},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}"""
_BARBU = """@inproceedings{barbu2019objectnet,
  title = {{ObjectNet}: A large-scale bias-controlled dataset for pushing the limits of object
           recognition models},
  author = {Barbu, Andrei and Mayo, David and Alverio, Julian and Luo, William and Wang, Christopher
            and Gutfreund, Dan and Tenenbaum, Josh and Katz, Boris},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019}
}"""
_YOURS = "You provide the images; they are read where they lie and never copied."

IMAGENET = DataCard(
    identifier="ImageNet",
    factory="corteval_imagenet.data:ImageNet",
    summary="The 50,000 validation images of ILSVRC 2012, as a user provides them",
    licence=_IMAGENET_TERMS,
    bibtex=f"{_DENG}\n{_RUSSAKOVSKY}",
    access="on request",
    notes=(_YOURS,),
)


def _corrupted(category: str) -> DataCard:
    kinds = ", ".join(CORRUPTIONS[category]).replace("_", " ")
    return DataCard(
        identifier=f"ImageNet-C-{category}",
        factory="corteval_imagenet.data:ImageNetC",
        summary=f"Validation images of ImageNet with {kinds}",
        licence=_IMAGENET_TERMS,
        bibtex=f"{_HENDRYCKS}\n{_DENG}",
        options={"category": category},
        access="public",
        notes=(
            _YOURS,
            f"brainscore/imagenet_c.{category} has the same images, if you may have it.",
            "The licence of its publisher was not looked up.",
        ),
    )


NOISE = _corrupted("noise")
BLUR = _corrupted("blur")
WEATHER = _corrupted("weather")
DIGITAL = _corrupted("digital")


def _top1(
    identifier: str, summary: str, data: str, bibtex: str, chance: float, **options: Any
) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=identifier,
        factory="corteval_imagenet.benchmark:TopOne",
        summary=summary,
        licence="MIT",
        bibtex=bibtex,
        data=(data,),
        metric="accuracy",
        target="label",
        parent="engineering",
        controls=("{model}-untrained",),
        chance=chance,
        options=options,
    )


IMAGENET_TOP1 = _top1(
    "ImageNet-top1",
    "50,000 validation images: share whose class is named among 1,000",
    "ImageNet",
    f"{_DENG}\n{_RUSSAKOVSKY}",
    0.001,
    conditions=("synset",),
)


def _robust(category: str) -> BenchmarkCard:
    return _top1(
        f"ImageNet-C-{category}-top1",
        f"{len(CORRUPTIONS[category])} corruptions at 5 severities ({category}): classes named",
        f"ImageNet-C-{category}",
        f"{_HENDRYCKS}\n{_DENG}",
        0.001,
        conditions=("noise_type", "noise_level"),
        every=10,
        notes=("every tenth image, as the published benchmark",),
    )


NOISE_TOP1 = _robust("noise")
BLUR_TOP1 = _robust("blur")
WEATHER_TOP1 = _robust("weather")
DIGITAL_TOP1 = _robust("digital")

OBJECTNET_TOP1 = _top1(
    "ObjectNet-top1",
    "17,261 photographs of objects in unusual views and places: share of classes named",
    "brainscore/BarbuMayo2019",
    f"{_BARBU}\n{_DENG}",
    0.001,
    conditions=("synset",),
)
