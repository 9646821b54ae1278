"""The conformance kit; the benchmark on a file in the archive's form."""

import numpy as np
import pytest

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module")
def thousand_sentences(tmp_path_factory):
    """One neuroid, as the archive has the mean of five people."""
    rng = np.random.default_rng(0)
    causes = rng.standard_normal((1000, 3))
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        archive.add_words(
            "Tuckute2024.language",
            causes.sum(axis=1)[:, None] + rng.standard_normal((1000, 1)),
            ("presentation", "neuroid"),
            {
                "stimulus_id": (("presentation",), [f"T.{n}" for n in rng.permutation(1000)]),
                "stimulus": (("presentation",), [f"Sentence {n} is one." for n in range(1000)]),
                "cond": (("presentation",), ["B"] * 1000),
                "neuroid_id": (("neuroid",), [1]),
                "subject_UID": (("neuroid",), ["848, 853, 865, 875, 876"]),
                "roi": (("neuroid",), ["lang_LH_netw"]),
            },
        )
        yield


@pytest.mark.conformance(
    "drive_suppress",
    "drive_suppress_noiseless",
    "drive_suppress_half",
    "drive_suppress_ncsnr",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.usefixtures("thousand_sentences")
@pytest.mark.conformance("Tuckute2024-drive_suppress")
def test_conformance_of_the_benchmark(identifier, check):
    check(identifier)
