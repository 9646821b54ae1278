"""The command that scores."""

import errno
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from core.tests.toy_commands import environment as environment
from core.tests.toy_commands import folder as folder
from core.tests.toy_commands import process, read_to_the_end, rows, run_json
from core.tests.toy_commands import run as run

from corteval.score import Score


class TestScore:
    def test_one_pair_prints_a_row_and_its_notes(self, run):
        result = run("score", "toy-quiet", "Toy.V4-mean")
        assert result.code == 0
        (row,) = rows(result.out)
        assert row == {
            "model": "toy-quiet",
            "benchmark": "Toy.V4-mean",
            "score": "0.5000",
            "95 % interval": "0.4000 to 0.6000",
            "raw": "0.4000",
            "ceiling": "0.8000",
            "normalization": "r/c",
            "status": "scored",
        }
        assert "note: a note" in result.err
        assert "[1/1] toy-quiet on Toy.V4-mean: 0.5000" in result.err

    def test_json_of_one_pair_is_one_object(self, run):
        answer = run_json(run, "score", "toy-quiet", "Toy.V4-mean", "--seed", "7")
        assert answer["schema"] == "corteval.score/1"
        assert (answer["model"], answer["value"]) == ("toy-quiet", 0.5)
        assert answer["interval"]["seed"] == 7

    def test_names_ignore_case_and_globs_expand_in_order_each_once(self, run):
        answer = run_json(run, "score", "TOY-BLIND,toy-[bq]*, toy-quiet", "toy.v4-*")
        pairs = [(cell["model"], cell["benchmark"]) for cell in answer]
        assert pairs == [
            (model, benchmark)
            for model in ("toy-blind", "toy-quiet")
            for benchmark in ("Toy.V4-mean", "Toy.V4-undefined")
        ]

    def test_undefined_and_not_applicable_are_answers(self, run):
        result = run("score", "toy-quiet,toy-blind", "Toy.V4-undefined")
        assert result.code == 0
        assert [r["status"] for r in rows(result.out)] == ["undefined", "not-applicable"]
        assert "nothing varies" in result.err and "does not support a recording of V4" in result.err

    def test_failed_cells_leave_the_others_alone_and_exit_3(self, run):
        models = "toy-wrong,toy-exits,toy-future,toy-quiet"
        result = run("score", models, "Toy.V4-mean")
        assert result.code == 3
        assert [r["status"] for r in rows(result.out)] == ["failed"] * 3 + ["scored"]
        for reason in ("the model fell over", "SystemExit", "interface 99"):
            assert reason in result.err
        assert "Traceback" not in result.err

    @pytest.mark.parametrize("arguments", [["-v", "score"], ["score", "-v"]])
    def test_verbose_shows_the_traceback_of_a_failure(self, run, arguments):
        assert "Traceback" in run(*arguments, "toy-wrong", "Toy.V4-mean").err
        assert "Traceback" not in run("score", "toy-wrong", "Toy.V4-mean").err

    def test_broken_plugin_matched_by_a_glob_is_a_failed_cell(self, run):
        answer = run_json(run, "score", "toy-f*", "Toy.V4-mean", code=3)
        assert (answer["model"], answer["status"]) == ("toy-future", "failed")

    def test_family_needs_a_member_and_globs_pass_it_over(self, run):
        assert run_json(run, "score", "ToyFamily/one", "Toy.V4-mean")["model"] == "toyfamily/one"
        assert "toyfamily/one" in run("score", "toyfamily", "Toy.V4-mean").err
        assert run("score", "toyfamily/*", "Toy.V4-mean").code == 2

    def test_distribution_is_kept(self, run):
        answer = run_json(run, "score", "Toy-Quiet@toys.py", "Toy.V4-mean")
        assert answer["model"] == "toy-quiet@toys.py"

    @pytest.mark.parametrize(
        ("models", "benchmarks"),
        [
            ("toy-loud,toy-quite", "Toy.V4-mean"),
            ("toy-loud", "Toy.V4-mean,Toi*"),
            ("toy-loud,a b", "Toy.V4-mean"),
            (",", "Toy.V4-mean"),
        ],
    )
    def test_what_matches_nothing_is_a_usage_error_before_any_compute(
        self, run, models, benchmarks
    ):
        result = run("score", models, benchmarks)
        assert (result.code, result.out) == (2, "")
        assert "printed by the model" not in result.err

    def test_suggestions_come_with_what_matches_nothing(self, run):
        assert "toy-quiet" in run("score", "toy-quite", "Toy.V4-mean").err
        assert "Toy.V4-mean" in run("score", "toy-quiet", "Toi.V4-m*").err

    @pytest.mark.parametrize(
        ("models", "benchmarks", "said"),
        [
            ("Toy.V4-mean", "toy-quiet", "Toy.V4-mean is a benchmark, not a model"),
            ("toy-quiet", "toy-q*", "toy-q* is a model, not a benchmark"),
        ],
    )
    def test_swapped_arguments_are_named_as_such(self, run, models, benchmarks, said):
        result = run("score", models, benchmarks)
        assert result.code == 2
        assert f"{said}. The order is MODELS BENCHMARKS." in result.err

    def test_duplicate_is_an_error_that_names_both_before_any_compute(self, run):
        result = run("score", "toy-loud,twin", "Toy.V4-mean")
        assert result.code == 1
        assert "twin@left.py" in result.err and "printed" not in result.err

    def test_what_plugins_print_goes_to_stderr(self, run):
        result = run("score", "toy-loud", "Toy.V4-mean", "--json")
        assert json.loads(result.out)["value"] == 0.5
        for text in ("printed by the model", "to the old stdout", "to descriptor 1"):
            assert text in result.err

    def test_quiet_draws_no_progress(self, run):
        assert "[1/1]" not in run("score", "toy-quiet", "Toy.V4-mean", "-q").err

    def test_records_are_written_whole(self, run, tmp_path):
        output = tmp_path / "records.jsonl"
        output.write_text("what was there before")
        run("score", "toy-quiet,toy-wrong", "Toy.V4-mean", "--output", str(output))
        records = [Score.from_json(line) for line in output.read_text().splitlines()]
        assert [r.status for r in records] == ["scored", "failed"]
        assert [path.name for path in tmp_path.iterdir()] == ["records.jsonl"]

    def test_impossible_output_is_refused_before_any_compute(self, run, tmp_path):
        for output in (tmp_path / "missing/records.jsonl", tmp_path):
            result = run("score", "toy-loud", "Toy.V4-mean", "--output", str(output))
            assert result.code == 2
            assert "printed" not in result.err

    def test_full_disk_costs_no_scores_and_leaves_no_half_file(self, run, tmp_path, monkeypatch):
        def full(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        result = run("score", "toy-quiet", "Toy.V4-mean", "--json", "--output", "r.jsonl")
        assert result.code == 1
        assert json.loads(result.out)["value"] == 0.5
        assert "No space left" in result.err
        assert list(tmp_path.iterdir()) == []

    def test_mirror_must_be_a_folder_or_an_address(self, run):
        assert run("score", "toy-quiet", "Toy.V4-mean", "--mirror", "nowhere").code == 2

    def test_ctrl_c_exits_130_and_keeps_what_is_done(self, environment, monkeypatch):
        monkeypatch.setenv("TOY_SECONDS", "60")
        running = process("score", "toy-quiet,toy-slow", "Toy.V4-mean")
        assert b"[1/2]" in running.stderr.readline()  # it is at work on the second
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=10)
        assert running.returncode == 130
        (row,) = rows(out.decode())
        assert (row["model"], row["status"]) == ("toy-quiet", "scored")
        assert err.endswith(b"Interrupted: 1 of 2 cells are done.\n")

    def test_interrupt_keeps_records_and_prints_one_json_list(self, run, tmp_path):
        models = "toy-quiet,toy-stopped"
        result = run("score", models, "Toy.V4-mean", "--json", "--output", "records.jsonl")
        assert result.code == 130
        assert [cell["model"] for cell in json.loads(result.out)] == ["toy-quiet"]
        assert result.err.endswith("Interrupted: 1 of 2 cells are done.\n")
        (record,) = (tmp_path / "records.jsonl").read_text().splitlines()
        assert Score.from_json(record).model == "toy-quiet"

    def test_interrupt_before_anything_is_done_prints_nothing_else(self, run, tmp_path):
        result = run("score", "toy-stopped", "Toy.V4-mean", "--output", "records.jsonl")
        assert (result.code, result.out, result.err) == (130, "", "Interrupted.\n")
        assert list(tmp_path.iterdir()) == []

    def test_terminal_gets_bars_for_long_work_and_keeps_none(self, environment, monkeypatch):
        monkeypatch.setenv("TOY_SECONDS", "1.6")
        monkeypatch.setenv("TERM", "xterm")
        outer, inner = pty.openpty()
        command = [sys.executable, "-m", "corteval", "score", "toy-slow", "Toy.V4-mean", "--json"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=inner)
        os.close(inner)
        drawn = read_to_the_end(outer).decode()  # at once: a terminal holds 4 kB
        out, _ = running.communicate(timeout=120)
        os.close(outer)
        assert json.loads(out)["value"] == 0.5
        assert "toy-slow on Toy.V4-mean" in drawn and "━" in drawn
        assert drawn.rstrip().endswith("note: a note")
