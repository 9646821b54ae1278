"""Stored bytes when files rot."""

import logging
import os
import random

import numpy as np
import pytest
from core.tests.store_on_disk import (
    DAMAGE,
    artifact_in,
    file_of,
    fill,
    flip,
    names,
    read,
    responses,
    truncate,
    warnings_of,
)
from core.tests.store_on_disk import published as published
from core.tests.store_on_disk import shelf as shelf

from corteval.errors import StoreError
from corteval.store import blocks


@pytest.mark.parametrize("finished", [True, False], ids=["published", "unfinished"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_block_alone_is_computed_again_after_one_warning(shelf, caplog, damage, finished):
    artifact = artifact_in(shelf)
    fill(artifact)
    if not finished:
        (artifact.folder / "manifest.json").unlink()
    DAMAGE[damage](file_of(artifact, 3))
    blocks.forget()
    again = artifact_in(shelf)
    with caplog.at_level(logging.WARNING):
        assert again.missing() == (3,)
        assert again.missing() == (3,)
        assert fill(again) == (3,)
    said = warnings_of(caplog)
    unnoticed = not finished and damage in {"gone", "a link to nowhere"}  # as if never written
    assert len(said) == (0 if unnoticed else 1)
    assert all("block 3" in text for text in said)
    assert artifact_in(shelf).complete
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())
    kept = [name for name in names(artifact.folder) if ".corrupt-" in name]
    assert len(kept) == (0 if damage in {"gone", "a link to nowhere"} else 1)


@pytest.mark.parametrize("damage", [d for d in DAMAGE if d != "gone"])
def test_a_damaged_manifest_costs_no_block(shelf, published, caplog, damage):
    DAMAGE[damage](published.folder / "manifest.json")
    again = artifact_in(shelf)
    with caplog.at_level(logging.WARNING):
        assert (again.missing(), again.facts, again.complete) == ((), None, False)
    gone = damage == "a link to nowhere"
    assert len(warnings_of(caplog)) == (0 if gone else 1)
    assert fill(again, seconds=2) == ()
    assert artifact_in(shelf).facts == {"seconds": 2}
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


def test_every_flipped_bit_of_a_block_is_noticed(shelf, published):
    draw = random.Random(0)
    sound = {i: file_of(published, i).read_bytes() for i in range(published.blocks)}
    for _ in range(100):
        index = draw.randrange(published.blocks)
        path = file_of(published, index)
        flip(path, draw.randrange(len(sound[index])), draw.randrange(8))
        blocks.forget()
        again = artifact_in(shelf)
        assert again.missing() == (index,)
        with pytest.raises(StoreError, match=f"Block {index} .* is not in the store"):
            again.block(index)
        path.write_bytes(sound[index])


def test_a_flipped_bit_of_a_manifest_never_changes_what_it_says(shelf, published):
    path = published.folder / "manifest.json"
    sound = path.read_bytes()
    noticed = 0
    for offset in random.Random(0).sample(range(len(sound)), 100):
        path.write_bytes(sound)
        flip(path, offset, offset % 8)
        again = artifact_in(shelf)
        assert again.facts in (None, {"seconds": 1})
        noticed += again.facts is None
        assert again.missing() == ()
    assert noticed > 50  # the rest is indentation


def test_a_block_that_rots_while_the_process_runs_is_noticed_at_the_next_use(shelf, caplog):
    artifact = artifact_in(shelf)
    fill(artifact)
    np.testing.assert_array_equal(artifact.block(2), responses()[8:12])
    flip(file_of(artifact, 2), 200)
    with pytest.raises(StoreError, match="bytes have changed"):
        artifact.block(2)
    assert artifact.missing() == (2,)
    assert len(warnings_of(caplog)) == 1


def test_a_block_rewritten_with_other_bytes_renews_the_manifest(shelf, published):
    other = responses(seed=1)
    file_of(published, 1).unlink()
    again = artifact_in(shelf)
    assert again.missing() == (1,)
    again.write(1, other[4:8])
    unrenewed = artifact_in(shelf)
    assert (unrenewed.missing(), unrenewed.facts) == ((), None)
    again.publish(seconds=2)
    assert artifact_in(shelf).facts == {"seconds": 2}
    np.testing.assert_array_equal(artifact_in(shelf).block(1), other[4:8])
    assert not shelf.verify()
    assert len(names(published.folder)) == 6


def test_of_two_sound_files_of_an_unfinished_block_the_newer_is_used_and_the_other_removed(shelf):
    artifact = artifact_in(shelf)
    artifact.write(0, responses(seed=1)[:4])
    os.utime(file_of(artifact, 0), (1, 1))
    artifact.write(0, responses()[:4])
    again = artifact_in(shelf)
    fill(again)
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())
    assert len(names(again.folder)) == 6


def test_blocks_that_do_not_belong_together_are_all_computed_again(shelf, caplog):
    artifact = artifact_in(shelf)
    artifact.write(0, responses()[:4])
    stranger = artifact_in(shelf)
    stranger._like = None
    stranger.write(1, responses()[4:8].astype(np.float64))
    again = artifact_in(shelf)
    assert again.missing() == (0, 1, 2, 3, 4)
    fill(again)
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


@pytest.mark.parametrize(
    ("policy", "notices"),
    [("full", {"half", "gone", "last bit"}), ("size", {"half", "gone"}), ("off", {"gone"})],
)
def test_the_policy_says_how_closely_published_blocks_are_looked_at(
    shelf, published, monkeypatch, policy, notices
):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", policy)
    for damage in ("half", "gone", "last bit"):
        sound = file_of(published, 0)
        content = sound.read_bytes()
        DAMAGE[damage](sound)
        blocks.forget()
        assert (artifact_in(shelf).missing() == (0,)) == (damage in notices)
        sound.write_bytes(content)


def test_an_unfinished_block_is_hashed_whatever_the_policy(shelf, published, monkeypatch):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", "off")
    (published.folder / "manifest.json").unlink()
    flip(file_of(published, 0), 200)
    assert artifact_in(shelf).missing() == (0,)


def test_with_the_checks_off_a_file_that_is_no_array_is_still_an_error_of_the_store(
    shelf, published, monkeypatch
):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", "off")
    truncate(file_of(published, 0), 200)
    with pytest.raises(StoreError, match="is no array"):
        artifact_in(shelf).block(0)


def test_a_file_is_hashed_once_a_process(shelf, published, monkeypatch):
    hashed = []
    digest = blocks.hashlib.file_digest
    monkeypatch.setattr(
        blocks.hashlib, "file_digest", lambda file, how: hashed.append(1) or digest(file, how)
    )
    for _ in range(3):
        again = artifact_in(shelf)
        assert again.complete
        read(again)
    assert len(hashed) == published.blocks
