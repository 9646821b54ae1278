"""The store as its users see it: keys, blocks, facts, and which store is in force."""

import hashlib
import json
import logging
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval import settings, store
from corteval.errors import ConfigurationError, CortevalError, StorageFull, StoreError
from corteval.store import blocks, canonical

KEY = {"model": {"identifier": "m", "options": {"seed": 0}}, "layer": "IT.output", "dtype": "<f4"}


def responses(rows, seed=0, units=7):
    return np.random.default_rng(seed).standard_normal((rows, units)).astype(np.float32)


def fill(artifact, array, **facts):
    """Compute what is missing, and publish."""
    for index in artifact.missing():
        artifact.write(index, array[artifact.rows_of(index)])
    artifact.publish(**facts)


def read(artifact):
    return np.concatenate([artifact.block(index) for index in range(artifact.blocks)])


@pytest.fixture
def shelf(tmp_path):
    blocks.forget()
    return store.Store(tmp_path / "store")


# --- Keys ---

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
)
contents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), inner)
    ),
    max_leaves=8,
)
keys = st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), contents)


def same(one, other):
    """Equal in value, type and sign of zero, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return one == other


def backwards(content):
    """The same, with names in another order."""
    if isinstance(content, dict):
        return {name: backwards(content[name]) for name in reversed(content)}
    return [backwards(value) for value in content] if isinstance(content, list) else content


@given(keys)
def test_the_text_of_a_key_reads_back_as_the_key_so_distinct_keys_have_distinct_texts(key):
    assert same(json.loads(canonical.text_of(key)), key)
    assert same(canonical.parse(canonical.text_of(key).encode()), key)


#: So few values that equal ones, and nearly equal ones, are drawn often.
close = st.recursive(
    st.sampled_from([0, 1, 0.0, -0.0, True, False, "", "1", None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=3,
)


@given(st.tuples(close, close).map(lambda pair: [{"x": content} for content in pair]))
def test_digests_are_equal_exactly_if_keys_are(pair):
    one, other = pair
    assert (canonical.digest_of(one) == canonical.digest_of(other)) == same(one, other)


@given(keys)
def test_the_order_of_names_does_not_matter(key):
    assert canonical.digest_of(backwards(key)) == canonical.digest_of(key)


def test_the_digest_is_the_sha256_of_sorted_json(shelf):
    artifact = shelf.artifact("layouts", {"b": 1.5, "a": ["é", None]}, rows=300)
    text = (
        '{"key":{"a":["\\u00e9",null],"b":1.5},"kind":"layouts","rows":300,'
        '"rows_per_block":256,"schema":1}'
    )
    assert artifact.digest == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        (0.0, -0.0),
        (0.1, np.float32(0.1)),
        (0.1 + 0.2, 0.3),
        (1e22, 10**22),
        ("1", 1),
        (None, "null"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("a/b", "a_b"),
        ("x" * 400, "x" * 399 + "y"),
        ([1, [2]], [[1], 2]),
        ([], {}),
        ([None], []),
        ({"a": {"b": 1}}, {"a.b": 1}),
        ("K", "k"),
        (2**63, 2.0**63),
        ("\N{GRINNING FACE}", "\\ud83d\\ude00"),
    ],
    ids=repr,
)
def test_what_differs_has_different_digests(one, other):
    assert canonical.digest_of({"x": one}) != canonical.digest_of({"x": other})


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (np.int64(3), 3),
        (np.uint8(255), 255),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.10000000149011612),
        (np.float16(0.1), 0.0999755859375),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        ((1, (2,)), [1, [2]]),
    ],
    ids=repr,
)
def test_a_numpy_scalar_is_the_number_it_equals_and_a_tuple_a_list(given, plain):
    assert same(canonical.plain({"x": given})["x"], plain)


class Colour(str):
    """Text of another type."""


ENDLESS = {}
ENDLESS["again"] = ENDLESS


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (np.float32("nan"), "nan"),
        ({1, 2}, "set"),
        (b"bytes", "bytes"),
        (np.zeros(3), "ndarray"),
        (np.datetime64("2020-01-01"), "date"),
        (np.longdouble(1) / 3, "longdouble"),
        (1j, "complex"),
        (Path("a"), "Path"),
        (Colour("red"), "Colour"),
        ({1: "a"}, "no text"),
        ({None: "a"}, "no text"),
        ("\ud800", "half a character"),
        ("\ud83d\ude00", "half a character"),  # in JSON as the grinning face
        (ENDLESS, "nested deeper"),
        (10**5000, "cannot be written"),
        ("x" * 2_000_000, "characters"),
        (lambda: None, "function"),
    ],
    ids=lambda value: str(type(value)),
)
def test_what_json_would_change_or_merge_is_refused_with_its_place(shelf, value, named):
    with pytest.raises(StoreError, match=named) as caught:
        shelf.artifact("activations", {"options": {"x": value}}).digest  # noqa: B018
    assert "key" in str(caught.value)


@pytest.mark.parametrize("kind", ["", "../x", "a/b", "A", "con", "nul", ".x", "x" * 13, "é", "a\0"])
def test_a_kind_that_cannot_name_a_folder_everywhere_is_refused(shelf, kind):
    with pytest.raises(StoreError, match="kind"):
        shelf.artifact(kind, KEY)


@pytest.mark.parametrize(
    "counts",
    [{"rows": -1}, {"rows": 1.0}, {"rows_per_block": 0}, {"rows": 10**9}, {"rows": True}],
    ids=repr,
)
def test_numbers_of_rows_that_make_no_sense_are_refused(shelf, counts):
    with pytest.raises(StoreError, match="rows"):
        shelf.artifact("activations", KEY, **counts)


def test_kind_rows_and_block_size_are_part_of_the_identity(shelf):
    made = [
        shelf.artifact(kind, KEY, rows=rows, rows_per_block=size).digest
        for kind in ("activations", "layouts")
        for rows in (10, 20)
        for size in (5, 10)
    ]
    assert len(set(made)) == 8


@given(st.sampled_from(["activations", "abcdefghijkl"]), st.integers(0, 99_999))
def test_every_path_in_the_store_is_shorter_than_120_bytes(kind, index):
    artifact = store.Store("/s").artifact(kind, KEY)
    block = blocks.Block(index=index, dtype="<f4", shape=(1,), bytes=1, sha256="0" * 64)
    for name in (block.name, f"{block.name}.corrupt-9", "manifest.json.corrupt-999"):
        assert len(os.fsencode((artifact.folder / name).relative_to("/s"))) < 120


# --- Blocks and facts ---


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 700])
def test_what_was_written_is_read_back_to_the_bit(shelf, rows):
    array = responses(rows)
    artifact = shelf.artifact("activations", KEY, rows=rows)
    assert artifact.blocks == math.ceil(rows / 256)
    assert artifact.missing() == tuple(range(artifact.blocks))
    assert (artifact.facts, artifact.complete) == (None, False)
    fill(artifact, array, seconds=1.5, versions={"torch": "2"}, shape=(3, 4))
    again = store.Store(shelf.folder).artifact(
        "activations", dict(reversed(KEY.items())), rows=rows
    )
    assert (again.missing(), again.complete) == ((), True)
    assert again.facts == {"seconds": 1.5, "versions": {"torch": "2"}, "shape": [3, 4]}
    np.testing.assert_array_equal(read(again), array)
    assert read(again).dtype == np.float32


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]),
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.float16([[0.1], [np.nan]]),
        np.array([1 + 2j, np.inf]),
        np.zeros((2, 0, 3), np.uint8),
        np.arange(24.0).reshape(2, 3, 4).transpose(0, 2, 1),
        np.arange(12, dtype=np.int64).reshape(2, 6)[:, ::2],
        np.full((2, 1), -0.0),
    ],
    ids=lambda a: f"{a.dtype.str}{a.shape}",
)
def test_arrays_of_any_number_type_and_layout_keep_their_bits(shelf, array):
    artifact = shelf.artifact("activations", KEY, rows=2)
    fill(artifact, array)
    found = artifact.block(0)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


def test_a_block_is_mapped_and_cannot_be_written_to(shelf):
    artifact = shelf.artifact("activations", KEY, rows=3)
    fill(artifact, responses(3))
    block = artifact.block(0)
    assert isinstance(block, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        block[0, 0] = 1


def test_blocks_are_npy_files_that_numpy_reads_by_itself(shelf):
    artifact = shelf.artifact("activations", KEY, rows=300)
    fill(artifact, responses(300))
    files = sorted(artifact.folder.glob("B*.npy"))
    np.testing.assert_array_equal(np.concatenate([*map(np.load, files)]), responses(300))
    for file in files:
        assert file.stem.split("-")[1] == hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def test_the_manifest_shows_the_whole_key_and_every_block(shelf):
    artifact = shelf.artifact("activations", KEY, rows=300)
    fill(artifact, responses(300), seed=3)
    shown = json.loads((artifact.folder / "manifest.json").read_text())
    assert shown["key"] == KEY
    assert (shown["schema"], shown["dtype"], shown["shape"]) == (1, "<f4", [300, 7])
    assert shown["facts"] == {"seed": 3}
    for index, block in enumerate(shown["blocks"]):
        (file,) = artifact.folder.glob(f"B{index:05d}-*.npy")
        assert block["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert block["bytes"] == file.stat().st_size


def test_facts_without_arrays_are_an_artifact(shelf):
    artifact = shelf.artifact("layouts", KEY)
    assert (artifact.blocks, artifact.missing(), artifact.complete) == (0, (), False)
    artifact.publish(layers=[["conv1", [64, 7, 7]]])
    again = shelf.artifact("layouts", KEY)
    assert again.complete
    assert again.facts == {"layers": [["conv1", [64, 7, 7]]]}
    with pytest.raises(StoreError, match="no block 0"):
        again.block(0)


def test_facts_that_a_caller_changes_are_not_changed_in_the_store(shelf):
    artifact = shelf.artifact("layouts", KEY)
    artifact.publish(layers=[1])
    artifact.facts["layers"].append(2)
    assert artifact.facts == {"layers": [1]}


def test_what_is_published_stays_as_it_is(shelf):
    artifact = shelf.artifact("activations", KEY, rows=3)
    fill(artifact, responses(3), seconds=1)
    artifact.write(0, responses(3, seed=1))
    artifact.publish(seconds=2)
    assert artifact.facts == {"seconds": 1}
    np.testing.assert_array_equal(artifact.block(0), responses(3))
    assert len([*artifact.folder.iterdir()]) == 2


def test_nothing_is_created_until_something_is_written(shelf):
    artifact = shelf.artifact("activations", KEY, rows=3)
    assert artifact.missing() == (0,)
    assert (artifact.facts, shelf.entries(), shelf.collect(0), shelf.verify()) == (None, [], [], [])
    assert not shelf.folder.exists()


def test_publishing_without_a_block_is_refused_by_name(shelf):
    artifact = shelf.artifact("activations", KEY, rows=1000)
    artifact.write(2, responses(256))
    with pytest.raises(StoreError, match=r"3 blocks are missing \(0, 1, 3\)"):
        artifact.publish()


def test_facts_that_are_no_json_are_refused(shelf):
    with pytest.raises(StoreError, match=r"facts\.loss is nan"):
        shelf.artifact("layouts", KEY).publish(loss=math.nan)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (responses(4), "should have 3 rows"),
        (np.float32(1), r"shape \(\)|float32"),
        (np.array(1.0), "first axis"),
        ([1, 2, 3], "list"),
        (np.array([object()] * 3), "dtype object"),
        (np.array(["a", "b", "c"]), "dtype <U1"),
        (np.zeros(3, "M8[s]"), "dtype"),
        (np.zeros(3, [("a", "f4")]), "dtype"),
        (np.zeros(3, np.longdouble), "dtype"),
    ],
    ids=lambda value: str(np.asarray(value).dtype) if not isinstance(value, str) else "",
)
def test_an_array_that_cannot_be_that_block_is_refused(shelf, array, message):
    artifact = shelf.artifact("activations", KEY, rows=3)
    with pytest.raises(StoreError, match=message):
        artifact.write(0, array)
    assert not shelf.folder.exists()


def test_blocks_of_another_shape_or_dtype_than_the_first_are_refused(shelf):
    artifact = shelf.artifact("activations", KEY, rows=6, rows_per_block=3)
    artifact.write(0, responses(3))
    with pytest.raises(StoreError, match=r"<f8 \(rows, 7\); other blocks are <f4"):
        artifact.write(1, responses(3).astype(np.float64))
    with pytest.raises(StoreError, match=r"\(rows, 8\)"):
        shelf.artifact("activations", KEY, rows=6, rows_per_block=3).missing()
        artifact.write(1, responses(3, units=8))


@pytest.mark.parametrize("index", [-1, 2])
def test_a_block_that_there_cannot_be_is_refused(shelf, index):
    artifact = shelf.artifact("activations", KEY, rows=300)
    for use in (artifact.block, artifact.rows_of, lambda n: artifact.write(n, responses(256))):
        with pytest.raises(StoreError, match=f"no block {index}"):
            use(index)


def test_a_block_that_is_not_there_is_told_from_one_that_cannot_be(shelf):
    artifact = shelf.artifact("activations", KEY, rows=300)
    with pytest.raises(StoreError, match=r"not in the store\. Compute what missing"):
        artifact.block(1)


def test_many_threads_write_one_artifact(shelf):
    array = responses(64 * 50)
    artifact = shelf.artifact("activations", KEY, rows=len(array), rows_per_block=64)
    todo = list(artifact.missing())

    def work():
        while todo:
            try:
                index = todo.pop()
            except IndexError:
                return
            artifact.write(index, array[artifact.rows_of(index)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    artifact.publish()
    np.testing.assert_array_equal(read(artifact), array)


def test_many_artifacts_are_published_together(shelf):
    artifacts = [shelf.artifact("activations", {"n": n}, rows=2) for n in range(20)]
    for n, artifact in enumerate(artifacts):
        artifact.write(0, responses(2, seed=n))
    shelf.publish({artifact: {"n": n} for n, artifact in enumerate(artifacts)})
    assert [artifact.facts for artifact in artifacts] == [{"n": n} for n in range(20)]


def test_publishing_several_names_the_one_that_lacks_a_block(shelf):
    sound, lacking = (shelf.artifact("activations", {"n": n}, rows=2) for n in range(2))
    sound.write(0, responses(2))
    with pytest.raises(StoreError, match=lacking.digest[:12]):
        shelf.publish({lacking: {}, sound: {}})


# --- Which store, which settings ---


def test_the_default_store_lies_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    assert store.active() == store.Store(tmp_path / "home" / "store")


def test_the_innermost_block_says_which_store_is_in_force(shelf):
    default = store.active()
    with store.using(shelf):
        assert store.active() is shelf
        with store.using(None):
            assert store.active() is None
        assert store.active() is shelf
        with pytest.raises(KeyError), store.using(None):
            raise KeyError
        assert store.active() is shelf
    assert store.active() == default


def test_threads_choose_their_store_for_themselves(shelf):
    seen = []
    with store.using(shelf):
        thread = threading.Thread(target=lambda: seen.append(store.active()))
        thread.start()
        thread.join()
    assert seen == [store.active()]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20GB", 20 * 10**9),
        ("1.5 tb", 1_500_000_000_000),
        ("512MiB", 512 * 2**20),
        ("7", 7),
        ("7 b", 7),
        ("0", None),
        ("", 50 * 10**9),
    ],
)
def test_the_limit_is_a_size(monkeypatch, text, size):
    monkeypatch.setenv("CORTEVAL_STORE_LIMIT", text)
    assert settings.store_limit() == size


@pytest.mark.parametrize("text", ["much", "-1", "1e9", "5k", "3iB", "nan", "GB", "9" * 40])
def test_a_limit_that_is_no_size_is_named_before_anything_is_computed(monkeypatch, shelf, text):
    monkeypatch.setenv("CORTEVAL_STORE_LIMIT", text)
    with pytest.raises(ConfigurationError, match="CORTEVAL_STORE_LIMIT"):
        with shelf.claim([shelf.artifact("layouts", KEY)]):
            pass


def test_a_policy_that_does_not_exist_is_named(monkeypatch, shelf):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", "fully")
    with pytest.raises(ConfigurationError, match="full, size or off"):
        shelf.artifact("activations", KEY, rows=1).missing()


def test_full_disks_are_errors_of_the_store_and_of_corteval():
    assert issubclass(StorageFull, StoreError)
    assert issubclass(StoreError, CortevalError)


# --- Places and locales ---

SCRIPT = """
import os, sys, numpy as np
from corteval import store
shelf = store.Store(os.fsdecode(sys.stdin.buffer.read()))
artifact = shelf.artifact("activations", {"name": "caf\\u00e9 \\U0001f600", "x": 0.1}, rows=300)
with shelf.claim([artifact]):
    for index in artifact.missing():
        rows = artifact.rows_of(index)
        artifact.write(index, np.arange(rows.start, rows.stop, dtype="<f4"))
    artifact.publish(note="d\\u00e9j\\u00e0 vu")
