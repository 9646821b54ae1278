"""The conformance kit on a small file of solution times in the archive's form."""

import numpy as np
import pytest

from corteval_brainscore.imitation import imitated, picture


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Sixty images of three objects, one of them twice."""
    rng = np.random.default_rng(0)
    ids = [*[f"image-{n:02d}" for n in range(60)], "image-00"]
    rows = [
        {"image_id": i, "filename": f"{n:02d}.png", "image_label": f"object-{n % 3}"}
        for n, i in enumerate(ids)
    ]
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        files = {row["filename"]: picture(n) for n, row in enumerate(rows)}
        archive.add_stimuli("Kar2019", rows, files)
        archive.add_assembly(
            "Kar2019",
            rng.uniform(90, 200, (2, 61)),
            ("decoder", "presentation"),
            {
                "decoder": (("decoder",), ["svm", "logistic"]),
                "image_id": (("presentation",), ids),
                "i1": (("presentation",), np.full(61, 2.5)),
            },
            stimulus_set="Kar2019",
            form="DataAssembly",
        )
        yield


@pytest.mark.conformance(
    "Kar2019-ost",
    "Kar2019-ost-exact",
    "Kar2019",
)
def test_conformance(identifier, check):
    check(identifier)
