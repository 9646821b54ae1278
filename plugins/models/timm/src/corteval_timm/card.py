"""Cards of timm: the family of all its models, and classic models under names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corteval.cards import ModelCard, ModelFamily

_BSD, _APACHE, _NC = "BSD-3-Clause", "Apache-2.0", "CC-BY-NC-4.0"
_IMAGENET = ("ImageNet-1k",)


def _paper(key: str, title: str, authors: str, venue: str, year: int) -> str:
    return (
        f"@inproceedings{{{key},\n  title = {{{title}}},\n  author = {{{authors}}},\n"
        f"  booktitle = {{{venue}}},\n  year = {{{year}}}\n}}"
    )


_TIMM = """@misc{wightman2019timm,
  title = {{PyTorch} Image Models},
  author = {Wightman, Ross},
  year = {2019},
  doi = {10.5281/zenodo.4414861}
}"""
_VGG = _paper(
    "simonyan2015very",
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    "Simonyan, Karen and Zisserman, Andrew",
    "International Conference on Learning Representations",
    2015,
)
_RESNET = _paper(
    "he2016deep",
    "Deep Residual Learning for Image Recognition",
    "He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian",
    "IEEE Conference on Computer Vision and Pattern Recognition",
    2016,
)
_DENSENET = _paper(
    "huang2017densely",
    "Densely Connected Convolutional Networks",
    "Huang, Gao and Liu, Zhuang and van der Maaten, Laurens and Weinberger, Kilian Q.",
    "IEEE Conference on Computer Vision and Pattern Recognition",
    2017,
)
_INCEPTION_V3 = _paper(
    "szegedy2016rethinking",
    "Rethinking the Inception Architecture for Computer Vision",
    "Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and Shlens, Jon and "
    "Wojna, Zbigniew",
    "IEEE Conference on Computer Vision and Pattern Recognition",
    2016,
)
_INCEPTION_V4 = _paper(
    "szegedy2017inception",
    "Inception-v4, Inception-{ResNet} and the Impact of Residual Connections on Learning",
    "Szegedy, Christian and Ioffe, Sergey and Vanhoucke, Vincent and Alemi, Alexander A.",
    "AAAI Conference on Artificial Intelligence",
    2017,
)
_XCEPTION = _paper(
    "chollet2017xception",
    "Xception: Deep Learning with Depthwise Separable Convolutions",
    "Chollet, François",
    "IEEE Conference on Computer Vision and Pattern Recognition",
    2017,
)
_NASNET = _paper(
    "zoph2018learning",
    "Learning Transferable Architectures for Scalable Image Recognition",
    "Zoph, Barret and Vasudevan, Vijay and Shlens, Jonathon and Le, Quoc V.",
    "IEEE Conference on Computer Vision and Pattern Recognition",
    2018,
)
_PNASNET = _paper(
    "liu2018progressive",
    "Progressive Neural Architecture Search",
    "Liu, Chenxi and Zoph, Barret and Neumann, Maxim and Shlens, Jonathon and Hua, Wei and "
    "Li, Li-Jia and Fei-Fei, Li and Yuille, Alan and Huang, Jonathan and Murphy, Kevin",
    "European Conference on Computer Vision",
    2018,
)
_WSL = _paper(
    "mahajan2018exploring",
    "Exploring the Limits of Weakly Supervised Pretraining",
    "Mahajan, Dhruv and Girshick, Ross and Ramanathan, Vignesh and He, Kaiming and "
    "Paluri, Manohar and Li, Yixuan and Bharambe, Ashwin and van der Maaten, Laurens",
    "European Conference on Computer Vision",
    2018,
)
_EFFICIENTNET = _paper(
    "tan2019efficientnet",
    "{EfficientNet}: Rethinking Model Scaling for Convolutional Neural Networks",
    "Tan, Mingxing and Le, Quoc V.",
    "International Conference on Machine Learning",
    2019,
)
_ADVPROP = _paper(
    "xie2020adversarial",
    "Adversarial Examples Improve Image Recognition",
    "Xie, Cihang and Tan, Mingxing and Gong, Boqing and Wang, Jiang and Yuille, Alan L. and "
    "Le, Quoc V.",
    "IEEE/CVF Conference on Computer Vision and Pattern Recognition",
    2020,
)
_MOBILENET = _paper(
    "sandler2018mobilenetv2",
    "{MobileNetV2}: Inverted Residuals and Linear Bottlenecks",
    "Sandler, Mark and Howard, Andrew and Zhu, Menglong and Zhmoginov, Andrey and "
    "Chen, Liang-Chieh",
    "IEEE/CVF Conference on Computer Vision and Pattern Recognition",
    2018,
)

TIMM = ModelFamily(
    identifier="timm",
    factory="corteval_timm.model:build",
    summary="Every model of timm: name.tag is trained, name alone has random weights",
    licence="code Apache-2.0; weights their own, said with every score",
    bibtex=_TIMM,
    members=("resnet18", "resnet18.a1_in1k", "convnext_tiny.fb_in1k", "vit_small_patch16_224"),
)


def _classic(
    identifier: str,
    summary: str,
    name: str,
    parameters: int,
    licence: str,
    bibtex: str,
    layers: str = "",
    *,
    pixels: int = 224,
    training: tuple[str, ...] = _IMAGENET,
    chosen: str = "as in Brain-Score, which chose them by FreemanZiemba2013 and MajajHong2015",
    **model_options: Any,
) -> tuple[ModelCard, ModelCard]:
    """Cards with trained and with random weights.

    Args:
        identifier: of the trained one.
        summary: one line.
        name: timm's, with the tag of the weights.
        parameters, licence: of the weights.
        bibtex: of the architecture.
        layers: of V1, V2, V4 and IT, with spaces between; empty for the convention.
        pixels: of the input, as in Brain-Score.
        training: data.
        chosen: who chose the layers.
        model_options: of random networks.
    """
    committed: Mapping[str, str] = dict(zip(("V1", "V2", "V4", "IT"), layers.split(), strict=False))
    shared: dict[str, Any] = {"resize": "squash", "image_size": pixels}
    if committed:
        shared |= {"layers": committed, "layers_from": chosen}
    trained = ModelCard(
        identifier=identifier,
        factory="corteval_timm.model:build",
        options={"member": name, "identifier": identifier, **shared},
        summary=summary,
        licence=licence,
        bibtex=f"{bibtex}\n\n{_TIMM}",
        parameters=parameters,
        training_data=frozenset(training),
    )
    untrained = ModelCard(
        identifier=f"{identifier}-untrained",
        factory="corteval_timm.model:build",
        options={
            "member": f"{name}-untrained",
            "identifier": f"{identifier}-untrained",
            **shared,
            **({"model_options": model_options} if model_options else {}),
        },
        summary=f"{summary.partition(';')[0]}; random weights",
        licence="Apache-2.0",
        bibtex=f"{bibtex}\n\n{_TIMM}",
        parameters=parameters,
    )
    return trained, untrained


def _resnet(
    depth: int, weights: str, parameters: int, layers: str = "", pixels: int = 224
) -> tuple[ModelCard, ModelCard]:
    return _classic(
        f"resnet{depth}-{weights}",
        f"ResNet-{depth}; torchvision's weights {'V2' if weights == 'tv2' else 'V1'}",
        f"resnet{depth}.{weights}_in1k",
        parameters,
        _BSD,
        _RESNET,
        layers,
        pixels=pixels,
        zero_init_last=False,  # torchvision does not silence the residual branches at the start
    )


def _wsl(width: int, parameters: int, layers: str = "") -> tuple[ModelCard, ModelCard]:
    return _classic(
        f"resnext101_32x{width}d-wsl",
        f"ResNeXt-101 32x{width}d; weakly supervised on 940 million Instagram images",
        f"resnext101_32x{width}d.fb_wsl_ig1b_ft_in1k",
        parameters,
        _NC,
        _WSL,
        layers,
        training=("IG-1B-Targeted", "ImageNet-1k"),
        zero_init_last=False,
    )


def _advprop(size: str, parameters: int, layers: str) -> tuple[ModelCard, ModelCard]:
    return _classic(
        f"efficientnet_{size}-advprop",
        f"EfficientNet-{size.upper()}; trained with adversarial examples (AdvProp)",
        f"tf_efficientnet_{size}.ap_in1k",
        parameters,
        _APACHE,
        f"{_EFFICIENTNET}\n\n{_ADVPROP}",
        " ".join(f"blocks.{layer}" for layer in layers.split()),
    )


def _mobilenet(width: str, parameters: int, layers: str) -> tuple[ModelCard, ModelCard]:
    return _classic(
        f"mobilenetv2_{width}-ra",
        f"MobileNetV2 {width[0]}.{width[1]}; timm's training, not Google's of 2018",
        f"mobilenetv2_{width}.ra_in1k",
        parameters,
        _APACHE,
        _MOBILENET,
        layers,
        chosen="as in Brain-Score, which chose them for Google's weights of 2018",
    )


def _densenet(depth: int, parameters: int, layers: str) -> tuple[ModelCard, ModelCard]:
    return _classic(
        f"densenet{depth}",
        f"DenseNet-{depth}; torchvision's weights",
        f"densenet{depth}.tv_in1k",
        parameters,
        _APACHE,
        _DENSENET,
        " ".join(f"features.transition{number}.pool" for number in layers.split()),
    )


_16 = "features.16 features.16 features.16 features.23"
VGG16, VGG16_UNTRAINED = _classic(
    "vgg16", "VGG-16; torchvision's weights", "vgg16.tv_in1k", 138_357_544, _BSD, _VGG, _16
)
VGG19, VGG19_UNTRAINED = _classic(
    "vgg19", "VGG-19; torchvision's weights", "vgg19.tv_in1k", 143_667_240, _BSD, _VGG
)

DENSENET121, DENSENET121_UNTRAINED = _densenet(121, 7_978_856, "1 2 1 3")
DENSENET169, DENSENET169_UNTRAINED = _densenet(169, 14_149_480, "1 2 2 3")
DENSENET201, DENSENET201_UNTRAINED = _densenet(201, 20_013_928, "1 2 2 3")

INCEPTION_V3, INCEPTION_V3_UNTRAINED = _classic(
    "inception_v3",
    "Inception v3; torchvision's weights",
    "inception_v3.tv_in1k",
    23_834_568,
    _APACHE,
    _INCEPTION_V3,
    "Mixed_6a Mixed_6b Mixed_5b Mixed_7a",
)
INCEPTION_V4, INCEPTION_V4_UNTRAINED = _classic(
    "inception_v4",
    "Inception v4; Google's weights",
    "inception_v4.tf_in1k",
    42_679_816,
    _APACHE,
    _INCEPTION_V4,
    "features.7 features.12 features.6 features.13",
    pixels=299,
)
INCEPTION_RESNET_V2, INCEPTION_RESNET_V2_UNTRAINED = _classic(
    "inception_resnet_v2",
    "Inception-ResNet v2; Google's weights",
    "inception_resnet_v2.tf_in1k",
    55_843_464,
    _APACHE,
    _INCEPTION_V4,
    pixels=299,
)
XCEPTION, XCEPTION_UNTRAINED = _classic(
    "xception",
    "Xception; Chollet's weights",
    "legacy_xception.tf_in1k",
    22_855_952,
    _APACHE,
    _XCEPTION,
    " ".join(f"block{number}.rep.1.pointwise" for number in (3, 4, 3, 8)),
)
NASNETALARGE, NASNETALARGE_UNTRAINED = _classic(
    "nasnetalarge",
    "NASNet-A large; Google's weights",
    "nasnetalarge.tf_in1k",
    88_753_150,
    _APACHE,
    _NASNET,
    "cell_1 cell_2 cell_1 cell_12",
    pixels=331,
)
PNASNET5LARGE, PNASNET5LARGE_UNTRAINED = _classic(
    "pnasnet5large",
    "PNASNet-5 large; Google's weights",
    "pnasnet5large.tf_in1k",
    86_057_668,
    _APACHE,
    _PNASNET,
    "cell_0 cell_4 cell_2 cell_8",
    pixels=331,
)

RESNET18_TV, RESNET18_TV_UNTRAINED = _resnet(18, "tv", 11_689_512)
RESNET34_TV, RESNET34_TV_UNTRAINED = _resnet(34, "tv", 21_797_672)
RESNET50_TV, RESNET50_TV_UNTRAINED = _resnet(
    50, "tv", 25_557_032, "layer2.3 layer3.0 layer2.3 layer4.0"
)
RESNET101_TV, RESNET101_TV_UNTRAINED = _resnet(
    101, "tv", 44_549_160, "layer1.2 layer3.9 layer3.2 layer4.0"
)
RESNET152_TV, RESNET152_TV_UNTRAINED = _resnet(
    152, "tv", 60_192_808, "layer1.0 layer3.11 layer3.0 layer4.0"
)
RESNET50_TV2, RESNET50_TV2_UNTRAINED = _resnet(
    50, "tv2", 25_557_032, "layer1.0 layer3.0 layer2.3 layer4.0"
)
RESNET101_TV2, RESNET101_TV2_UNTRAINED = _resnet(
    101, "tv2", 44_549_160, "layer1.0 layer3.2 layer3.1 layer3.19"
)
RESNET152_TV2, RESNET152_TV2_UNTRAINED = _resnet(
    152, "tv2", 60_192_808, "layer1.0 layer3.1 layer3.1 layer3.29", pixels=299
)

# Brain-Score's layerX.Y.relu is the last of three calls, after the sum: timm's act3.
RESNEXT101_32X8D_WSL, RESNEXT101_32X8D_WSL_UNTRAINED = _wsl(
    8, 88_791_336, "layer1.0.act3 layer3.4.act3 layer2.1.act3 layer3.3.act3"
)
RESNEXT101_32X16D_WSL, RESNEXT101_32X16D_WSL_UNTRAINED = _wsl(16, 194_026_792)
RESNEXT101_32X32D_WSL, RESNEXT101_32X32D_WSL_UNTRAINED = _wsl(
    32, 468_530_472, "layer1.0.act3 layer3.0.act3 layer2.0.act3 layer3.21.act3"
)

# torchvision's features.N.M.stochastic_depth is a block's residual branch before the sum.
EFFICIENTNET_B0, EFFICIENTNET_B0_UNTRAINED = _classic(
    "efficientnet_b0",
    "EfficientNet-B0; timm's training, which is torchvision's too",
    "efficientnet_b0.ra_in1k",
    5_288_548,
    _APACHE,
    _EFFICIENTNET,
    " ".join(f"blocks.{layer}.drop_path" for layer in ("2.1", "5.1", "3.1", "5.1")),
)
# _blocks.N of efficientnet_pytorch numbers blocks through all of timm's stages.
EFFICIENTNET_B2_ADVPROP, EFFICIENTNET_B2_ADVPROP_UNTRAINED = _advprop(
    "b2", 9_109_994, "4.0 5.1 4.0 5.0"
)
EFFICIENTNET_B4_ADVPROP, EFFICIENTNET_B4_ADVPROP_UNTRAINED = _advprop(
    "b4", 19_341_616, "3.0 3.0 3.0 5.0"
)
EFFICIENTNET_B6_ADVPROP, EFFICIENTNET_B6_ADVPROP_UNTRAINED = _advprop(
    "b6", 43_040_704, "2.0 3.2 2.0 5.0"
)
EFFICIENTNET_B7_ADVPROP, EFFICIENTNET_B7_ADVPROP_UNTRAINED = _advprop(
    "b7", 66_347_960, "2.3 3.6 2.0 5.0"
)
EFFICIENTNET_B8_ADVPROP, EFFICIENTNET_B8_ADVPROP_UNTRAINED = _advprop(
    "b8", 87_413_142, "2.2 3.1 3.0 5.0"
)

# The first block lies in the stem of Hugging Face's model, so its layer.N is the block after N.
MOBILENETV2_100_RA, MOBILENETV2_100_RA_UNTRAINED = _mobilenet(
    "100", 3_504_872, "blocks.3.2 blocks.3.1 blocks.3.1 blocks.5.0"
)
MOBILENETV2_140_RA, MOBILENETV2_140_RA_UNTRAINED = _mobilenet(
    "140", 6_108_776, "blocks.2.1 blocks.3.1 blocks.3.1 blocks.5.0"
)
