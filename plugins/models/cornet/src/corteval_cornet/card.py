"""Cards of the CORnets."""

from __future__ import annotations

from corteval.cards import ModelCard

_BIBTEX = """@article{kubilius2018cornet,
  title = {{CORnet}: Modeling the Neural Mechanisms of Core Object Recognition},
  author = {Kubilius, Jonas and Schrimpf, Martin and Nayebi, Aran and Bear, Daniel and
            Yamins, Daniel L. K. and DiCarlo, James J.},
  journal = {bioRxiv},
  year = {2018},
  doi = {10.1101/408385}
}

@inproceedings{kubilius2019brainlike,
  title = {Brain-Like Object Recognition with High-Performing Shallow Recurrent {ANNs}},
  author = {Kubilius, Jonas and Schrimpf, Martin and Kar, Kohitij and Rajalingham, Rishi and
            Hong, Ha and Majaj, Najib J. and Issa, Elias B. and Bashivan, Pouya and
            Prescott-Roy, Jonathan and Schmidt, Kailyn and Nayebi, Aran and Bear, Daniel and
            Yamins, Daniel L. K. and DiCarlo, James J.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019}
}"""

_WEIGHTS = "code MIT; weights as their publisher says (public CORnet repository: GPL-3.0)"


def _trained(
    identifier: str, summary: str, parameters: int, *, published: bool = True
) -> ModelCard:
    training = "trained on ImageNet, weights to be given" if published else "weights to be given"
    return ModelCard(
        identifier=identifier,
        factory="corteval_cornet.model:build",
        options={"identifier": identifier},
        summary=f"{summary}; {training}",
        licence=_WEIGHTS,
        weights_to_get=True,
        bibtex=_BIBTEX,
        parameters=parameters,
        training_data=frozenset({"ImageNet"} if published else ()),
    )


def _untrained(identifier: str, summary: str, parameters: int) -> ModelCard:
    return ModelCard(
        identifier=f"{identifier}-untrained",
        factory="corteval_cornet.model:build_untrained",
        options={"identifier": f"{identifier}-untrained"},
        summary=f"{summary}; random weights",
        licence="MIT",
        bibtex=_BIBTEX,
        parameters=parameters,
    )


_S = ("cornet-s", "CORnet-S: recurrent V2, V4, IT", 53_416_616)
_Z = ("cornet-z", "CORnet-Z: feed-forward, a layer an area", 2_071_656)
_R = ("cornet-r", "CORnet-R: all areas recurrent", 5_208_936)
_RT = ("cornet-rt", "CORnet-RT: R in biological time", 5_208_936)
_S222 = ("cornet-s222", "CORnet-S with 2, 2, 2 steps", 53_407_400)
_S444 = ("cornet-s444", "CORnet-S with 4, 4, 4 steps", 53_439_656)
_S484 = ("cornet-s484", "CORnet-S, smaller, 4, 8, 4 steps", 17_638_568)
_S10 = ("cornet-s10", "CORnet-S, smaller, 10, 10, 10 steps", 17_682_088)

CORNET_S, CORNET_S_UNTRAINED = _trained(*_S), _untrained(*_S)
CORNET_Z, CORNET_Z_UNTRAINED = _trained(*_Z), _untrained(*_Z)
CORNET_R, CORNET_R_UNTRAINED = _trained(*_R), _untrained(*_R)
CORNET_RT, CORNET_RT_UNTRAINED = _trained(*_RT), _untrained(*_RT)
CORNET_S222, CORNET_S222_UNTRAINED = _trained(*_S222, published=False), _untrained(*_S222)
CORNET_S444, CORNET_S444_UNTRAINED = _trained(*_S444, published=False), _untrained(*_S444)
CORNET_S484, CORNET_S484_UNTRAINED = _trained(*_S484, published=False), _untrained(*_S484)
CORNET_S10, CORNET_S10_UNTRAINED = _trained(*_S10, published=False), _untrained(*_S10)
