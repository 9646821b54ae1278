"""What crosses the border to the process of a model, and what does not."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from corteval.errors import AssemblyError
from corteval.requests import (
    Between,
    CustomTask,
    Label,
    NextWord,
    OddOneOut,
    OneOf,
    Probabilities,
    ReadingTime,
    Recording,
    TimeBin,
    UnitFilter,
)
from corteval.run import opaque, wire
from corteval.stimuli import StimulusSet
from corteval.testing import toys

REQUESTS = [
    Recording("IT"),
    Recording("V1", (TimeBin(0, 50.5), TimeBin(50.5, 1e9)), "fMRI", 3),
    Recording(
        "V1", units=UnitFilter((Between("x", -1.5, float("inf")), OneOf("c", ("a", 1, 2.5))))
    ),
    Label(("cat", "dög")),
    OddOneOut((("a", "b", "c"), ("c", "a", "b"))),
    NextWord(),
    ReadingTime(),
    CustomTask("find", (("n", 3), ("deep", True))),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
def test_a_request_arrives_as_it_was_sent(request_):
    sent = json.loads(json.dumps(wire.request_to_json(request_, [])))
    assert wire.request_from_json(sent, []) == request_


def test_stimuli_to_fit_on_travel_beside_the_request():
    fit = toys.images()
    sets = []
    sent = wire.request_to_json(Probabilities(fit=fit), sets)
    assert sets == [fit]
    assert wire.request_from_json(sent, ["arrived"]).fit == "arrived"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["f4", "f8", "i8", "?", "U5"]),
            st.lists(st.integers(0, 4), max_size=3),
        ),
        max_size=4,
    )
)
def test_arrays_arrive_as_they_were_sent(forms):
    rng = np.random.default_rng(0)
    arrays = [(10 * rng.random(shape)).astype(kind) for kind, shape in forms]
    stream = io.BytesIO()
    wire.send(stream, {"do": "it"}, arrays)
    stream.seek(0)
    content, back = wire.receive(stream)
    assert content == {"do": "it"} and len(back) == len(arrays)
    for sent, arrived in zip(arrays, back, strict=True):
        assert sent.dtype == arrived.dtype
        np.testing.assert_array_equal(sent, arrived)


def test_objects_are_never_sent_nor_read():
    with pytest.raises(ValueError, match="allow_pickle"):
        wire.send(io.BytesIO(), {}, [np.array([{}], object)])
    hostile = io.BytesIO()
    np.lib.format.write_array(hostile, np.array([print], object), allow_pickle=True)
    data = hostile.getvalue()
    stream = io.BytesIO(json.dumps({"arrays": [len(data)]}).encode() + b"\n" + data)
    with pytest.raises(wire.Broken, match="no message"):
        wire.receive(stream)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]\n", b"null\n", b'{"arrays": [-1]}\n', b'{"arrays": [10]}\nshort']
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(wire.Broken):
        wire.receive(io.BytesIO(data))


def test_answers_arrive_with_all_their_coordinates():
    answer = xr.DataArray(
        np.arange(6.0).reshape(2, 3),
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", np.array(["a", "b"], object)),
            "x": ("neuroid", [1, 2, 3]),
            "choice": ("neuroid", ["p", "q", "r"]),
        },
        attrs={"surprisal": "{}", "thing": object()},
    )
    request = Recording("IT")
    facts, arrays = wire.answers_to_message([request], {request: answer})
    back = wire.answers_from_message([request], json.loads(json.dumps(facts)), arrays)[request]
    xr.testing.assert_equal(back, answer.assign_coords(stimulus_id=("presentation", ["a", "b"])))
    assert back.attrs == {"surprisal": "{}"}


@pytest.fixture
def labelled():
    shown = toys.images(40)
    table = shown.table.assign(label=["cat", "dog"] * 20, shape=["round"] * 40, context_id="story")
    return StimulusSet(
        identifier="secret", modality="image", table=table, visual_degrees=8.0, images=shown.images
    )


def test_a_model_sees_pixels_under_names_that_say_nothing(labelled, tmp_path):
    description, disguise = opaque.disguised(labelled.shown(), tmp_path, "run")
    seen = opaque.revealed_set(json.loads(json.dumps(description)))
    assert seen.stimulus_ids == [f"s{n:06d}" for n in range(40)]
    assert "secret" not in seen.identifier and seen.visual_degrees == 8.0
    assert set(seen.table.columns) == {"context_id"}
    assert set(seen.table["context_id"]) == {"c00000"}
    for stimulus_id, name in disguise.names().items():
        np.testing.assert_array_equal(seen.image(name), labelled.image(stimulus_id))
    times = {p.stat().st_mtime for p in tmp_path.iterdir()}
    assert len(times) == 1 and {p.suffix for p in tmp_path.iterdir()} == {".npy"}
    assert list(disguise.ids) != labelled.stimulus_ids


def test_the_order_is_another_in_another_run_and_says_nothing_of_labels(labelled, tmp_path):
    orders = []
    for run in range(30):
        folder = tmp_path / str(run)
        orders.append(opaque.disguised(labelled.shown(), folder, f"run {run}")[1].ids)
    assert len(set(orders)) == 30
    label = labelled.table["label"] == "cat"
    early = [np.mean([label[i] for i in order[:20]]) for order in orders]
    # 20 of 40 drawn without order: mean .5, spread sqrt(.25 / 20 * 20 / 39) = .080
    assert abs(np.mean(early) - 0.5) < 4 * 0.080 / np.sqrt(30)


def test_labels_are_shown_where_the_task_grants_them(labelled, tmp_path):
    granted = opaque.granted(Probabilities(fit=labelled))
    description, disguise = opaque.disguised(granted, tmp_path, "run")
    seen = opaque.revealed_set(description)
    of = dict(zip(disguise.opaque, disguise.ids, strict=True))
    assert all(seen.table.at[n, "label"] == labelled.table.at[of[n], "label"] for n in of)
    assert "shape" not in seen.table.columns
    assert opaque.granted(Recording("IT")) is None


def test_texts_keep_their_reading_order(tmp_path):
    table = pd.DataFrame(
        {"text": list("abcdef"), "context_id": list("xxyyzz"), "position": [2, 1] * 3},
        index=pd.Index([f"w{n}" for n in range(6)], name="stimulus_id"),
    )
    stimuli = StimulusSet(identifier="t", modality="text", table=table)
    description, disguise = opaque.disguised(stimuli, tmp_path, "run")
    seen = opaque.revealed_set(json.loads(json.dumps(description))).table
    of = dict(zip(disguise.opaque, disguise.ids, strict=True))
    for name in seen.index:
        assert seen.at[name, "text"] == table.at[of[name], "text"]
        assert seen.at[name, "position"] == table.at[of[name], "position"]
    pairs = seen.groupby("context_id")["text"].apply(lambda t: "".join(sorted(t)))
    assert sorted(pairs) == ["ab", "cd", "ef"] and not [*tmp_path.iterdir()]


def test_answers_come_back_under_the_experimenters_ids(labelled, tmp_path):
    _, disguise = opaque.disguised(labelled.shown(), tmp_path, "run")
    names = disguise.names()
    a, b, c = labelled.stimulus_ids[:3]
    asked = opaque.renamed_request(OddOneOut(((a, b, c),)), names)
    assert asked == OddOneOut(((names[a], names[b], names[c]),))
    coords = {"stimulus_id": ("presentation", [names[b]])}
    places = {"first": a, "second": b, "third": c}
    coords |= {n: ("presentation", [names[i]]) for n, i in places.items()}
    answer = xr.DataArray([names[b]], dims=["presentation"], coords=coords)
    revealed = disguise.reveal(answer)
    assert revealed.item() == b and revealed["third"].item() == c
    labels = disguise.reveal(answer.copy(data=np.array(["cat"])))
    assert labels.item() == "cat"
    with pytest.raises(AssemblyError, match="were not shown, such as image"):
        disguise.reveal(answer.assign_coords(stimulus_id=("presentation", ["image-000"])))
