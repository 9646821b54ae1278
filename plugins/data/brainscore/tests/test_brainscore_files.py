"""Files from a server, a mirror or a folder; damaged and hostile ones are refused."""

import io
import json
import os
import pickle
import signal
import zipfile
from collections import Counter

import h5netcdf
import h5py
import numpy as np
import pytest

from corteval import registry
from corteval.cli import main
from corteval.errors import (
    ArchiveError,
    AssemblyError,
    FetchError,
    NotInData,
    OptionError,
    StimuliError,
    WrongContent,
)
from corteval_brainscore import catalogue, netcdf
from corteval_brainscore.catalogue import files, find


def assembly(name, **options):
    return registry.data.create(f"brainscore/{name}", **options).assembly()


def stimuli(name, **options):
    return registry.data.create(f"brainscore/{name}", **options).stimuli()


# From the server


def test_files_are_had_once_and_kept(archive):
    archive.add_recording()
    assembly("Set.public")
    stimuli("Set.public")
    assert len(archive.requests) == 3
    assembly("Set.public")
    stimuli("Set.public")
    assert len(archive.requests) == 3


def test_a_version_is_asked_for_where_there_is_one(archive):
    archive.add_recording(version="Abc.123_")
    assembly("Set.public")
    assert any(request.endswith("Set_public.nc?versionId=Abc.123_") for request in archive.requests)


def test_a_file_of_another_version_is_not_there(archive):
    archive.add_recording(version="new")
    (path,) = archive.versions
    archive.versions[path] = "newer"
    with pytest.raises(FetchError, match="404"):
        assembly("Set.public")


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_answered_with_what_is_known(archive, status):
    archive.add_recording()
    archive.statuses["/brainio-brainscore/assy_Set_public.nc"] = status
    with pytest.raises(FetchError) as caught:
        assembly("Set.public")
    words = str(caught.value)
    assert f"answered {status}" in words
    assert "registry does not say who may have this file" in words
    assert "CORTEVAL_MIRROR" in words


def test_wrong_bytes_are_never_read(archive):
    archive.add_recording()
    archive.bodies["/brainio-brainscore/assy_Set_public.nc"] += b"!"
    with pytest.raises(WrongContent, match="sha1"):
        assembly("Set.public")


def test_a_file_that_is_cut_short_is_not_read(archive):
    archive.add_recording()
    archive.statuses["/brainio-brainscore/assy_Set_public.nc"] = "cut"
    with pytest.raises(FetchError):
        assembly("Set.public")


def test_without_the_images_the_assembly_can_still_be_had(archive):
    archive.add_recording()
    archive.statuses["/brainio-brainscore/stimulus_shown.zip"] = 403
    assert assembly("Set.public").sizes["presentation"] == 5
    with pytest.raises(FetchError, match="403"):
        stimuli("Set.public")


def test_without_the_assembly_the_whole_stimulus_set_can_still_be_had(archive):
    archive.add_recording()
    archive.statuses["/brainio-brainscore/assy_Set_public.nc"] = 403
    assert len(stimuli("Set.public", recorded=False)) == 5


# From a mirror, or a folder


def test_a_mirror_holds_files_as_wget_names_them(archive, tmp_path, monkeypatch):
    """`wget -x` makes host/path, the query being part of the name."""
    archive.add_recording(version="V1")
    monkeypatch.setattr(catalogue, "BUCKET", "https://brainscore-storage.s3.amazonaws.com")
    catalogue._holdings.cache_clear()
    root = tmp_path / "mirror" / "brainscore-storage.s3.amazonaws.com"
    for path, body in archive.bodies.items():
        version = archive.versions.get(path)
        file = root / (path.removeprefix("/") + (f"?versionId={version}" if version else ""))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    assert assembly("Set.public").sizes["trial"] == 3
    assert len(stimuli("Set.public")) == 5
    assert archive.requests == []


@pytest.mark.parametrize("below", [False, True])
def test_a_folder_of_ones_own_is_used_before_the_network(archive, tmp_path, below):
    """Under their own names, or below their SHA-1 as in ~/.brainio."""
    archive.add_recording()
    folder = tmp_path / "brainio"
    for resource in files(find("Set.public")):
        place = folder / resource.sha1 if below else folder
        place.mkdir(parents=True, exist_ok=True)
        path = "/" + resource.url.removeprefix(archive.address).lstrip("/")
        (place / resource.filename).write_bytes(archive.bodies[path])
    assert assembly("Set.public", folder=folder).sizes["trial"] == 3
    assert stimuli("Set.public", folder=folder).image("im3").shape == (6, 6, 3)
    assert archive.requests == []


