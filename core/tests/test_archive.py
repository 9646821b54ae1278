"""Archives, friendly and hostile: all of their files appear below one folder, or nothing does."""

import contextlib
import gzip
import hashlib
import io
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval.cards import Resource
from corteval.errors import ArchiveError, FetchError
from corteval.fetch import ArchiveLimits, archive, fetch_archive, unpack

FILES = {"images/a.png": b"first" * 100, "images/deep/b.png": b"second", "empty": b""}
TAR_MODES = ("w", "w:gz", "w:bz2", "w:xz")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "home"


def zip_of(*entries, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, content, {attribute: value}), written without second thoughts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # duplicate names
        for name, content, *changes in entries:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type, info.external_attr = name, method, 0o644 << 16
            for attribute, value in (changes[0] if changes else {}).items():
                setattr(info, attribute, value)
            target.writestr(info, content)
    return buffer.getvalue()


def tar_of(*entries, mode="w", **options):
    """A tar of (name, content, {attribute: value}), written without second thoughts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as target:
        for name, content, *changes in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for attribute, value in (changes[0] if changes else {}).items():
                setattr(info, attribute, value)
            target.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def pinned(tmp_path, data):
    """A resource that the mirror of this test holds."""
    file = tmp_path / "mirror" / "h.org" / "stimuli.zip"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return Resource(url="https://h.org/stimuli.zip", sha256=sha256, size=len(data), licence="CC0")


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refused(tmp_path, data, reason, limits=archive.LIMITS):
    """Check that `data` is refused for `reason` and leaves nothing behind; the message."""
    (tmp_path / "bad.archive").write_bytes(data)
    folder = tmp_path / "unpacked" / "here"
    with pytest.raises(ArchiveError, match=reason) as caught:
        unpack(tmp_path / "bad.archive", folder, limits)
    assert str(tmp_path / "bad.archive") in str(caught.value)
    assert [path.name for path in folder.parent.iterdir() if path.name != ".here.lock"] == []
    assert {path.name for path in tmp_path.iterdir()} <= {"bad.archive", "unpacked", "home"}
    return str(caught.value)


# Friendly archives


@pytest.mark.parametrize("mode", TAR_MODES)
def test_every_tar_is_unpacked(tmp_path, mode):
    (tmp_path / "a").write_bytes(tar_of(*FILES.items(), mode=mode))
    assert contents(unpack(tmp_path / "a", tmp_path / "out")) == FILES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_usual_zip_is_unpacked(tmp_path, method):
    files = FILES | {"large": os.urandom(200_000)}
    (tmp_path / "a").write_bytes(zip_of(*files.items(), method=method))
    assert contents(unpack(tmp_path / "a", tmp_path / "out")) == files


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_cannot_be_read_in_small_pieces_is_refused(tmp_path, method):
    refused(tmp_path, zip_of(*FILES.items(), method=method), "another method than deflate")


@pytest.mark.parametrize("data", [zip_of(), tar_of()], ids=["zip", "tar"])
def test_an_empty_archive_is_an_empty_folder(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    assert list(unpack(tmp_path / "a", tmp_path / "out").iterdir()) == []


def test_what_tar_makes_of_a_dot_is_unpacked(tmp_path):
    folder = {"type": tarfile.DIRTYPE, "mode": 0}
    data = tar_of(("./", b"", folder), ("./d", b"", folder), ("./d/f", b"x"), ("./d", b"", folder))
    (tmp_path / "a").write_bytes(data)
    assert contents(unpack(tmp_path / "a", tmp_path / "out")) == {"d/f": b"x"}


def test_empty_folders_are_made(tmp_path):
    (tmp_path / "a").write_bytes(zip_of(("d/e/", b"")))
    assert (unpack(tmp_path / "a", tmp_path / "out") / "d" / "e").is_dir()


def test_names_in_every_script_are_kept(tmp_path):
    files = {"größe/図.png": b"1", "a" * 255: b"2", "colon: fine": b"3"}
    for data in (zip_of(*files.items()), tar_of(*files.items())):
        (tmp_path / "a").write_bytes(data)
        folder = tmp_path / f"out{len(data)}"
        assert contents(unpack(tmp_path / "a", folder)) == files


def test_neither_bits_nor_owners_are_restored(tmp_path):
    entry = ("run", b"#!", {"mode": 0o6777, "uid": 12345, "mtime": 1})
    (tmp_path / "a").write_bytes(tar_of(entry))
    (tmp_path / "b").write_bytes(zip_of(("run", b"#!", {"external_attr": 0o106777 << 16})))
    for name in "ab":
        status = (unpack(tmp_path / name, tmp_path / f"out-{name}") / "run").stat()
        assert not status.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_ISUID)
        assert status.st_uid != 12345


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "a").write_bytes(zip_of(*FILES.items()))
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "a", tmp_path / "out")
    with pytest.raises(ArchiveError, match="is not empty"):
        unpack(tmp_path / "a", tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


# Hostile names and kinds, in both formats

NAMES = [
    ("/etc/passwd", "has an absolute path"),
    ("../up", r"leaves its folder with '\.\.'"),
    ("a/../../up", r"leaves its folder with '\.\.'"),
    ("a/..", r"leaves its folder with '\.\.'"),
    ("C:/windows", "names a drive"),
    ("a/c:evil", "names a drive"),
    ("a\\..\\b", "has a backslash in its name"),
    ("n" * 256, "has a name of more than 255 bytes"),
    ("ü" * 128, "has a name of more than 255 bytes"),
    ("d/" * 2100 + "f", "has a path of more than 4096 bytes"),
    (".", "has no name"),
]


@pytest.mark.parametrize(("name", "reason"), NAMES, ids=[name[:9] for name, _ in NAMES])
@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_hostile_name_is_refused(tmp_path, make, name, reason):
    message = refused(tmp_path, make(("good", b"x"), (name, b"evil")), reason)
    assert ascii(name)[1:20] in message


def test_a_nul_in_a_name_is_refused(tmp_path):
    refused(tmp_path, zip_of(("a.txt\0.exe", b"")), "has a NUL in its name")
    data = tar_of(("x", b"", {"pax_headers": {"path": "a.txt\0.exe"}}), format=tarfile.PAX_FORMAT)
    refused(tmp_path, data, "has a NUL in its name")


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("a", "a", "has a name that another member has"),
        ("a", "./a", "has a name that another member has"),
        ("a", "a/b", "has a name that another member has"),
        ("a/b", "a", "has a name that another member has"),
        ("a.PNG", "a.png", "differs from 'a.PNG' in case or Unicode form only"),
        ("D/a", "d/b", "differs from 'D' in case"),
        ("stra\u00dfe", "STRASSE", r"differs from 'stra\\xdfe' in case"),
        ("\u00e9", "e\u0301", r"differs from '\\xe9' in case or Unicode form"),
        ("\u00c9", "e\u0301", r"differs from '\\xc9' in case or Unicode form"),
    ],
)
@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_two_names_for_one_file_are_refused(tmp_path, make, first, second, reason):
    refused(tmp_path, make((first, b"1"), (second, b"2")), reason)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "is a symbolic link"),
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a device"),
        (tarfile.BLKTYPE, "is a device"),
        (tarfile.FIFOTYPE, "is a pipe"),
        (b"V", "is neither a plain file nor a folder"),
    ],
)
def test_a_tar_holds_files_and_folders_only(tmp_path, kind, reason):
    entry = ("evil", b"", {"type": kind, "linkname": "/etc/passwd"})
    refused(tmp_path, tar_of(("good", b"x"), entry), f"member 'evil' {reason}")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, "is a symbolic link"),
        (stat.S_IFIFO, "is a pipe"),
        (stat.S_IFCHR, "is neither a plain file nor a folder"),
        (stat.S_IFSOCK, "is neither a plain file nor a folder"),
    ],
)
def test_a_zip_holds_files_and_folders_only(tmp_path, kind, reason):
    entry = ("evil", b"/etc/passwd", {"external_attr": (kind | 0o777) << 16})
    refused(tmp_path, zip_of(("good", b"x"), entry), f"member 'evil' {reason}")


def test_a_sparse_file_is_refused(tmp_path):
    headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "9999999"}
    data = tar_of(("s", b"x", {"pax_headers": headers}), format=tarfile.PAX_FORMAT)
    refused(tmp_path, data, "is neither a plain file nor a folder")


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_name_that_is_not_utf8_is_refused(tmp_path, kind):
    data = tar_of(("gr\u00f6\u00dfe", b""), format=kind, encoding="latin-1")
    assert r"gr\udcf6" in refused(tmp_path, data, "has a name that is not UTF-8")


def test_an_encrypted_zip_is_refused(tmp_path):
    data = bytearray(zip_of(("secret", b"x")))
    data[6] |= 1  # flags in the local header
    data[data.index(b"PK\1\2") + 8] |= 1  # and in the directory
    refused(tmp_path, bytes(data), "member 'secret' is encrypted")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_an_accepted_name_stays_below_the_folder(name):
    if not archive._problem_of_name(name):
        path = os.path.normpath(f"/folder/{name}")
        assert path == "/folder" or path.startswith("/folder/")


# Bombs

TIGHT = ArchiveLimits(max_ratio=10, ratio_floor=10_000)


@pytest.mark.parametrize(
    "data",
    [
        zip_of(("zeros", bytes(10**6))),
        zip_of(*((str(n), bytes(1000)) for n in range(200))),
        *(tar_of(("zeros", bytes(10**6)), mode=mode) for mode in TAR_MODES[1:]),
    ],
    ids=["deflate", "many", *TAR_MODES[1:]],
)
def test_a_bomb_is_refused(tmp_path, data):
    refused(tmp_path, data, "as a bomb would", TIGHT)
    (tmp_path / "bad.archive").write_bytes(data)
    unpack(tmp_path / "bad.archive", tmp_path / "trusted")


def test_small_files_may_shrink_as_they_like(tmp_path):
    (tmp_path / "a").write_bytes(zip_of(("zeros", bytes(9_999))))
    unpack(tmp_path / "a", tmp_path / "out", TIGHT)


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_size_and_entries_are_limited(tmp_path, make):
    entries = [(f"f{n}", b"12345") for n in range(10)]
    reason = "member 'f9' takes it beyond 49 bytes"
    refused(tmp_path, make(*entries), reason, ArchiveLimits(max_bytes=49))
    reason = "member 'f9' takes it beyond 9 files and folders"
    refused(tmp_path, make(*entries), reason, ArchiveLimits(max_entries=9))
    (tmp_path / "a").write_bytes(make(*entries))
    unpack(tmp_path / "a", tmp_path / "out", ArchiveLimits(max_bytes=50, max_entries=10))


def test_folders_that_no_entry_names_count_as_entries(tmp_path):
    limits = ArchiveLimits(max_entries=100)
    refused(tmp_path, zip_of(("d/" * 100 + "f", b"")), "100 files and folders", limits)


def patched(data, old, new):
    assert old in data
    return data.replace(old, new)


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path):
    data = zip_of(("zeros", bytes(1000)))
    lie = patched(data, (1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    refused(tmp_path, lie, "is damaged")
    lie = patched(data, (1000).to_bytes(4, "little"), (2000).to_bytes(4, "little"))
    refused(tmp_path, lie, "has 1000 bytes where its header says 2000|is damaged")


def test_a_long_tar_header_is_not_read_into_memory(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 31
    data = gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(10**6))
    refused(tmp_path, data, "its headers, or what follows its end, are too long")


def test_tar_headers_on_headers_are_refused(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 512
    refused(tmp_path, (info.tobuf(tarfile.GNU_FORMAT) + bytes(512)) * 5000, "is damaged")


def test_a_tar_header_that_points_backwards_is_refused(tmp_path):
    info = tarfile.TarInfo("x")
    info.size = -1024
    block = info.tobuf(tarfile.GNU_FORMAT)
    refused(tmp_path, tar_of(("a", b"1"))[:1024] + block + bytes(1024), "is damaged|header says")


# Damage


@pytest.mark.parametrize("mode", TAR_MODES)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.85])
def test_a_tar_that_is_cut_short_is_refused(tmp_path, mode, share):
    data = tar_of(*((f"f{n}", os.urandom(3000)) for n in range(20)), mode=mode)
    refused(tmp_path, data[: int(len(data) * share)], "is damaged")


def test_a_tar_that_is_cut_between_members_is_refused(tmp_path):
    refused(tmp_path, tar_of(("a", b"1"), ("b", b"2"))[:1024], "the end is missing")


def test_a_tar_with_a_broken_header_is_refused(tmp_path):
    data = bytearray(tar_of(("a", b"1"), ("b", b"2"), ("c", b"3")))
    data[1024 + 3] ^= 1
    refused(tmp_path, bytes(data), "a header is broken")


def test_a_wrong_checksum_is_noticed(tmp_path):
    data = bytearray(tar_of(("a", b"1"), mode="w:gz"))
    data[-5] ^= 1
    refused(tmp_path, bytes(data), "is damaged")
    data = zip_of(("a", b"content"), method=zipfile.ZIP_STORED)
    refused(tmp_path, patched(data, b"content", b"c0ntent"), "is damaged")


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\3\4 and so on", b"<html>", b"\x1f\x8b\x08", b"x" * 9999]
)
def test_something_else_is_refused(tmp_path, data):
    refused(tmp_path, data, "is damaged, or neither zip nor tar")


def test_a_compressed_file_that_is_no_tar_is_refused(tmp_path):
    refused(tmp_path, gzip.compress(b"a,b\n1,2\n" * 999), "is damaged, or neither zip nor tar")


def test_a_missing_archive_is_an_error_for_people(tmp_path):
    with pytest.raises(ArchiveError, match="is not a file"):
        unpack(tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz"])
def test_no_flipped_bit_escapes_or_crashes(tmp_path, mode):
    good = zip_of(*FILES.items()) if mode == "zip" else tar_of(*FILES.items(), mode=mode)
    for place in range(0, 8 * min(len(good), 3000), 89):
        data = bytearray(good)
        data[place // 8] ^= 1 << place % 8
        (tmp_path / "a").write_bytes(data)
        with contextlib.suppress(ArchiveError):
            unpack(tmp_path / "a", tmp_path / "out" / f"{place}")
        left = {path.name for path in (tmp_path / "out").iterdir()}
        assert left <= {f"{place}", f".{place}.lock"}
        assert {path.name for path in tmp_path.iterdir()} <= {"a", "out"}
        shutil.rmtree(tmp_path / "out")


# Fetched archives


def test_a_fetched_archive_is_unpacked_once(tmp_path, home, monkeypatch):
    resource = pinned(tmp_path, zip_of(*FILES.items()))
    folder = fetch_archive(resource)
    assert folder == home / "archives" / resource.sha256[:2] / resource.sha256
    assert contents(folder) == FILES
    monkeypatch.setattr(archive, "fetch", None)
    monkeypatch.setattr(archive, "writing", None)  # so that a folder may be read-only
    assert fetch_archive(resource) == folder


def damage_delete(folder):
    (folder / "images" / "a.png").unlink()


def damage_cut(folder):
    (folder / "images" / "a.png").write_bytes(b"fir")


def damage_manifest(folder):
    manifest = folder.with_name(f"{folder.name}.json")
    manifest.write_text(manifest.read_text()[:-9])


@pytest.mark.parametrize("damage", [damage_delete, damage_cut, damage_manifest])
def test_a_damaged_folder_is_unpacked_again(tmp_path, caplog, damage):
    resource = pinned(tmp_path, zip_of(*FILES.items()))
    damage(fetch_archive(resource))
    assert contents(fetch_archive(resource)) == FILES
    assert "unpacked again" in caplog.text


def test_a_refused_archive_has_no_folder(tmp_path, home):
    with pytest.raises(ArchiveError, match=re.escape(str(home / "downloads"))):
        fetch_archive(pinned(tmp_path, zip_of(("../up", b""))))
    assert all(path.name.endswith(".lock") for path in (home / "archives").glob("*/*"))


def test_a_full_disk_while_unpacking_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(zip_of(*FILES.items()))
    monkeypatch.setattr(archive, "_write_file", full)
    with pytest.raises(FetchError, match="no space left"):
        unpack(tmp_path / "a", tmp_path / "out" / "here")
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {".here.lock"}


def process_of(resource, patch):
    """A process that unpacks `resource` with `patch` in place of the function that writes."""
    code = f"""
