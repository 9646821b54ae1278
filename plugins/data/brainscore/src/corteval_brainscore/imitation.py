"""An archive of a test's own: files in the published format, a catalogue, and a server.

    with imitated(tmp_path) as archive:
        archive.add_recording("MajajHong2015.public", stimuli=100, trials=5, neuroids=20)
        registry.data.create("brainscore/MajajHong2015.public").assembly()

Files are written with h5netcdf and the standard library, by nothing that the reader uses. While the
imitation is in force, the catalogue knows what was added to it and nothing else.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, final
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import h5netcdf
import h5py
import numpy as np

from corteval.fetch import transfer
from corteval_brainscore import catalogue

#: Names of a coordinate's dims, and its values.
Coordinate = tuple[Sequence[str], Any]

VISION = (
    "member", "kind", "stored_as", "source", "folder", "csv_sha1", "csv_version", "zip_sha1",
    "zip_version", "nc_sha1", "nc_version", "assembly_class", "merges", "stimulus_set",
)  # fmt: skip
LANGUAGE = (
    "member", "kind", "source", "address", "sha1", "version", "assembly_class", "instead",
)  # fmt: skip
_BUCKET_FOLDER = "brainio-brainscore"


def picture(number: int, size: int = 6) -> bytes:
    """A PNG of one grey, told by `number`."""
    return png(np.full((size, size, 3), number % 256, np.uint8))


def png(pixels: np.ndarray) -> bytes:
    """A PNG of `pixels`, uint8 (height, width[, 3])."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def flat_zip(files: Mapping[str, bytes]) -> bytes:
    """A zip without folders."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return file.getvalue()


def flat_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A table with the columns of its first row."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def netcdf(
    path: Path,
    values: Any,
    dims: Sequence[str],
    coords: Mapping[str, Coordinate],
    *,
    attrs: Mapping[str, Any] | None = None,
    own: Mapping[str, Any] | None = None,
    name: str = "data",
    level: int = 9,
    chunks: tuple[int, ...] | None = None,
) -> bytes:
    """A file as a reset index and zlib leave it.

    Args:
        path: where it is written.
        values, dims, coords: of the array; coordinates by name.
        attrs, own: attributes of the file, and of the array.
        name: of the array.
        level, chunks: of the compression.
    """
    values = np.asarray(values)
    with h5netcdf.File(path, "w") as file:
        for dim, size in zip(dims, values.shape, strict=True):
            if dim not in file.dimensions:
                file.dimensions[dim] = size
        text = values.dtype.kind in "OU"
        plain = text or not values.ndim
        data = file.create_variable(
            name,
            dims,
            dtype=h5py.string_dtype() if text else values.dtype,
            **({} if plain else {"compression": "gzip", "compression_opts": level}),
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
            _write_coordinate(file, coord, over, np.asarray(column))
        for attr, value in (attrs or {}).items():
            file.attrs[attr] = json.dumps(value) if isinstance(value, dict | list) else value
    return path.read_bytes()


def _write_coordinate(
    file: h5netcdf.File, name: str, dims: Sequence[str], values: np.ndarray
) -> None:
    if values.dtype.kind in "OU":
        variable = file.create_variable(name, dims, dtype=h5py.string_dtype())
        variable[...] = values.astype(object)
    elif values.dtype.kind == "b":
        variable = file.create_variable(name, dims, dtype=np.int8)
        variable[...] = values.astype(np.int8)
        variable.attrs["dtype"] = "bool"
    else:
        fill = np.nan if values.dtype.kind == "f" else None
        variable = file.create_variable(name, dims, dtype=values.dtype, fillvalue=fill)
        variable[...] = values


@final
class Imitation:
    """What is served: bodies by path, versions that must be asked for, statuses that are forced.

    Args:
        folder: of the catalogue's tables and of what is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bodies: dict[str, bytes] = {}
        self.versions: dict[str, str] = {}
        self.statuses: dict[str, int | str] = {}
        self.requests: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, self))
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self._tables = {"vision.csv": VISION, "language.csv": LANGUAGE}
        for name, header in self._tables.items():
            (folder / name).write_text(",".join(header) + "\n")

    def put(self, path: str, body: bytes, version: str = "") -> str:
        """Serve `body`; its SHA-1."""
        self.bodies[f"/{path}"] = body
        if version:
            self.versions[f"/{path}"] = version
        return hashlib.sha1(body).hexdigest()

    def row(self, table: str, **fields: str) -> None:
        """Add a row to a table of the catalogue."""
        with (self.folder / table).open("a", newline="") as file:
            csv.DictWriter(file, self._tables[table], restval="").writerow(fields)
        catalogue._holdings.cache_clear()

    def add_stimuli(
        self,
        member: str,
        rows: Sequence[Mapping[str, Any]] | bytes,
        files: Mapping[str, bytes] | bytes,
        version: str = "",
        source: str = "majajhong2015",
    ) -> None:
        """Add a stimulus set: a row a stimulus, and the files that the rows name."""
        stem = f"{_BUCKET_FOLDER}/stimulus_{member.replace('.', '_')}"
        table = rows if isinstance(rows, bytes) else flat_csv(rows)
        images = files if isinstance(files, bytes) else flat_zip(files)
        self.row(
            "vision.csv",
            member=member,
            kind="stimuli",
            stored_as=member,
            source=source,
            folder=_BUCKET_FOLDER,
            csv_sha1=self.put(f"{stem}.csv", table, version and f"{version}-csv"),
            csv_version=version and f"{version}-csv",
            zip_sha1=self.put(f"{stem}.zip", images, version and f"{version}-zip"),
            zip_version=version and f"{version}-zip",
        )

    def add_assembly(
        self,
        member: str,
        *content: Any,
        stimulus_set: str = "",
        merges: bool = True,
        form: str = "NeuronRecordingAssembly",
        version: str = "",
        source: str = "majajhong2015",
        body: bytes | None = None,
        **options: Any,
    ) -> None:
        """Add an assembly: `content` and `options` are those of `netcdf` after its path."""
        path = f"{_BUCKET_FOLDER}/assy_{member.replace('.', '_')}.nc"
        body = body or netcdf(self.folder / "written.nc", *content, **options)
        self.row(
            "vision.csv",
            member=member,
            kind="assembly",
            stored_as=member,
            source=source,
            folder=_BUCKET_FOLDER,
            nc_sha1=self.put(path, body, version),
            nc_version=version,
            assembly_class=form,
            merges="yes" if merges else "no",
            stimulus_set=stimulus_set,
        )

    def add_words(
        self,
        member: str,
        *content: Any,
        kind: str = "assembly",
        form: str = "NeuroidAssembly",
        **options: Any,
    ) -> None:
        """Add an assembly of the language registry."""
        path = f"brainscore-language/assy_{member.replace('.', '_')}.nc"
        body = netcdf(self.folder / "written.nc", *content, **options)
        self.row(
            "language.csv", member=member, kind=kind, source="pereira2018", address=path,
            sha1=self.put(path, body), assembly_class=form,
        )  # fmt: skip

    def add_recording(
        self,
        member: str = "Set.public",
        stimuli: int = 5,
        trials: int = 3,
        neuroids: int = 4,
        **options: Any,
    ) -> np.ndarray:
        """Add a small recording with its stimuli; the values, (stimulus, trial, neuroid)."""
        ids = [f"im{n}" for n in range(stimuli)]
        rows = [
            {"stimulus_id": i, "filename": f"{i}.png", "object_name": f"o{n % 2}", "degrees": 8}
            for n, i in enumerate(ids)
        ]
        self.add_stimuli("shown", rows, {f"{i}.png": picture(n) for n, i in enumerate(ids)})
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