def test_a_file_in_the_folder_that_is_not_the_archives_is_refused(archive, tmp_path):
    archive.add_recording()
    (tmp_path / "assy_Set_public.nc").write_bytes(b"other")
    with pytest.raises(WrongContent, match="has sha1"):
        assembly("Set.public", folder=tmp_path)


def test_a_folder_that_does_not_exist_is_an_error(archive, tmp_path):
    archive.add_recording()
    with pytest.raises(OptionError, match="nowhere"):
        assembly("Set.public", folder=tmp_path / "nowhere")


def test_a_file_without_a_digest_is_taken_from_the_user_only(archive, tmp_path, formats):
    address = f"{archive.address}/legacy/Pereira2018.nc"
    archive.row(
        "language.csv",
        member="neural-nlp.Pereira2018",
        kind="unpinned",
        source="pereira2018",
        address=address,
        assembly_class="NeuroidAssembly",
    )
    with pytest.raises(NotInData, match=r"Pereira2018\.nc .*corrupted"):
        assembly("neural-nlp.Pereira2018")
    along = ("presentation",)
    coords = {"stimulus_id": (along, ["0", "1"]), "sentence": (along, ["A.", "B."])}
    own = tmp_path / "own"
    own.mkdir()
    dims = ("presentation", "neuroid")
    formats["netcdf"](own / "Pereira2018.nc", np.eye(2), dims, coords, attrs={"x": "s3:y.csv"})
    found = assembly("neural-nlp.Pereira2018", folder=own)
    assert "Nobody published a digest" in " ".join(found.attrs["notes"])
    assert stimuli("neural-nlp.Pereira2018", folder=own).table["text"].tolist() == ["A.", "B."]
    assert archive.requests == []


def test_stimuli_that_are_had_by_agreement_come_from_the_users_folder(archive, tmp_path, formats):
    archive.row("vision.csv", member="Laion", kind="stimuli", source="laion_fmri")
    with pytest.raises(NotInData, match="data use agreement"):
        stimuli("Laion")
    rows = [{"stimulus_id": "a", "filename": "a.png"}]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "stimuli.csv").write_bytes(formats["csv"](rows))
    (tmp_path / "own" / "a.png").write_bytes(formats["png"](1))
    assert stimuli("Laion", folder=tmp_path / "own").image("a").shape == (6, 6, 3)


# Stimulus sets


def with_rows(archive, rows, images):
    archive.add_stimuli("shown", rows, images)
    return stimuli("shown")


def test_legacy_tables_call_their_ids_image_id(archive, formats):
    rows = [{"image_id": "0012", "filename": "b.png", "degrees": "4.0"}]
    found = with_rows(archive, rows, {"b.png": formats["png"](3)})
    assert found.stimulus_ids == ["0012"]
    assert found.visual_degrees == 4.0


@pytest.mark.parametrize("degrees", [["8", "4"], ["", ""], ["wide", "wide"]])
def test_a_size_that_is_not_one_for_all_is_not_taken(archive, formats, degrees):
    rows = [
        {"stimulus_id": f"{n}", "filename": "b.png", "degrees": d} for n, d in enumerate(degrees)
    ]
    assert with_rows(archive, rows, {"b.png": formats["png"](3)}).visual_degrees is None
    assert stimuli("shown", visual_degrees=6.5).visual_degrees == 6.5


@pytest.mark.parametrize("stimulus_id", ["NA", "None", "1e3", "007", "TRUE", "é"])
def test_ids_are_taken_to_the_letter(archive, formats, stimulus_id):
    rows = [{"stimulus_id": stimulus_id, "filename": "b.png"}]
    assert with_rows(archive, rows, {"b.png": formats["png"](3)}).stimulus_ids == [stimulus_id]


def test_columns_of_the_experimenter_are_never_shown(archive, formats):
    rows = [{"stimulus_id": "a", "filename": "a.png", "position": "cat", "text": "cat"}]
    found = with_rows(archive, rows, {"a.png": formats["png"](3)})
    assert list(found.shown().table.columns) == ["path"]
    assert found.table["position_stored"].tolist() == ["cat"]


