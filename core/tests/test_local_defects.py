"""A lab's folder with a defect: examination names file, row, value and next step."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import scipy.io
import xarray as xr
from core.tests import defects_of_arrays as of_arrays
from core.tests import defects_of_stimuli as of_stimuli
from core.tests import defects_of_tables as of_tables
from core.tests.defects_of_arrays import (
    infinite_value,
    mat_struct_array,
    times_in_seconds,
    wrong_order_of_axes,
)
from core.tests.defects_of_stimuli import duplicate_id, empty_image, latin_1, missing_file
from core.tests.lab_folder import STIMULI, long_table, only, responding, trials
from core.tests.lab_folder import sound as sound

from corteval.errors import DatasetError
from corteval.local import probe
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.report import examine


def test_nothing_is_found_in_a_sound_folder(sound):
    report = examine(sound)
    assert report.problems == ()
    assert report.usable
    assert report.facts["repeats"] == "4"


@pytest.mark.parametrize(
    "break_it, severity, where, words, loads",
    [*of_stimuli.DEFECTS, *of_arrays.DEFECTS, *of_tables.DEFECTS],
)
def test_a_defect_is_named_with_its_place_and_value(sound, break_it, severity, where, words, loads):
    description = break_it(sound) or sound
    report = examine(description)
    problem = only(report, severity, words)
    assert problem.where == where
    assert report.usable == (severity == "warning")
    if loads:
        load_assembly(description, load_stimuli(description))
    else:
        with pytest.raises(DatasetError, match="MyLab2026"):
            load_assembly(description, load_stimuli(description))


def test_every_defect_says_what_to_do_next(sound, tmp_path):
    for break_it in (missing_file, duplicate_id, mat_struct_array, wrong_order_of_axes, latin_1):
        folder = tmp_path / break_it.__name__
        folder.mkdir()
        _copied(sound.folder, folder)
        here = replace(sound, folder=folder)
        errors = [p for p in examine(break_it(here) or here).problems if p.severity == "error"]
        assert errors
        assert all(p.next_step for p in errors)


def _copied(source, target):
    import shutil

    shutil.copytree(source, target, dirs_exist_ok=True)


def test_all_problems_are_told_at_once(sound):
    missing_file(sound)
    empty_image(sound)
    infinite_value(sound)
    described = replace(times_in_seconds(sound), group_by="objects")
    report = examine(described)
    for words in ("does not exist", "0 bytes", "-inf", "seconds", "to group by"):
        assert any(words in str(p) for p in report.problems), words
    assert report.problems[0].severity == "error"
    assert report.problems[-1].severity == "warning"


def test_many_problems_of_one_kind_are_shown_five_and_counted(sound):
    for path in (sound.folder / "images").iterdir():
        path.unlink()
    report = examine(sound)
    assert [p.where.split(",")[1] for p in report.problems[:5]] == [
        f" row {n}" for n in range(2, 7)
    ]
    assert "19 more files that cannot be used" in report.problems[5].what
    assert "row 25" in report.problems[5].what


def test_digests_are_of_every_file_that_is_used(sound):
    import hashlib

    report = examine(sound)
    assert set(report.digests) == {
        "stimuli.csv",
        "responses.npy",
        "neuroids.csv",
        *(f"images/img{n:02d}.png" for n in range(STIMULI)),
    }
    for name, digest in report.digests.items():
        assert digest == hashlib.sha256((sound.folder / name).read_bytes()).hexdigest()


def test_examination_writes_nothing_into_the_folder(sound):
    def state():
        return {p: p.stat().st_mtime_ns for p in sound.folder.rglob("*")}

    before = state()
    examine(sound)
    assert state() == before


def test_bytes_broken_anywhere_never_raise(sound):
    """Any byte of any file may be wrong: the report says so, or the data are other data."""
    array = xr.DataArray(
        trials(),
        dims=["neuroid", "presentation", "repetition"],
        coords={"stimulus_id": ("presentation", [f"img{n:02d}" for n in range(STIMULI)])},
        name="r",
    )
    array.to_netcdf(sound.folder / "r.nc", engine="h5netcdf")
    array.to_netcdf(sound.folder / "classic.nc", engine="scipy")
    np.savez_compressed(sound.folder / "r.npz", r=trials())
    scipy.io.savemat(sound.folder / "r.mat", {"r": trials()}, do_compression=True)
    long_table(sound.folder)
    generator = np.random.default_rng(0)
    stimuli = load_stimuli(sound)
    told = 0
    for name in ("responses.npy", "r.nc", "classic.nc", "r.npz", "r.mat", "responses.csv"):
        dims = () if name.endswith(("nc", "csv")) else sound.responses.dims
        described = responding(sound, file=name, dims=dims, neuroids=None)
        path = sound.folder / name
        content = path.read_bytes()
        for _ in range(25):
            broken = bytearray(content)
            if name not in ("r.nc", "r.mat"):  # their libraries crash at times: see the probe
                for at in generator.integers(0, len(broken), 3):
                    broken[at] = generator.integers(256)
            path.write_bytes(bytes(broken[: generator.integers(1, len(broken) + 1)]))
            try:
                load_assembly(described, stimuli)
            except DatasetError:
                told += 1
        path.write_bytes(content)
    assert told > 75


CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


@pytest.mark.parametrize(
    "program, seconds, words",
    [
        (CRASH, 60, "Reading the file crashes (status"),
        ("import time; time.sleep(60)", 0.2, "Reading the file does not end within 0 s"),
    ],
)
def test_a_file_that_makes_its_library_crash_or_hang_is_an_error_not_the_end(
    sound, monkeypatch, program, seconds, words
):
    scipy.io.savemat(sound.folder / "r.mat", {"r": trials()})
    described = responding(sound, file="r.mat")
    assert examine(described).usable
    monkeypatch.setattr(probe, "_command", lambda *_: [sys.executable, "-c", program])
    monkeypatch.setattr(probe, "_SECONDS", seconds)
    report = examine(described)
    assert only(report, "error", words).where == "r.mat"
    assert "responses" not in report.facts


def test_the_probe_reads_the_file_that_is_meant(sound):
    scipy.io.savemat(sound.folder / "r.mat", {"r": trials()})
    command = probe._command(sound.folder / "r.mat", "r")
    assert probe.outcome(command, 60) == ""
    done = subprocess.run(
        [*command[:1], "-X", "importtime", *command[1:]], capture_output=True, check=True
    )
    assert b"scipy.io.matlab" in done.stderr


def test_a_report_is_plain_words(sound):
    facts = dict(examine(sound).facts)
    assert json.loads(json.dumps(facts)) == facts