@final
class _Handler(BaseHTTPRequestHandler):
    def __init__(self, archive: Imitation, *arguments: Any) -> None:
        self.archive = archive
        super().__init__(*arguments)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer with what was put there."""
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
            status, body = 200, (body or b"")[: length // 2]
        if status != 200:
            body, length = b"<Error><Code>AccessDenied</Code></Error>", 40
        self.send_response(int(status))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body or b"")


#: Settings under which a download would go elsewhere.
_ELSEWHERE = ("CORTEVAL_MIRROR", "CORTEVAL_OFFLINE", "http_proxy", "HTTP_PROXY")


@contextmanager
def imitated(folder: Path) -> Iterator[Imitation]:
    """An empty archive, in force as the catalogue of the family; a home of its own.

    Args:
        folder: an empty one, for tables, files and ``CORTEVAL_HOME``.
    """
    tables = folder / "tables"
    tables.mkdir()
    for name in ("sources.json", "references.bib"):
        shutil.copy(catalogue.FOLDER / name, tables)
    made = Imitation(tables)
    with (
        patch.dict(os.environ, {"NO_PROXY": "127.0.0.1", "CORTEVAL_HOME": str(folder / "home")}),
        patch.multiple(catalogue, FOLDER=tables, BUCKET=made.address),
        patch.object(transfer, "sleep", lambda seconds: None),  # attempts follow at once
    ):
        for name in _ELSEWHERE:
            os.environ.pop(name, None)
        catalogue._holdings.cache_clear()
        try:
            yield made
        finally:
            made.server.shutdown()
            made.server.server_close()
            catalogue._holdings.cache_clear()
