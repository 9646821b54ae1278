"""An archive of this test's own: files in the published format, a catalogue, and a server.

The files are written with h5netcdf and the standard library, by nothing that the reader uses.
"""

import csv
import functools
import hashlib
import io
import json
import os
import shutil
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import h5netcdf
import h5py
import numpy as np
import pytest
from PIL import Image

from corteval.fetch import transfer
from corteval_brainscore import catalogue

VISION = [
    "member", "kind", "stored_as", "source", "folder", "csv_sha1", "csv_version", "zip_sha1",
    "zip_version", "nc_sha1", "nc_version", "assembly_class", "merges", "stimulus_set",
]  # fmt: skip
LANGUAGE = [
    "member", "kind", "source", "address", "sha1", "version", "assembly_class", "instead",
]  # fmt: skip
FOLDER = "brainio-brainscore"


def sha1(body):
    return hashlib.sha1(body).hexdigest()


def png(number, size=6):
    image = Image.fromarray(np.full((size, size, 3), number % 256, np.uint8))
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def flat_zip(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return file.getvalue()


def flat_csv(rows):
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def netcdf(path, values, dims, coords, *, attrs=None, own=None, name="data", level=9, chunks=None):
    """A file as a reset index and zlib leave it: `coords` maps names to (dims, values)."""
    with h5netcdf.File(path, "w") as file:
        for dim, size in zip(dims, np.shape(values), strict=True):
            if dim not in file.dimensions:
                file.dimensions[dim] = size
        values = np.asarray(values)
        text = values.dtype.kind in "OU"
        data = file.create_variable(
            name,
            dims,
            dtype=h5py.string_dtype() if text else values.dtype,
            **({} if text or not values.ndim else {"compression": "gzip"}),
            **({} if text or not values.ndim else {"compression_opts": level}),
            chunks=chunks,
            fillvalue=np.nan if values.dtype.kind == "f" else None,
        )
        data[...] = values.astype(object) if text else values
        listed = [coord for coord in coords if coord not in dims]
        if listed:
            data.attrs["coordinates"] = " ".join(listed)
        for attr, value in (own or {}).items():
            data.attrs[attr] = value
        for coord, (over, column) in coords.items():
            column = np.asarray(column)
            if column.dtype.kind in "OU":
                variable = file.create_variable(coord, over, dtype=h5py.string_dtype())
                variable[...] = column.astype(object)
            elif column.dtype.kind == "b":
                variable = file.create_variable(coord, over, dtype=np.int8)
                variable[...] = column.astype(np.int8)
                variable.attrs["dtype"] = "bool"
            else:
                fill = np.nan if column.dtype.kind == "f" else None
                variable = file.create_variable(coord, over, dtype=column.dtype, fillvalue=fill)
                variable[...] = column
        for attr, value in (attrs or {}).items():
            file.attrs[attr] = json.dumps(value) if isinstance(value, dict | list) else value
    return path.read_bytes()


class Archive:
    """What is served: bodies by path, versions that must be asked for, statuses that are forced."""

    def __init__(self, folder):
        self.folder = folder
        self.bodies, self.versions, self.statuses = {}, {}, {}
        self.requests = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, self))
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.tables = {"vision.csv": VISION, "language.csv": LANGUAGE}
        for name, header in self.tables.items():
            (folder / name).write_text(",".join(header) + "\n")

    def put(self, path, body, version=""):
        self.bodies[f"/{path}"] = body
        if version:
            self.versions[f"/{path}"] = version
        return sha1(body)

    def row(self, table, **fields):
        with (self.folder / table).open("a", newline="") as file:
            csv.DictWriter(file, self.tables[table], restval="").writerow(fields)
        catalogue._holdings.cache_clear()

    def add_stimuli(self, member, rows, files, version="", source="majajhong2015"):
        stem = f"{FOLDER}/stimulus_{member.replace('.', '_')}"
        table = rows if isinstance(rows, bytes) else flat_csv(rows)
        images = files if isinstance(files, bytes) else flat_zip(files)
        self.row(
            "vision.csv",
            member=member,
            kind="stimuli",
            stored_as=member,
            source=source,
            folder=FOLDER,
            csv_sha1=self.put(f"{stem}.csv", table, version and f"{version}-csv"),
            csv_version=version and f"{version}-csv",
            zip_sha1=self.put(f"{stem}.zip", images, version and f"{version}-zip"),
            zip_version=version and f"{version}-zip",
        )

    def add_assembly(
        self, member, *content, stimulus_set="", merges=True, form="NeuronRecordingAssembly",
        version="", source="majajhong2015", body=None, **options,
    ):  # fmt: skip
        path = f"{FOLDER}/assy_{member.replace('.', '_')}.nc"
        body = body or netcdf(self.folder / "written.nc", *content, **options)
        self.row(
            "vision.csv",
            member=member,
            kind="assembly",
            stored_as=member,
            source=source,
            folder=FOLDER,
            nc_sha1=self.put(path, body, version),
            nc_version=version,
            assembly_class=form,
            merges="yes" if merges else "no",
            stimulus_set=stimulus_set,
        )

    def add_words(self, member, *content, kind="assembly", form="NeuroidAssembly", **options):
        path = f"brainscore-language/assy_{member.replace('.', '_')}.nc"
        body = netcdf(self.folder / "written.nc", *content, **options)
        self.row(
            "language.csv", member=member, kind=kind, source="pereira2018", address=path,
            sha1=self.put(path, body), assembly_class=form,
        )  # fmt: skip

    def add_recording(self, member="Set.public", stimuli=5, trials=3, neuroids=4, **options):
        """A small recording with its stimuli; the values, (stimulus, trial, neuroid)."""
        ids = [f"im{n}" for n in range(stimuli)]
        rows = [
            {"stimulus_id": i, "filename": f"{i}.png", "object_name": f"o{n % 2}", "degrees": 8}
            for n, i in enumerate(ids)
        ]
        self.add_stimuli("shown", rows, {f"{i}.png": png(n) for n, i in enumerate(ids)})
        values = np.random.default_rng(0).normal(size=(stimuli, trials, neuroids))
        order = np.random.default_rng(1).permutation(stimuli * trials)
        self.add_assembly(
            member,
            values.reshape(-1, neuroids)[order],
            ("presentation", "neuroid"),
            {
                "image_id": (("presentation",), np.repeat(ids, trials)[order]),
                "repetition": (("presentation",), np.tile(np.arange(trials), stimuli)[order]),
                "neuroid_id": (("neuroid",), [f"n{n}" for n in range(neuroids)]),
                "region": (("neuroid",), ["IT"] * neuroids),
            },
            stimulus_set="shown",
            **options,
        )
        return values