def test_files_that_the_table_names_and_the_zip_lacks_are_named(archive, formats):
    rows = [{"stimulus_id": n, "filename": f"{n}.png"} for n in ("a", "b", "c")]
    archive.add_stimuli("shown", rows, {"a.png": formats["png"](1), "B.png": formats["png"](2)})
    with pytest.raises(StimuliError) as caught:
        stimuli("shown")
    assert "2 of 3 files" in str(caught.value)
    assert "b.png, c.png" in str(caught.value)
    assert "B.png, which differ by case" in str(caught.value)


@pytest.mark.parametrize("name", ["../a.png", "/etc/hostname", "x/../../a.png"])
def test_a_table_cannot_lead_out_of_its_folder(archive, formats, name):
    rows = [{"stimulus_id": "a", "filename": name}]
    archive.add_stimuli("shown", rows, {"a.png": formats["png"](1)})
    with pytest.raises(StimuliError, match="lead out"):
        stimuli("shown")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"", "no readable stimulus table"),
        (b"\xff\xfe\x00\x01", "no readable stimulus table"),
        (b'stimulus_id,filename\n"a', "no readable stimulus table"),
        (b"name,filename\na,a.png\n", "neither column stimulus_id nor image_id"),
        (b"stimulus_id,name\na,a.png\n", "no column filename"),
        (b"stimulus_id,filename\na,a.png\na,a.png\n", "ids repeat: a"),
        (b"stimulus_id,filename\n,a.png\n", "stimulus ids are text"),
    ],
)
def test_a_broken_table_is_an_error_with_its_reason(archive, formats, table, words):
    archive.add_stimuli("shown", table, {"a.png": formats["png"](1)})
    with pytest.raises(StimuliError, match=words):
        stimuli("shown")


def test_a_zip_that_leaves_its_folder_is_refused(archive, formats):
    rows = [{"stimulus_id": "a", "filename": "a.png"}]
    archive.add_stimuli("shown", rows, {"../a.png": b"x"})
    with pytest.raises(ArchiveError, match=r"leaves its folder"):
        stimuli("shown")


def test_a_zip_bomb_is_refused(archive):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a.png", bytes(10**8))
    rows = [{"stimulus_id": "a", "filename": "a.png"}]
    archive.add_stimuli("shown", rows, file.getvalue())
    with pytest.raises(ArchiveError, match="bomb"):
        stimuli("shown")


# Damaged and hostile assemblies


def refused(path, words):
    with pytest.raises(AssemblyError, match=words) as caught, netcdf.opened(path) as stored:
        stored.read()
    assert str(path) in str(caught.value)


def valid(path, formats):
    coords = {"stimulus_id": (("presentation",), ["a", "b"])}
    return formats["netcdf"](path, np.ones((2, 3)), ("presentation", "neuroid"), coords)


def test_what_is_no_netcdf_is_refused(tmp_path):
    path = tmp_path / "file.nc"
    for body in (b"", b"CDF\x01 old", b"<html>", pickle.dumps([1]), bytes(10_000)):
        path.write_bytes(body)
        refused(path, "no readable netCDF-4 file")


def outcome(path):
    """Of reading in a process of its own: the HDF5 library may hang on damage, or crash."""
    child = os.fork()
    if child == 0:
        signal.alarm(1)
        try:
            with netcdf.opened(path) as stored:
                stored.read()
            os._exit(0)
        except AssemblyError as error:
            os._exit(1 if str(path) in str(error) else 2)
        except BaseException:
            os._exit(3)
    status = os.waitpid(child, 0)[1]
    return "killed" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


@pytest.mark.slow
def test_damage_anywhere_is_told_or_changes_nothing_but_values(tmp_path, formats):
    path = tmp_path / "file.nc"
    body = valid(path, formats)
    outcomes = Counter()
    for place in range(0, len(body), 53):
        path.write_bytes(body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :])
        outcomes[outcome(path)] += 1
    assert set(outcomes) <= {0, 1, "killed"}
    assert outcomes[0] and outcomes[1] > 5, outcomes
    assert outcomes["killed"] < 5, outcomes


