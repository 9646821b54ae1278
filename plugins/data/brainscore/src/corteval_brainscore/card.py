"""Card of the archive; `corteval_brainscore.catalogue` makes those of its members."""

from __future__ import annotations

from corteval.cards import DataFamily
from corteval_brainscore.members import MEMBERS

BRAINSCORE = DataFamily(
    identifier="brainscore",
    factory="corteval_brainscore.data:BrainScore",
    catalogue="corteval_brainscore.catalogue:card",
    summary="Brain-Score's archive: stimulus sets, assemblies and ceilings of vision and language",
    licence="none recorded in the registry",
    bibtex="""@article{schrimpf2020integrative,
  title = {Integrative Benchmarking to Advance Neurally Mechanistic Models of Human Intelligence},
  author = {Schrimpf, Martin and Kubilius, Jonas and others},
  journal = {Neuron},
  year = {2020},
  doi = {10.1016/j.neuron.2020.07.040}
}""",
    members=MEMBERS,
    access="on request",
)