class Handler(BaseHTTPRequestHandler):
    def __init__(self, archive, *arguments):
        self.archive = archive
        super().__init__(*arguments)

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        address = urlsplit(self.path)
        self.archive.requests.append(self.path)
        status = self.archive.statuses.get(address.path, 200)
        body = self.archive.bodies.get(address.path)
        version = self.archive.versions.get(address.path)
        asked = parse_qs(address.query).get("versionId", [None])[0]
        if body is None or (version is not None and asked != version):
            status = 404
        length = len(body or b"")
        if status == "cut":  # the connection ends after half
            status, body = 200, body[: length // 2]
        if status != 200:
            body, length = b"<Error><Code>AccessDenied</Code></Error>", 40
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An empty archive, in force as the catalogue of the family; a home of its own."""
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("sources.json", "references.bib"):
        shutil.copy(catalogue.FOLDER / name, folder)
    for name in ("CORTEVAL_MIRROR", "CORTEVAL_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(transfer, "sleep", lambda seconds: None)
    made = Archive(folder)
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    monkeypatch.setattr(catalogue, "BUCKET", made.address)
    catalogue._holdings.cache_clear()
    yield made
    made.server.shutdown()
    made.server.server_close()
    catalogue._holdings.cache_clear()


@pytest.fixture(scope="session")
def formats():
    """Writers of the archive's formats, for tests that make files of their own."""
    return {"netcdf": netcdf, "csv": flat_csv, "zip": flat_zip, "png": png, "sha1": sha1}


@pytest.fixture(scope="session")
def registry_rows():
    """Rows of the registries as they were recorded, by independent code."""

    def load(name):
        path = Path(__file__).parents[4].parent / "shared" / "reference" / name
        if not path.is_file() and os.environ.get("CORTEVAL_REQUIRE_DATA") == "1":
            pytest.fail(f"no registry at {path}, but CORTEVAL_REQUIRE_DATA=1")
        if not path.is_file():
            pytest.skip(f"no registry at {path}")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return load
