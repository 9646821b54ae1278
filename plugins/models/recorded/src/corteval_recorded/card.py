"""Card of recorded subjects."""

from __future__ import annotations

from corteval.cards import ModelFamily

RECORDED = ModelFamily(
    identifier="recorded",
    factory="corteval_recorded.family:build",
    summary="Recorded decisions or responses, added by `corteval recorded add`; member = its name",
    licence="as given with each recording",
    # a stimulus is known by its id, whatever it is
    modalities=frozenset({"image", "text", "video"}),
    members=("example",),
    isolated=False,
    files="corteval_recorded.shelf:files_of",
)
