"""Memory of the optimised programs: idle, and while files of very different sizes pass through them."""
import http.server
import pathlib
import re
import subprocess
import threading

import pytest

import stored
from conftest import destroy
from support.fleet import ROOT
from support.processes import name

KINDS = ("gateway", "hello", "download", "upload", "cleanup", "storage", "transcode", "thumbnail")
WITH_LIBAV = {"transcode", "thumbnail"}
KIB, MIB = 1 << 10, 1 << 20
IDLE_ANONYMOUS, IDLE_RESIDENT, GROWTH = 20_000, 30_000, 10_000  # kB
SMALL, LARGE = 10 * MIB, 1024 * MIB


@pytest.fixture(scope="module")
def release(start_fleet):
    """Media goes to an S3 server: files in parts are the harder case."""
    subprocess.run([ROOT / "deploy/build"], check=True, timeout=600)
    fleet = start_fleet("release", "--s3", "--build", ROOT / "build")
    yield fleet
    fleet.check_clean()
    destroy(fleet)


def memory(pid):
    """The Vm… and Rss… lines of a process's status, in kB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: int(value) for key, value in re.findall(r"^((?:Vm|Rss)\w+):\s+(\d+) kB", text, re.M)}


@pytest.mark.parametrize("kind", KINDS)
def test_idle(release, kind):
    """Supervisors and workers alike: at most 20 MB of their own; without libav less than 30 MB with all libraries."""
    if kind != "gateway":
        assert release.program_pids(kind)
    pids = set(release.program_pids(kind) + release.pids(kind))
    assert len(pids) == (1 if kind == "gateway" else 2)
    for pid in pids:
        assert name(pid) == f"mediafleet-{kind}"
        is_now = memory(pid)
        assert is_now["RssAnon"] <= IDLE_ANONYMOUS, is_now
        assert kind in WITH_LIBAV or is_now["VmRSS"] < IDLE_RESIDENT, is_now


class Padded:
    """Serves a film with a `free` box of zeros behind it, as large as asked for: /SIZE, made while it is sent."""

    def __init__(self, port, film):
        padded = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                padded.send(self, int(self.path.strip("/")))

        self.film = film
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def send(self, handler, size):
        zeros = bytes(256 * KIB)
        left = size - len(self.film)
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        handler.wfile.write(self.film + left.to_bytes(4, "big") + b"free")
        left -= 8
        while left > 0:
            handler.wfile.write(zeros[:left])
            left -= len(zeros)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def peaks(release, clips):
    """Peak memory in kB of the processes that took part, after a small file and after a large one."""
    source = Padded(release.source_ports[0], clips("silent.mp4").read_bytes())
    seen = {}
    try:
        for size in (SMALL, LARGE):
            url = f"http://127.0.0.1:{release.source_ports[0]}/{size}"
            job = release.wait_job(release.store(url)["task_id"], 280)
            assert job["state"] == "succeeded", job
            assert stored.check_sizes(release, job)[stored.scene(release, job)["storage_key"]] == size
            seen[size] = {kind: [(pid, memory(pid)["VmHWM"]) for pid in release.pids(kind)] for kind in KINDS}
    finally:
        source.close()
    return seen


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["gateway", "download", "upload", "transcode", "thumbnail"])
def test_size_of_the_source_does_not_matter(peaks, kind):
    """A source of 1 GiB costs at most 10 MB more than one of 10 MiB, wherever it passes."""
    ((small_pid, small),) = peaks[SMALL][kind]
    ((large_pid, large),) = peaks[LARGE][kind]
    assert small_pid == large_pid, "the same process did both"
    assert large - small <= GROWTH, f"{small} kB with 10 MiB, {large} kB with 1 GiB"
