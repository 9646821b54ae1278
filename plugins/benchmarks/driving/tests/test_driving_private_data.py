"""Two thousand sentences and mean responses of people, which never leave where they lie."""

import csv

import numpy as np
import pytest

from corteval.assembly import neural
from corteval.score import unnormalized
from corteval_driving.metric import DriveSuppress


@pytest.fixture(scope="module")
def sentences(request):
    """Responses and features that anybody can count."""
    request.getfixturevalue("reference")("real_data_numbers.json")  # skips where nothing is shared
    folder = request.config.rootpath.parent / "shared" / "private" / "tuckute2024_lh_mean"
    if not folder.is_dir():
        pytest.skip(f"no private data at {folder}")
    with (folder / "tuckute2024_lh_mean_2000.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (folder / "linguistic_features_2000.csv").open(newline="", encoding="utf-8") as file:
        known = [list(row.values())[1:] for row in csv.DictReader(file)]
    ids = [f"s{n:04d}" for n in range(len(rows))]
    y = np.array([[float(row["response_LH_mean"])] for row in rows])
    features = np.array([[float(v or 0) for v in row] for row in known])
    length = np.array([[float(len(row["sentence"]))] for row in rows])
    return ids, y, {"linguistic": features, "length": length}


def scored(sentences, name):
    ids, y, features = sentences
    x = features[name]
    source = neural(x, ids, {"neuroid_id": [f"f{n}" for n in range(x.shape[1])]})
    score = DriveSuppress(resamples=200)(source, neural(y, ids, {"neuroid_id": ["LH"]}))
    return unnormalized(score, "mean over people")


def test_thirteen_linguistic_features_choose_what_drives_and_what_suppresses(sentences):
    """Spec language-pitfalls 6: they correlate .454 with the responses, five folds."""
    score = scored(sentences, "linguistic")
    assert score.interval.low < 0.454 < score.interval.high + 0.05
    assert score.interval.low > 0.3


def test_length_chooses_something_too_but_less(sentences):
    length, linguistic = scored(sentences, "length"), scored(sentences, "linguistic")
    assert length.interval.low > 0.05
    assert length.interval.high < linguistic.value
