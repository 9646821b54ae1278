"""Card of the family of all text models of transformers."""

from __future__ import annotations

from corteval.cards import ModelFamily

HF = ModelFamily(
    identifier="hf",
    factory="corteval_transformers.model:build",
    summary="Text models of transformers: a repository of the hub, or a local folder",
    licence="code Apache-2.0; weights their own",
    bibtex="""@inproceedings{wolf2020transformers,
  title = {Transformers: State-of-the-Art Natural Language Processing},
  author = {Wolf, Thomas and others},
  booktitle = {Conference on Empirical Methods in Natural Language Processing: Demonstrations},
  year = {2020},
  doi = {10.18653/v1/2020.emnlp-demos.6}
}""",
    members=("gpt2", "distilgpt2", "gpt2-xl", "EleutherAI/pythia-160m", "FacebookAI/roberta-base"),
    modalities=frozenset({"text"}),
    files="corteval_transformers.names:files_of",
)
