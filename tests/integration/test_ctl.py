"""mediafleetctl: what it prints, and what its exit status says."""
import json
import os
import pty
import re
import subprocess
import threading

import pytest

SUCCEEDED, FAILED, USAGE, CANCELLED, NO_ANSWER = range(5)


@pytest.fixture
def ctl(fleet):
    def run(*arguments, timeout=60, **environment):
        env = {"MEDIAFLEET_URL": fleet.url, "MEDIAFLEET_API_KEY": fleet.key} | environment
        return subprocess.run([fleet.bin / "mediafleetctl", *arguments], env=env, capture_output=True, text=True, timeout=timeout)

    return run


def test_help_names_every_command(ctl):
    done = ctl("--help")
    assert done.returncode == SUCCEEDED
    for word in ("store", "job", "jobs", "watch", "cancel", "retry", "workers", "queues", "MEDIAFLEET_URL"):
        assert re.search(rf"^\s*{word}\b", done.stdout, re.M), word


@pytest.mark.parametrize("arguments", [[], ["fly"], ["job"], ["job", "a", "b"], ["job", "../jobs"], ["watch", "x y"], ["jobs", "x"],
                                       ["store", "http://a/b"], ["jobs", "--limit", "0"], ["jobs", "--limit", "x"], ["--speed"],
                                       ["jobs", "--state", "a&b=c"], ["jobs", "--project", "a&b=c"]])
def test_wrong_usage(ctl, arguments):
    done = ctl(*arguments)
    assert done.returncode == USAGE and done.stderr and not done.stdout


def test_store_and_wait(ctl, source, clips):
    done = ctl("store", source.serve_file(clips("small.mp4")), "--project", "ctl", "--wait", timeout=120)
    assert done.returncode == SUCCEEDED, done.stdout + done.stderr
    assert re.search(r"^100 %", done.stdout, re.M) and done.stdout.endswith("succeeded\n")


def test_store_as_json(ctl, fleet, source):
    done = ctl("store", source.serve(status=404), "--project", "ctl", "--json")
    accepted = json.loads(done.stdout)
    assert done.returncode == SUCCEEDED and accepted["task_id"]
    watched = ctl("watch", accepted["task_id"], "--json")
    assert watched.returncode == FAILED
    lines = [json.loads(line) for line in watched.stdout.splitlines()]
    assert lines[-1]["state"] == "failed" and lines[-1]["percent"] == 100
    assert [line["percent"] for line in lines] == sorted(line["percent"] for line in lines)


def test_watch_tells_why_a_job_failed(ctl, fleet):
    done = ctl("watch", fleet.hello(fail="permanent")["task_id"])
    assert done.returncode == FAILED and done.stdout.splitlines()[-1].startswith("failed: debug-permanent: ")


def test_watch_draws_a_bar_on_a_terminal(fleet):
    task = fleet.hello(sleep_ms=500)["task_id"]
    ours, theirs = pty.openpty()
    env = {"MEDIAFLEET_URL": fleet.url, "MEDIAFLEET_API_KEY": fleet.key}
    child = subprocess.Popen([fleet.bin / "mediafleetctl", "watch", task], env=env, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert child.wait(30) == SUCCEEDED
    assert b"\r[" in text and b"#" * 30 in text and b"100 %" in text


def test_cancel_and_watch(ctl, fleet):
    task = fleet.hello(sleep_ms=60000)["task_id"]
    fleet.wait_job(task, until=lambda job: job["state"] == "running")
    ended = {}
    watcher = threading.Thread(target=lambda: ended.update(done=ctl("watch", task)))
    watcher.start()
    assert ctl("cancel", task).returncode == SUCCEEDED
    watcher.join(30)
    assert ended["done"].returncode == CANCELLED
    assert ended["done"].stdout.splitlines()[-1].startswith("cancelled")


def test_watch_gives_up_in_time(ctl, fleet):
    task = fleet.hello(sleep_ms=30000)["task_id"]
    done = ctl("watch", task, "--timeout", "1")
    assert done.returncode == NO_ANSWER and done.stderr.startswith("mediafleetctl: timeout: ")
    ctl("cancel", task)
    fleet.wait_job(task)


def test_retry_makes_a_new_job(ctl, fleet):
    task = fleet.hello(fail="permanent")["task_id"]
    fleet.wait_job(task)
    again = json.loads(ctl("retry", task, "--json").stdout)["task_id"]
    assert again != task
    assert fleet.wait_job(again)["retry_of"] == task


def test_job_and_jobs(ctl, fleet):
    task = fleet.hello(sleep_ms=1)["task_id"]
    fleet.wait_job(task)
    one = ctl("job", task)
    assert one.returncode == SUCCEEDED and task in one.stdout and "succeeded" in one.stdout
    assert json.loads(ctl("job", task, "--json").stdout)["id"] == task
    assert task in ctl("jobs", "--state", "succeeded").stdout
    assert len(ctl("jobs", "--limit", "1").stdout.splitlines()) == 1
    assert len(json.loads(ctl("jobs", "--limit", "1", "--json").stdout)["jobs"]) == 1
    assert ctl("jobs", "--project", "nobody").stdout == ""


def test_workers_and_queues(ctl):
    workers, queues = ctl("workers"), ctl("queues")
    for kind in ("hello", "download", "transcode", "thumbnail", "upload", "cleanup", "storage"):
        assert f".{kind}." in workers.stdout, kind
        assert re.search(rf"^{kind} +ready \d+  unacked \d+  consumers \d+", queues.stdout, re.M), kind
    assert json.loads(ctl("workers", "--json").stdout)["workers"]
    assert json.loads(ctl("queues", "--json").stdout)["queues"]


def test_problems_are_shown_by_code_and_detail(ctl, source):
    done = ctl("job", "01JZZZZZZZZZZZZZZZZZZZZZZZ")
    assert done.returncode == NO_ANSWER and done.stderr.startswith("mediafleetctl: job-not-found: ")
    done = ctl("jobs", MEDIAFLEET_API_KEY="wrong")
    assert done.returncode == NO_ANSWER and "credentials" in done.stderr
    done = ctl("store", "ftp://example.com/a", "--project", "ctl")
    assert done.returncode == NO_ANSWER and "unsupported-scheme" in done.stderr
    done = ctl("store", "http://10.0.0.1/a", "--project", "ctl")
    assert done.returncode == NO_ANSWER and "forbidden-address" in done.stderr


def test_nobody_there(ctl):
    done = ctl("jobs", MEDIAFLEET_URL="http://127.0.0.1:9")
    assert done.returncode == NO_ANSWER and done.stderr.startswith("mediafleetctl: ")


def test_an_answer_of_somebody_else(ctl, source):
    done = ctl("jobs", MEDIAFLEET_URL=source.url)
    assert done.returncode == NO_ANSWER and "HTTP 404" in done.stderr


def test_watch_outlives_a_restart_of_the_gateway(ctl, fleet):
    task = fleet.hello(sleep_ms=4000)["task_id"]
    ended = {}
    watcher = threading.Thread(target=lambda: ended.update(done=ctl("watch", task)))
    watcher.start()
    fleet.scale("gateway", 0)
    fleet.scale("gateway", 1)
    watcher.join(60)
    assert ended["done"].returncode == SUCCEEDED, ended["done"].stderr


def test_links_no_libevent(fleet):
    linked = subprocess.run(["ldd", fleet.bin / "mediafleetctl"], capture_output=True, text=True, check=True).stdout
    assert "libevent" not in linked and "libav" not in linked