assert artifact.complete and not shelf.verify() and shelf.entries()[0].state == "complete"
print(sorted((p.name, hash_of(p)) for p in artifact.folder.iterdir()))
""".replace("hash_of(p)", "__import__('hashlib').sha256(p.read_bytes()).hexdigest()")


@pytest.mark.parametrize(
    "name", ["with space", "new\nline", "\N{GRINNING FACE}", "-rf", "a'b\"c%s"]
)
def test_a_store_may_lie_anywhere(tmp_path, name, caplog):
    shelf = store.Store(tmp_path / name)
    artifact = shelf.artifact("activations", KEY, rows=300)
    with shelf.claim([artifact]):
        fill(artifact, responses(300))
    next(artifact.folder.glob("B00001*")).unlink()
    with caplog.at_level(logging.WARNING):
        assert shelf.artifact("activations", KEY, rows=300).missing() == (1,)
    np.testing.assert_array_equal(artifact.block(0), responses(256))


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8"},
        {"LC_ALL": "de_DE.ISO-8859-1", "TZ": "Pacific/Apia"},
    ],
    ids=lambda locale: locale["LC_ALL"],
)
def test_the_locale_changes_no_byte(tmp_path, locale):
    def files(folder, env):
        env = {k: v for k, v in os.environ.items() if k not in {"LC_ALL", "PYTHONUTF8"}} | env
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            input=os.fsencode(folder),
            capture_output=True,
            env=env,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    here = files(tmp_path / "\N{GRINNING FACE}", {})
    assert files(tmp_path / "\N{SNOWMAN}", locale) == here
