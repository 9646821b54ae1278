"""A first reading of a file of strangers in a process of its own, which may crash or hang.

Libraries in C read .mat and HDF5 files; bytes that are damaged just so make them crash, or visit
billions of things that are not there. A file is probed when it is examined; a registered one is
compared with its digest afterwards.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from corteval.errors import CortevalError
from corteval.local.description import Description, within
from corteval.local.problems import Findings

#: What is probed; the other formats are read by Python and numpy.
SUFFIXES = (".mat", ".nc", ".nc4", ".h5netcdf")

_SECONDS = 60.0
_BYTES_PER_SECOND = 10e6


def survives(description: Description, findings: Findings) -> bool:
    """Whether the responses can be read without harm; if not, an error is told.

    Files that are missing, or of other formats, are left to their readers.
    """
    responses = description.responses
    try:
        path = within(description.folder, responses.file, "the file of responses")
    except CortevalError:
        return True
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return True
    seconds = _SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    problem = outcome(_command(path, responses.variable), seconds)
    if problem:
        findings.error(
            f"Reading the file {problem}: it is damaged in a way its library does not notice.",
            responses.file,
            "Copy it again, or save it anew in another format (.npy).",
        )
    return not problem


def outcome(command: Sequence[str], seconds: float) -> str:
    """What became of a process: "" if it ended by itself, else the end of a sentence."""
    try:
        done = subprocess.run(
            command, timeout=seconds, check=False, capture_output=True, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"does not end within {seconds:.0f} s"
    # A signal; Windows counts from 0xC0000000.
    crashed = done.returncode < 0 or done.returncode >= 0xC0000000
    return f"crashes (status {done.returncode})" if crashed else ""


def _command(path: Path, variable: str | None) -> list[str]:
    return [sys.executable, "-P", "-m", "corteval.local.probe", str(path), variable or ""]


def _read(path: Path, variable: str | None) -> None:
    from corteval.local.formats.matlab import read_mat
    from corteval.local.formats.netcdf import read_netcdf

    try:
        if path.suffix.lower() == ".mat":
            read_mat(path, path.name, variable)
        else:
            read_netcdf(path, path.name, variable)
    except CortevalError:
        pass  # told when it is read in earnest


if __name__ == "__main__":
    _read(Path(sys.argv[1]), sys.argv[2] or None)
