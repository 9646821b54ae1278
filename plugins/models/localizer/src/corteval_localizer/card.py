"""Card of localized subjects."""

from __future__ import annotations

from corteval.cards import ModelFamily

LOCALIZED = ModelFamily(
    identifier="localized",
    factory="corteval_localizer.family:build",
    summary="Units of a language model that prefer sentences to non-words; member = [preset/]model",
    licence="as the model's",
    bibtex="""@article{fedorenko2010localized,
  title = {New method for fMRI investigations of language: defining ROIs functionally in
           individual subjects},
  author = {Fedorenko, Evelina and Hsieh, Po-Jang and Nieto-Castanon, Alfonso and
            Whitfield-Gabrieli, Susan and Kanwisher, Nancy},
  journal = {Journal of Neurophysiology}, volume = {104}, number = {2}, year = {2010}}
@article{alkhamissi2024localized,
  title = {The {LLM} language network: a neuroscientific approach for identifying causally
           task-relevant units},
  author = {AlKhamissi, Badr and Tuckute, Greta and Bosselut, Antoine and Schrimpf, Martin},
  journal = {arXiv:2411.02280}, year = {2024}}""",
    modalities=frozenset({"text"}),
    files="corteval_localizer.family:files_of",
    wraps="corteval_localizer.family:models_of",
)