import time
from corteval.cards import Resource
from corteval.fetch import archive
write = archive._write
def patched(path, folder, limits):
    print("unpacking", flush=True)
    {patch}
archive._write = patched
archive.fetch_archive({resource})
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_leaves_nothing_under_the_final_name(tmp_path, home):
    resource = pinned(tmp_path, zip_of(*FILES.items()))
    process = process_of(
        resource, "write(path, folder, limits); print('written', flush=True); time.sleep(60)"
    )
    with process.stdout:
        assert [process.stdout.readline() for _ in range(2)] == ["unpacking\n", "written\n"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    folder = home / "archives" / resource.sha256[:2] / resource.sha256
    stale = folder.with_name(f".{folder.name}.tmp")
    assert not folder.exists() and contents(stale) == FILES
    (stale / "stale").touch()
    assert contents(fetch_archive(resource)) == FILES
    assert not stale.exists()


def test_two_processes_unpack_once(tmp_path):
    resource = pinned(tmp_path, zip_of(*FILES.items()))
    slow = "time.sleep(0.3); return write(path, folder, limits)"
    processes = [process_of(resource, slow) for _ in range(2)]
    assert sorted(process.communicate()[0] for process in processes) == ["", "unpacking\n"]
    assert [process.returncode for process in processes] == [0, 0]
    assert contents(fetch_archive(resource)) == FILES
