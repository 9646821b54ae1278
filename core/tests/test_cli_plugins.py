"""Commands about plugins and their data: info, cite, doctor, data, check."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from core.tests.toy_commands import CONTENT, rows, run_json
from core.tests.toy_commands import environment as environment
from core.tests.toy_commands import folder as folder
from core.tests.toy_commands import run as run

import corteval.testing
from corteval import registry, settings
from corteval.cards import Resource


class TestInfo:
    def test_every_kind_with_the_identifier_is_shown(self, run):
        text = run("info", "TOY-quiet").out
        assert "toy-quiet (models)" in text and "toy-quiet (metrics)" in text
        assert "1,234,567" in text and "@misc{toy," in text

    def test_data_show_access_licence_size_and_state_of_files(self, run):
        facts = run("info", "Toy").out
        for fact in ("public", "CC0-1.0", "18 bytes", "toy.bin", "not downloaded", "toys.py"):
            assert fact in facts

    def test_benchmark_shows_its_parts(self, run):
        facts = run("info", "Toy.V4-mean").out
        for fact in ("toymetric", "absent-ceiling", "V4", "@misc{toydata"):
            assert fact in facts
        assert "Toy (CC0-1.0, public, 18 bytes)" in facts

    def test_what_says_nothing_is_left_out(self, run):
        facts = run("info", "toymetric").out + run("info", "ToyBare").out
        for name in ("symmetric", "options", "size"):
            assert name not in facts

    def test_member_of_a_family_and_distribution_can_be_named(self, run):
        assert "toyfamily/one (models)" in run("info", "toyfamily/one").out
        assert "A twin" in run("info", "twin@left.py").out

    def test_superseded_plugin_warns(self, run):
        assert "superseded by toy-quiet" in run("info", "toy-blind").err

    def test_json_holds_every_field(self, run):
        (card,) = run_json(run, "info", "Toy")["cards"]
        assert (card["kind"], card["size"], card["access"]) == ("data", len(CONTENT), "public")
        assert card["resources"][0]["downloaded"] is False
        (metric,) = run_json(run, "info", "toymetric")["cards"]
        assert metric["bounds"] == [None, 1.0]

    def test_unknown_identifier_is_a_usage_error_with_suggestions(self, run):
        answer = run_json(run, "info", "toy-quite", code=2)
        assert answer["error"]["type"] == "UnknownIdentifier"
        assert "toy-quiet" in answer["error"]["message"]

    def test_malformed_identifier_is_a_usage_error(self, run):
        assert run("info", "../etc").code == 2

    @pytest.mark.parametrize("name", ["twin", "toy-future"])
    def test_duplicate_and_broken_plugins_are_errors(self, run, name):
        result = run("info", name)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("Error: ")


class TestCite:
    def test_benchmark_brings_its_parts_and_corteval_each_entry_once(self, run):
        result = run("cite", "Toy.V4-mean", "toy-quiet")
        assert re.findall(r"@\w+\{(\w+)", result.out) == ["toydata", "other", "toy", "corteval"]
        assert "toymetric" in result.err  # has nothing to cite
        assert "absent-ceiling" in result.err  # is not installed

    def test_json_lists_cards(self, run):
        answer = run_json(run, "cite", "toy-quiet")
        assert answer["schema"] == "corteval.cite/1"
        found = {(c["kind"], c["identifier"]): c["bibtex"] for c in answer["citations"]}
        assert found["models", "toy-quiet"] == "@misc{toy, title = {Toy}}"
        assert found["software", "corteval"].startswith("@software{corteval,")

    def test_unknown_identifier_is_a_usage_error(self, run):
        assert run("cite", "nothing-of-this-name").code == 2


class TestDoctor:
    def test_problems_come_with_their_causes_and_exit_1(self, run):
        answer = run_json(run, "doctor", code=1)
        problems = {p["about"]: p for p in answer["problems"]}
        crash = problems["models crash (crash.py)"]
        assert re.match(r"ModuleNotFoundError.*crash\.py, line 1\)", crash["chain"][0])
        twins = [p for p in answer["problems"] if p["about"] == "models twin (left.py)"]
        assert "twin@left.py" in twins[0]["message"]
        text = run("doctor").out
        assert "caused by ModuleNotFoundError" in text and "interface 99" in text

    def test_healthy_installation_exits_0(self, run, monkeypatch):
        monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", "")
        registry.reload()
        result = run("doctor")
        assert result.code == 0, result.out
        assert "Problems: none" in result.out

    def test_settings_show_their_origin(self, run):
        found = {s["name"]: s for s in run_json(run, "doctor", code=1)["settings"]}
        assert set(found) == set(settings.KNOWN)
        assert "CORTEVAL_HOME" in found["home"]["origin"]
        assert found["mirror"]["origin"] == "default"

    def test_command_of_another_interpreter_is_explained(self, run, tmp_path, monkeypatch):
        other = tmp_path / "other" / "corteval"
        other.parent.mkdir()
        other.write_text("#!/bin/sh\n")
        other.chmod(0o755)
        monkeypatch.setenv("PATH", str(other.parent))
        problems = {p["about"]: p for p in run_json(run, "doctor", code=1)["problems"]}
        assert str(other) in problems["interpreter"]["message"]
        assert sys.executable in problems["interpreter"]["message"]

    @pytest.mark.parametrize(
        ("variable", "value", "about"),
        [
            ("CORTEVAL_HOME", "a-file/home", "home"),
            ("CORTEVAL_MIRROR", "unmounted", "mirror"),
            ("CORTEVAL_OFFLINE", "perhaps", "settings"),
            ("CORTEVAL_PLUGIN_PATH", "missing", "plugin_path"),
        ],
    )
    def test_bad_setting_is_a_problem(self, run, monkeypatch, variable, value, about):
        Path("a-file").touch()
        monkeypatch.setenv(variable, value)
        registry.reload()
        assert about in {p["about"] for p in run_json(run, "doctor", code=1)["problems"]}

    def test_unreadable_settings_file_is_one_problem(self, run):
        Path("corteval.toml").write_text("home = [")
        answer = run_json(run, "doctor", code=1)
        assert [p["about"] for p in answer["problems"] if "toml" in p["message"]] == ["settings"]


class TestData:
    def test_ls_says_what_is_here(self, run, folder):
        before = {r["identifier"]: r for r in rows(run("data", "ls").out)}
        assert (before["Toy"]["files"], before["Toy"]["size"]) == ("0/1", "18 bytes")
        assert before["ToyBare"]["files"] == "-"
        run("data", "fetch", "Toy", "--mirror", str(folder / "mirror"))
        after = {d["identifier"]: d for d in run_json(run, "data", "ls")["data"]}
        assert (after["Toy"]["files"], after["Toy"]["downloaded"]) == (1, 1)
        assert Path(after["Toy"]["location"]).is_dir()

    def test_fetch_prints_paths_of_verified_files(self, run, folder, tmp_path):
        result = run("data", "fetch", "toy", "--offline", "--mirror", str(folder / "mirror"))
        assert result.code == 0, result.err
        path = Path(result.out.strip())
        assert path.read_bytes() == CONTENT
        assert path.is_relative_to(tmp_path / "home")

    def test_fetch_as_json(self, run, folder):
        mirror = str(folder / "mirror")
        answer = run_json(run, "data", "fetch", "Toy", "ToyBare", "--mirror", mirror)
        assert answer["schema"] == "corteval.data-fetch/1"
        assert [f["identifier"] for f in answer["files"]] == ["Toy"]

    def test_data_without_files_say_so(self, run):
        result = run("data", "fetch", "ToyBare")
        assert (result.code, result.out) == (0, "")
        assert "nothing to download" in result.err

    def test_fetch_takes_comma_lists_and_patterns(self, run, folder):
        answer = run_json(run, "data", "fetch", "T*,toy", "--mirror", str(folder / "mirror"))
        assert [f["identifier"] for f in answer["files"]] == ["Toy"]
        assert "toy-blind is a model" in run("data", "fetch", "toy-blind").err

    def test_one_missing_file_does_not_stop_the_others(self, run, folder):
        absent = Resource(url="https://toy.example/absent.bin", sha256="0" * 64, size=3, licence="")
        lacking = replace(registry.data.card("Toy"), identifier="Lacking")
        first = replace(lacking, resources=(absent, *lacking.resources))
        other = replace(absent, url="https://toy.example/other.bin", sha256="1" * 64)
        second = replace(lacking, identifier="Lacking2", resources=(other,))
        with registry.data.temporary(first, second):
            mirror = ("--offline", "--mirror", str(folder / "mirror"))
            result = run("data", "fetch", "Lacking*", *mirror)
            answer = run_json(run, "data", "fetch", "Lacking*", *mirror, code=1)
        assert result.code == 1
        assert Path(result.out.strip()).read_bytes() == CONTENT
        assert "2 files or data sets could not be had" in result.err
        for name in ("absent.bin", "other.bin"):
            assert f"{name} (3 bytes, licence ) was not fetched" in answer["error"]["message"]

    def test_failed_download_is_an_error(self, run):
        answer = run_json(run, "data", "fetch", "Toy", "--offline", code=1)
        assert answer["error"]["type"] == "FetchError"


class TestCheck:
    @pytest.fixture
    def results(self, monkeypatch):
        """Make `run_checks` return results of the given statuses, and remember its arguments."""
        asked = []

        def give(*statuses):
            results = [
                corteval.testing.CheckResult(
                    name=f"c{n}", kind="models", identifier="toy-quiet", status=s, message="why"
                )
                for n, s in enumerate(statuses)
            ]

            def run_checks(identifier, **options):
                asked.append((identifier, options))
                return results

            monkeypatch.setattr(corteval.testing, "run_checks", run_checks)
            return asked

        return give

    def test_conformance_kit_runs_on_a_plugin(self, run):
        answer = run_json(run, "check", "toy-quiet", "--kind", "models", code=1)
        assert answer["schema"] == "corteval.check/1"
        statuses = {check["name"]: check["status"] for check in answer["checks"]}
        assert statuses["factory"] == "passed"

    @pytest.mark.parametrize(
        ("statuses", "code"),
        [
            (["passed", "skipped", "expected-failure"], 0),
            (["passed", "failed"], 1),
            (["passed", "unexpected-pass"], 1),
            (["skipped"], 1),
            ([], 1),
        ],
    )
    def test_exit_code_follows_the_results(self, run, results, statuses, code):
        results(*statuses)
        result = run("check", "toy-quiet")
        assert result.code == code
        assert [r["status"] for r in rows(result.out)] == statuses

    def test_checks_without_their_data_are_a_failure_told_once(self, run, monkeypatch):
        common = {"kind": "data", "identifier": "Toy", "message": "not fetched.\nTried: all"}
        passed = corteval.testing.CheckResult(name="card", status="passed", **common)
        lacking = replace(passed, name="schema", status="skipped", missing_data=True)
        results = [passed, lacking, replace(lacking, name="match")]
        monkeypatch.setattr(corteval.testing, "run_checks", lambda *_, **__: results)
        result = run("check", "Toy")
        assert result.code == 1
        messages = [row["message"] for row in rows(result.out)[1:]]
        assert messages == ["files could not be had, see below"] * 2
        assert "2 checks need files that could not be had, so nothing is known" in result.err
        assert result.err.count("not fetched.\nTried: all") == 1

    def test_expected_failures_are_passed_on(self, run, results):
        asked = results("passed")
        run("check", "toy-quiet", "--kind", "models", "--expect-fail", "c0=known = so")
        assert asked == [("toy-quiet", {"kind": "models", "expect_fail": {"c0": "known = so"}})]

    def test_expected_failure_without_reason_is_a_usage_error(self, run):
        assert run("check", "toy-quiet", "--expect-fail", "c0").code == 2