def test_a_file_without_a_digest_that_is_never_read_to_its_end_is_given_up(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "endless.nc")  # opening it waits for ever
    monkeypatch.setattr(netcdf, "PROBE_SECONDS", 0.5)
    with pytest.raises(AssemblyError, match=r"endless\.nc was not read within 0\.5 seconds"):
        netcdf.probe(tmp_path / "endless.nc")


def test_a_file_without_a_digest_is_read_elsewhere_first(tmp_path, formats):
    valid(tmp_path / "sound.nc", formats)
    netcdf.probe(tmp_path / "sound.nc")
    (tmp_path / "broken.nc").write_bytes(b"no netCDF")
    with pytest.raises(AssemblyError, match="no readable netCDF-4 file"):
        netcdf.probe(tmp_path / "broken.nc")


def test_a_file_that_ends_early_is_refused(tmp_path, formats):
    path = tmp_path / "file.nc"
    body = valid(path, formats)
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(body[: int(share * len(body))])
        refused(path, "no readable netCDF-4 file")


def test_a_file_without_values_names_what_it_has(tmp_path):
    path = tmp_path / "file.nc"
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"x": 1}
        file.create_variable("other", ("x",), dtype=float)
    refused(path, "has no variable 'data'; its variables are other")


def test_values_that_the_file_cannot_hold_are_refused(tmp_path):
    path = tmp_path / "file.nc"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (10**6, 10**5), dtype="f8", chunks=(1000, 1000))
    refused(path, "more than its .* bytes can hold")


def test_values_in_other_files_are_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(80))
    outside = tmp_path / "external.nc"
    with h5py.File(outside, "w") as file:
        file.create_dataset("data", (10,), dtype="f8", external=[(str(secret), 0, 80)])
    refused(outside, "takes its values from other files")
    linked = tmp_path / "linked.nc"
    with h5py.File(linked, "w") as file:
        file["data"] = h5py.ExternalLink(str(outside), "/data")
    refused(linked, "is a link")


def test_attributes_that_look_like_json_and_are_none_stay_text(tmp_path, formats):
    path = tmp_path / "file.nc"
    deep = "[" * 100_000
    attrs = {"deep": deep, "half": '{"a": ', "list": "[1, 2]"}
    formats["netcdf"](path, np.ones(2), ("presentation",), {}, attrs=attrs)
    with netcdf.opened(path) as stored:
        assert stored.attrs == {"deep": deep, "half": '{"a": ', "list": [1, 2]}


def test_responses_that_are_words_are_no_recording(archive):
    coords = {"stimulus_id": (("presentation",), ["a"])}
    archive.add_assembly("Words", [["a"]], ("presentation", "neuroid"), coords, merges=False)
    with pytest.raises(AssemblyError, match="responses are numbers"):
        assembly("Words")


def test_time_bins_without_edges_are_an_error(archive):
    coords = {"stimulus_id": (("presentation",), ["a"])}
    dims = ("presentation", "neuroid", "time_bin")
    archive.add_assembly("Timeless", np.ones((1, 2, 3)), dims, coords, merges=False)
    with pytest.raises(AssemblyError, match="time_bin_start and time_bin_end"):
        assembly("Timeless")


# On the command line


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(arguments)
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_fetch_prints_where_the_files_are(archive, run):
    archive.add_recording("MajajHong2015.public")
    code, out, err = run("data", "fetch", "--yes", "brainscore/MajajHong2015.public")
    assert code == 0, err
    assert "assy_MajajHong2015_public.nc" in out
    assert "stimulus_shown.zip" in out


def test_nothing_is_downloaded_before_restrictions_are_told_and_agreed_to(archive, run):
    archive.add_recording("Papale", source="papale2025")
    code, _, err = run("data", "fetch", "brainscore/Papale")
    assert code != 0
    assert "not licensed for redistribution" in err
    assert "none recorded in the registry" in err
    assert archive.requests == []


def test_info_says_what_is_known(archive, run):
    archive.add_recording(source="tuckute2024")
    code, out, _ = run("info", "brainscore/Set.public", "--json")
    assert code == 0
    (card,) = json.loads(out)["cards"]
    assert card["licence"] == "none recorded in the registry"
    assert card["size"] is None
    assert any("One neuroid" in note for note in card["notes"])
    assert [r["downloaded"] for r in card["resources"]] == [False] * 3
