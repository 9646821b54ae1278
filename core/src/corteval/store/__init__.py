"""Content-addressed arrays on disk that many processes share: computed once, verified when read.

from corteval import store

shelf = store.active()
artifact = shelf.artifact("activations", {"model": "pixels", "layer": "image"}, rows=640)
if not artifact.complete:
    with shelf.claim([artifact]):
        for index in artifact.missing():
            artifact.write(index, responses_of(artifact.rows_of(index)))
        artifact.publish(seconds=12.5)
first = artifact.block(0)
"""

from corteval.store.artifact import Artifact
from corteval.store.contents import Damage, Entry, Removal
from corteval.store.folder import Store, active, using

__all__ = ["Store", "Artifact", "active", "using", "Damage", "Entry", "Removal"]
