"""tests/run: its last line and its status tell the truth."""
import subprocess

from support.fleet import ROOT


def run(*arguments):
    done = subprocess.run([ROOT / "tests/run", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280)
    return done.returncode, done.stdout.splitlines()


def test_a_stage_that_passes():
    status, lines = run("shell")
    assert status == 0 and lines[-1] == "1 passed, 0 failed, 0 skipped"
    assert lines[0].split()[:2] == ["shell", "ok"] and len(lines) == 2


def test_a_unit_test_by_name():
    status, lines = run("unit.common.backoff")
    assert status == 0 and lines[-1] == "1 passed, 0 failed, 0 skipped"


def test_what_fails_is_counted_and_shown():
    status, lines = run("unit.no.such")
    assert status == 1 and lines[-1] == "0 passed, 1 failed, 0 skipped"
    assert "FAILED" in lines[0] and any("unit.no.such" in line for line in lines[1:-1])


def test_an_unknown_name_is_refused():
    status, lines = run("nonsense")
    assert status == 64 and not lines
