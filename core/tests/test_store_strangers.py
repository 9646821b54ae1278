"""Stored bytes when strangers write."""

import json
import pickle
import shutil
import struct
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from core.tests.store_on_disk import (
    artifact_in,
    changed,
    file_of,
    fill,
    read,
    responses,
    signed,
    warnings_of,
)
from core.tests.store_on_disk import published as published
from core.tests.store_on_disk import shelf as shelf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from corteval import store
from corteval.store import blocks, canonical, disk, manifest

RAN = []


class Canary:
    def __reduce__(self):
        return RAN.append, ("the pickle ran",)


def npy(header, data=b""):
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def header(descr="'<f4'", order="False", shape="(4, 6)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


FLOATS = bytes(96)
HOSTILE_BLOCKS = {
    "a pickle": pickle.dumps(Canary()),
    "an array of objects": npy(header("'|O'", shape="(4,)"), pickle.dumps(Canary())),
    "objects as floats": npy(header("'|O8'"), FLOATS),
    "a pickle after the numbers": npy(header(), FLOATS + pickle.dumps(Canary())),
    "a dtype with fields": npy(header("[('a', '<f4')]", shape="(4, 6)"), FLOATS),
    "text": npy(header("'<U1'"), FLOATS),
    "Fortran order": npy(header(order="True"), FLOATS),
    "too many rows": npy(header(shape="(5, 6)"), bytes(120)),
    "no rows": npy(header(shape="()"), bytes(4)),
    "huge": npy(header(shape="(4, 999999999999999)"), FLOATS),
    "beyond any integer": npy(header(shape=f"(4, {'9' * 900})"), FLOATS),
    "an overflow": npy(header(shape="(4, 4611686018427387904, 4)"), FLOATS),
    "negative": npy(header(shape="(-4, -6)"), FLOATS),
    "a call as shape": npy(header(shape="__import__('os').abort()"), FLOATS),
    "nested": npy(header(shape="(" * 400 + ")" * 400), FLOATS),
    "many axes": npy(header(shape=f"(4, {'1, ' * 70}6)"), FLOATS),
    "a header as long as can be": npy("{" + " " * 65_534, FLOATS),
    "a header that ends early": b"\x93NUMPY\x01\x00\xff\xff{",
    "another version": b"\x93NUMPY\x03\x00" + npy(header(), FLOATS)[8:],
    "a null byte": npy(header().replace("False", "False\0"), FLOATS),
    "not ASCII": npy(header("'<f\xe94'"), FLOATS),
    "a zip": b"PK\x03\x04" + FLOATS,
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE_BLOCKS)
def test_a_hostile_block_with_the_right_hash_in_its_name_is_set_aside(shelf, name):
    content = HOSTILE_BLOCKS[name]
    artifact = artifact_in(shelf)
    fill(artifact)
    (artifact.folder / "manifest.json").unlink()
    file_of(artifact, 0).unlink()
    hostile = artifact.folder / f"B00000-{sha256(content).hexdigest()[:16]}.npy"
    hostile.write_bytes(content)
    blocks.forget()
    again = artifact_in(shelf)
    assert again.missing() == (0,)
    assert fill(again) == (0,)
    np.testing.assert_array_equal(read(again), responses())
    assert RAN == []


def test_a_huge_block_full_of_holes_is_not_read(shelf):
    artifact = artifact_in(shelf)
    artifact.folder.mkdir(parents=True)
    path = artifact.folder / f"B00000-{'0' * 16}.npy"
    path.write_bytes(npy(header(shape="(4, 274877906944)")))
    with path.open("r+b") as file:
        try:
            file.truncate(1 << 42)
        except OSError:
            pytest.skip("this disk has no sparse files of that size")
    start = time.monotonic()
    assert 0 in artifact.missing()
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "name",
    [
        "B00000-0123456789abcdef.npy.exe",
        "B0-0123456789abcdef.npy",
        "B00000-0123456789ABCDEF.npy",
        "b00000-0123456789abcdef.npy",
        "B99999-0123456789abcdef.npy",
        "B00000-..0123456789abcd.npy",
        "B00000.npy",
        "B00000-0123456789abcdef.npy\n",
        "B\N{ARABIC-INDIC DIGIT ZERO}0000-0123456789abcdef.npy",
    ],
)
def test_names_that_are_not_those_of_its_blocks_are_passed_over(shelf, published, name):
    (published.folder / name).write_bytes(pickle.dumps(Canary()))
    again = artifact_in(shelf)
    assert again.complete
    np.testing.assert_array_equal(read(again), responses())
    assert RAN == []


def changed_block(**changes):
    def change(content):
        content["blocks"][0] |= changes
        return signed(content)

    return change


def without(name):
    return lambda content: signed({key: v for key, v in content.items() if key != name})


