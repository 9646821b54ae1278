"""Cards of the VOneNets."""

from __future__ import annotations

from corteval.cards import ModelCard

_BIBTEX = """@inproceedings{dapello2020simulating,
  title = {Simulating a Primary Visual Cortex at the Front of {CNNs} Improves Robustness to Image
           Perturbations},
  author = {Dapello, Joel and Marques, Tiago and Schrimpf, Martin and Geiger, Franziska and
            Cox, David D. and DiCarlo, James J.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {33},
  year = {2020}
}"""

_WEIGHTS = "code MIT; weights as their publisher says (public VOneNet repository: GPL-3.0)"

VONENET_V1 = ModelCard(
    identifier="vonenet-v1",
    factory="corteval_vonenet.model:build_v1",
    options={"identifier": "vonenet-v1"},
    summary="VOneNet's V1 alone: 512 Gabor filters drawn from macaque statistics, neuronal noise",
    licence="MIT",
    bibtex=_BIBTEX,
    parameters=1_920_000,
)


def _trained(identifier: str, summary: str, parameters: int) -> ModelCard:
    return ModelCard(
        identifier=identifier,
        factory="corteval_vonenet.model:build",
        options={"identifier": identifier},
        summary=f"{summary}; trained on ImageNet, weights to be given",
        licence=_WEIGHTS,
        weights_to_get=True,
        bibtex=_BIBTEX,
        parameters=parameters,
        training_data=frozenset({"ImageNet"}),
    )


def _untrained(identifier: str, summary: str, parameters: int) -> ModelCard:
    return ModelCard(
        identifier=f"{identifier}-untrained",
        factory="corteval_vonenet.model:build_untrained",
        options={"identifier": f"{identifier}-untrained"},
        summary=f"{summary}; random weights behind V1",
        licence="MIT",
        bibtex=_BIBTEX,
        parameters=parameters,
    )


_RESNET50 = ("voneresnet50", "VOneNet's noisy V1 before ResNet-50", 27_500_264)
_NS = ("voneresnet50-ns", "VOneNet's V1 without noise before ResNet-50", 27_500_264)
_AT = ("voneresnet50-at", "VOneNet's noisy V1 before ResNet-50, adversarial", 27_500_264)
_ALEXNET = ("vonealexnet", "VOneNet's V1 without noise before AlexNet", 76_661_800)
_CORNET_S = ("vonecornet-s", "VOneNet's noisy V1 before CORnet-S", 55_322_856)

VONERESNET50, VONERESNET50_UNTRAINED = _trained(*_RESNET50), _untrained(*_RESNET50)
VONERESNET50_NS, VONERESNET50_NS_UNTRAINED = _trained(*_NS), _untrained(*_NS)
VONERESNET50_AT = _trained(*_AT)
VONEALEXNET, VONEALEXNET_UNTRAINED = _trained(*_ALEXNET), _untrained(*_ALEXNET)
VONECORNET_S, VONECORNET_S_UNTRAINED = _trained(*_CORNET_S), _untrained(*_CORNET_S)
