"""deploy/demo: one command from nothing to a playlist, and what it says when the job fails."""
import re
import subprocess

import pytest

from support.fleet import ROOT
from support.processes import wait_until
from test_fleet import of_instance

pytestmark = pytest.mark.timeout(900)  # it builds the optimised programs first


def demo(*arguments):
    return subprocess.run([ROOT / "deploy/demo", *arguments, "--once"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=800)


@pytest.mark.parametrize("options", [[], ["--s3"]])
def test_a_file_becomes_a_playlist(clips, options):
    done = demo(clips("small.mp4"), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ *\d+ %  ", done.stdout, re.M), "progress is shown"
    assert re.search(r"^playlist +http://127\.0\.0\.1:\d+/media/\S+/master\.m3u8$", done.stdout, re.M)
    assert re.search(r"^\d+ objects in the bucket:$", done.stdout, re.M)
    wait_until(lambda: not of_instance("/mediafleet-demo."), 10, "the end of all that the demo started")


def test_a_job_that_fails_is_told(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("this is no film\n" * 1000)
    done = demo(text)
    assert done.returncode == 1
    assert re.search(r"^failed: [a-z-]+: ", done.stdout, re.M) and "did not succeed" in done.stderr


def test_a_file_that_is_not_there():
    done = demo("/no/such/file.mp4")
    assert done.returncode == 1 and "cannot read" in done.stderr
