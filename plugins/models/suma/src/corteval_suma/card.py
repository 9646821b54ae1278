"""Cards of SUMA and its seeds."""

from __future__ import annotations

from corteval.cards import ModelCard

_BIBTEX = """@article{alkhamissi2024suma,
  title = {Brain-like language processing via a shallow untrained multihead attention network},
  author = {AlKhamissi, Badr and Tuckute, Greta and Bosselut, Antoine and Schrimpf, Martin},
  journal = {arXiv:2406.15109}, year = {2024}}"""

#: Of a vocabulary of 32,000 and a width of 4,096: embedding, four projections, two norms.
PARAMETERS = 32_000 * 4_096 + 4 * 4_096**2 + 2 * 4_096


def _card(identifier: str, seed: int) -> ModelCard:
    return ModelCard(
        identifier=identifier,
        factory="corteval_suma.model:build",
        summary=f"Untrained attention: 512 heads, two cycles, 4,096 localized units (seed {seed})",
        licence="MIT",
        bibtex=_BIBTEX,
        options={"identifier": identifier, "seed": seed},
        modalities=frozenset({"text"}),
        parameters=PARAMETERS,
    )


SUMA = _card("suma", 42)
SUMA_SEED10 = _card("suma-seed10", 10)
SUMA_SEED20 = _card("suma-seed20", 20)
SUMA_SEED30 = _card("suma-seed30", 30)
SUMA_SEED50 = _card("suma-seed50", 50)