HOSTILE_MANIFESTS = {
    "not JSON": lambda _: "{",
    "another type": lambda _: "[]",
    "a number": lambda _: "1",
    "a pickle": lambda _: pickle.dumps(Canary()).decode("latin-1"),
    "nested deeply": lambda _: "[" * 200_000,
    "nested objects": lambda _: '{"a":' * 200_000,
    "an integer of many digits": lambda _: '{"schema": ' + "9" * 100_000 + "}",
    "an infinite number": lambda c: signed(c).replace('"seconds": 1', '"seconds": 1e309'),
    "NaN": lambda c: signed(c).replace('"seconds": 1', '"seconds": NaN'),
    "a name twice": lambda c: signed(c)[:-1] + ', "rows": 20}',
    "a name twice inside": lambda c: signed(c).replace('{"seconds": 1}', '{"a": 1, "a": 1}'),
    "no schema": without("schema"),
    "a newer schema": changed(schema=2),
    "a true schema": changed(schema=True),
    "schema as text": changed(schema="1"),
    "no facts": without("facts"),
    "no blocks": without("blocks"),
    "facts that are a list": changed(facts=[]),
    "another number of blocks": changed(blocks=[]),
    "blocks that are text": changed(blocks="abcde"),
    "blocks that are numbers": changed(blocks=[1, 2, 3, 4, 5]),
    "a block with a path": changed_block(name="../../../etc/passwd"),
    "a block with another hash": changed_block(sha256="../../passwd"),
    "a hash that is a number": changed_block(sha256=0),
    "a block of another size": changed_block(bytes=10**30),
    "a block of negative size": changed_block(bytes=-1),
    "a shape of other rows": changed(shape=[21, 6]),
    "an absurd shape": changed(shape=[20, 10**18]),
    "a shape of text": changed(shape=[20, "6"]),
    "a shape of many axes": changed(shape=[20] + [1] * 100_000),
    "a negative shape": changed(shape=[20, -6]),
    "a dtype of objects": changed(dtype="|O"),
    "a dtype that is a list": changed(dtype=["<f4"]),
    "a dtype that is long": changed(dtype="<f4" * 100_000),
    "rows beyond bounds": changed(rows=10**40),
    "rows that are a float": changed(rows=20.0),
    "no rows a block": changed(rows_per_block=0),
    "a kind with dots": changed(kind="../.."),
    "a key that is a list": changed(key=[]),
    "a key with half a character": changed(key={"model": "\ud800"}),
    "too long": lambda c: signed(c | {"facts": {"x": "y" * 5_000_000}}),
    "bytes that are no text": lambda c: b"\xff\xfe".decode("latin-1") + signed(c),
}


@pytest.mark.parametrize("name", HOSTILE_MANIFESTS)
def test_a_hostile_manifest_is_set_aside_and_costs_no_block(shelf, published, caplog, name):
    path = published.folder / "manifest.json"
    text = HOSTILE_MANIFESTS[name](json.loads(path.read_text()))
    path.write_bytes(text.encode("latin-1" if name.startswith(("bytes", "a pickle")) else "utf-8"))
    start = time.monotonic()
    again = artifact_in(shelf)
    assert (again.facts, again.missing()) == (None, ())
    assert len(warnings_of(caplog)) == 1
    assert time.monotonic() - start < 2
    assert fill(again) == ()
    assert artifact_in(shelf).facts == {}
    assert RAN == []


def test_signing_as_a_stranger_does_is_no_damage_by_itself(shelf, published):
    path = published.folder / "manifest.json"
    path.write_text(signed(json.loads(path.read_text()) | {"facts": {"seconds": 2}}))
    assert artifact_in(shelf).facts == {"seconds": 2}


FOREIGN = {
    "another key": changed(key={"model": "other", "layer": "l"}),
    "another key and its digest": lambda content: signed(
        content
        | {
            "key": {"model": "other"},
            "digest": canonical.digest_of(
                {n: content[n] for n in ("schema", "kind", "rows", "rows_per_block")}
                | {"key": {"model": "other"}}
            ),
        }
    ),
    "another digest": changed(digest="0" * 64),
    "a digest that is none": changed(digest=None),
    "another kind": changed(kind="layouts"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_blocks_of_another_key_are_set_aside_and_computed_again(shelf, published, caplog, name):
    path = published.folder / "manifest.json"
    path.write_text(FOREIGN[name](json.loads(path.read_text())))
    again = artifact_in(shelf)
    assert again.missing() == (0, 1, 2, 3, 4)
    assert len(warnings_of(caplog)) == 1
    assert len(fill(again)) == 5
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


def test_a_folder_copied_under_another_digest_is_not_believed(shelf, published):
    other = artifact_in(shelf, {"model": "other"})
    other.folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(published.folder, other.folder)
    assert (other.facts, other.missing()) == (None, (0, 1, 2, 3, 4))
    assert published.complete


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(["schema", "kind", "key", "rows", "rows_per_block", "digest", "dtype"])
    | st.sampled_from(["shape", "blocks", "facts"]),
    value=json_values,
)
def test_whatever_a_field_of_a_manifest_says_reading_ends_in_blocks_or_in_their_absence(
    tmp_path_factory, name, value
):
    shelf = store.Store(tmp_path_factory.mktemp("fuzz"))
    artifact = artifact_in(shelf)
    fill(artifact)
    path = artifact.folder / "manifest.json"
    path.write_text(signed(json.loads(path.read_text()) | {name: value}))
    again = artifact_in(shelf)
    again.missing()
    shelf.entries()
    fill(again)
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


@hypothesis_settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_at_random_are_no_manifest(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.json"
        path.write_bytes(content)
        with pytest.raises(blocks.Damaged):
            manifest.read(path, None)


def test_no_file_of_the_store_is_a_pickle_and_its_code_imports_none(published):
    for path in published.folder.iterdir():
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, IndexError, KeyError)):
            pickle.loads(path.read_bytes())
    for path in Path(disk.__file__).parent.glob("*.py"):
        assert "pickle" not in path.read_text().replace("allow_pickle=False", "")
