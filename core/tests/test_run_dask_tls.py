"""Runs by a Dask scheduler that wants certificates, with workers that somebody else has started."""

import json
import shutil
import subprocess
import sys

import pytest
from core.tests.test_run_dask import events, wait_for, world
from core.tests.test_run_faults import BENCHMARK

from corteval.errors import OptionError
from corteval.run.dask_address import parsed
from corteval.run.dask_executor import _security

__all__ = ["world"]

OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.skipif(OPENSSL is None, reason="openssl, which makes certificates, is not here"),
]


class Authority:
    """Signs certificates; its own is `<name>.pem`."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self._openssl(
            "req", "-x509", *self._new(name), "-days", "2", "-subj", f"/CN=authority {name}",
            "-out", f"{name}.pem",
        )  # fmt: skip

    def certificate(self, name):
        """Options of an address, by which somebody called `name` is known."""
        own = f"{self.name}-{name}"
        self._openssl("req", *self._new(own), "-subj", f"/CN={name}", "-out", f"{own}.csr")
        self._openssl(
            "x509", "-req", "-in", f"{own}.csr", "-CA", f"{self.name}.pem",
            "-CAkey", f"{self.name}.key", "-CAcreateserial", "-days", "2", "-out", f"{own}.pem",
        )  # fmt: skip
        names = {"ca": f"{self.name}.pem", "cert": f"{own}.pem", "key": f"{own}.key"}
        return {option: str(self.folder / file) for option, file in names.items()}

    def _new(self, name):
        return "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key"

    def _openssl(self, *arguments):
        command = [OPENSSL, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"), "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("others"), "theirs")


def address(where, certificates):
    options = "&".join(f"{name}={value}" for name, value in certificates.items())
    return f"dask://{where}?{options}"


def test_an_address_names_the_certificates_by_which_it_is_reached(authority):
    pytest.importorskip("distributed", reason="the extra corteval[dask] is not installed")
    mine = authority.certificate("reader")
    found = parsed(address("tls://node7:8786", mine))
    assert (found.kind, found.scheduler) == ("address", "tls://node7:8786")
    made = _security(found)
    assert (made.tls_ca_file, made.tls_client_cert, made.tls_client_key) == tuple(mine.values())
    assert made.require_encryption


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dask://tls://node7:8786", "wants certificates, and ca and cert is not told"),
        ("dask://tls://node7:8786?ca=CA", "wants certificates, and cert is not told"),
        ("dask://tls://node7:8786?ca=/nowhere.pem", "there is no file /nowhere.pem, which ca"),
        ("dask://tls://node7:8786?ca=CA&cert=CERT&key=OTHER", "cannot be read.*the key is that"),
        ("dask://tls://node7:8786?ca=CA&cert=JUNK&key=KEY", "cannot be read"),
    ],
)
def test_certificates_that_lack_or_do_not_belong_together_are_told(authority, tmp_path, text, said):
    pytest.importorskip("distributed", reason="the extra corteval[dask] is not installed")
    mine, other = authority.certificate("mine"), authority.certificate("other")
    (tmp_path / "junk").write_text("no certificate")
    files = {"CA": mine["ca"], "CERT": mine["cert"], "KEY": mine["key"], "OTHER": other["key"]}
    for name, path in (files | {"JUNK": str(tmp_path / "junk")}).items():
        text = text.replace(f"={name}", f"={path}")
    with pytest.raises(OptionError, match=said):
        _security(parsed(text))


def test_certificates_are_for_addresses_of_tls_alone(authority):
    with pytest.raises(OptionError, match=r"ca is of addresses that begin with tls://"):
        parsed(f"dask://tcp://node7:8786?ca={authority.folder}/ours.pem")


@pytest.mark.slow
def test_workers_of_several_nodes_do_a_run_over_tls_and_strangers_are_kept_out(
    world, authority, stranger, tmp_path
):
    card = tmp_path / "scheduler.json"
    quiet = {"env": world.env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def tls(name):
        own = authority.certificate(name)
        return ["--tls-ca-file", own["ca"], "--tls-cert", own["cert"], "--tls-key", own["key"]]

    def start(kind, *more, cwd):
        module = f"distributed.cli.dask_{kind}"
        command = [sys.executable, "-m", module, *more, *tls(f"{kind}-{cwd.name}")]
        command += ["--host", "tls://127.0.0.1" if kind == "worker" else "127.0.0.1"]
        return subprocess.Popen([*command, "--no-dashboard"], cwd=cwd, **quiet)

    started = [
        start("scheduler", "--protocol", "tls", "--port", "0", "--scheduler-file", str(card),
              cwd=tmp_path)
    ]  # fmt: skip
    try:
        wait_for(card.exists)
        where = json.loads(card.read_text())["address"]
        assert where.startswith("tls://")
        for node in ("node1", "node2"):  # with working folders of their own
            (tmp_path / node).mkdir()
            started.append(start("worker", where, "--nthreads", "1", cwd=tmp_path / node))
        strange = address(where, stranger.certificate("stranger"))
        told = world("run", "slow", BENCHMARK, "-q", "--executor", strange, code=1)
        assert "No Dask scheduler answers" in told and "signed by the same" in told
        assert not [e for e in events(world) if e["event"] == "started"]
        mine = address(where, authority.certificate("me"))
        report = world.run("slow,toy-vision,chatters", "--executor", mine)
        assert (report["computed"], report["failures"]) == (3, [])
        began = [e for e in events(world) if e["event"] == "started" and e["kind"] == "score"]
        assert len({e["worker"] for e in began}) == 2
        assert all(process.poll() is None for process in started)
    finally:
        for process in started:
            process.kill()
            process.wait()
