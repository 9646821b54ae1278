"""Cards of the 92 images of Kriegeskorte et al. 2008."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/rsagroup/rsatoolbox/"
    "f1f83cadb7243492a1aae7460466e0f0140b20ac/demos/92imageData"
)

#: Images, their categories, and the RDMs of figure 1: of monkey IT and of mean human IT.
SUPPLEMENT = Resource(
    url=f"{_ROOT}/Kriegeskorte_Neuron2008_supplementalData.mat",
    sha256="06f21214399a5d43dc264eed19a7f4b8daf11c8622a59eec3e106064ce5e3504",
    size=3_603_779,
    licence="MIT",
)
HUMAN_IT_RDMS = Resource(
    url=f"{_ROOT}/92_brainRDMs.mat",
    sha256="1743f90a15e895798a94318649e80e1123a7e5943a1703fa1dd7c31ea5780b7c",
    size=224_663,
    licence="MIT",
)
BEHAVIOUR_RDMS = Resource(
    url=f"{_ROOT}/92_behavRDMs.mat",
    sha256="7a8e118c144c3840adeeeef6ea0706a0be2b3e80df719af15fbb56fc62562f5f",
    size=982_719,
    licence="MIT",
)
MODEL_RDMS = Resource(
    url=f"{_ROOT}/92_modelRDMs.mat",
    sha256="e1d2b58bb2f9508bc13da4c81b94d1ab07823b25ed30b9563bd9d6d730c2a00a",
    size=333_004,
    licence="MIT",
)

_NEURON = """@article{kriegeskorte2008neuron,
  title = {Matching categorical object representations in inferior temporal cortex of man and
           monkey},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Ruff, Douglas A. and Kiani, Roozbeh and
            Bodurka, Jerzy and Esteky, Hossein and Tanaka, Keiji and Bandettini, Peter A.},
  journal = {Neuron}, volume = {60}, number = {6}, pages = {1126--1141},
  year = {2008},
  doi = {10.1016/j.neuron.2008.10.043}
}"""
_KIANI = """@article{kiani2007object,
  title = {Object category structure in response patterns of neuronal population in monkey
           inferior temporal cortex},
  author = {Kiani, Roozbeh and Esteky, Hossein and Mirpour, Koorosh and Tanaka, Keiji},
  journal = {Journal of Neurophysiology}, volume = {97}, number = {6}, pages = {4296--4309},
  year = {2007},
  doi = {10.1152/jn.00024.2007}
}"""
_MUR = """@article{mur2013human,
  title = {Human object-similarity judgments reflect and transcend the primate-{IT} object
           representation},
  author = {Mur, Marieke and Meys, Mirjam and Bodurka, Jerzy and Goebel, Rainer and
            Bandettini, Peter A. and Kriegeskorte, Nikolaus},
  journal = {Frontiers in Psychology}, volume = {4}, pages = {128},
  year = {2013},
  doi = {10.3389/fpsyg.2013.00128}
}"""
_TOOLBOX = """@article{nili2014toolbox,
  title = {A toolbox for representational similarity analysis},
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and
            Marslen-Wilson, William and Kriegeskorte, Nikolaus},
  journal = {PLoS Computational Biology}, volume = {10}, number = {4}, pages = {e1003553},
  year = {2014},
  doi = {10.1371/journal.pcbi.1003553}
}"""
_NOTES = (
    "Dissimilarities only: the response patterns behind them are not published.",
    "The repository is under MIT; the rights in the photographs are not stated.",
    "The files do not state the images' extent in degrees of visual angle.",
)


def _card(
    name: str,
    factory: str,
    summary: str,
    *,
    species: str,
    bibtex: str,
    rdms: tuple[Resource, ...] = (),
    notes: tuple[str, ...] = (),
) -> DataCard:
    return DataCard(
        identifier=f"Kriegeskorte2008.{name}",
        factory=f"corteval_kriegeskorte2008.data:{factory}",
        summary=summary,
        licence="MIT; rights in the photographs not stated",
        bibtex=f"{bibtex}\n{_TOOLBOX}",
        species=species,
        resources=(SUPPLEMENT, *rdms, MODEL_RDMS),
        notes=(*notes, *_NOTES),
    )


HUMAN_IT = _card(
    "humanIT",
    "HumanIT",
    "RDMs of human IT (fMRI), 92 images, 4 subjects in 2 sessions",
    species="human",
    bibtex=_NEURON,
    rdms=(HUMAN_IT_RDMS,),
    notes=(
        "Four subjects, two of them weak: Spearman's correlation between a subject's sessions is "
        ".28, .10, .38 and .12.",
    ),
)
MONKEY_IT = _card(
    "monkeyIT",
    "MonkeyIT",
    "RDM of 674 neurons of macaque IT, 92 images",
    species="macaque",
    bibtex=f"{_NEURON}\n{_KIANI}",
    notes=("One RDM of all neurons, so no ceiling can be computed.",),
)
BEHAVIOUR = _card(
    "behaviour",
    "Behaviour",
    "RDMs of human similarity judgements, 92 images, 16 subjects",
    species="human",
    bibtex=f"{_MUR}\n{_NEURON}",
    rdms=(BEHAVIOUR_RDMS,),
)
