"""Sources that fail, each in its own way: the job says which, is at 100 percent, and nothing of it is left."""
import hashlib
import socket

import pytest

import stored
from conftest import destroy
from support.source import Source

MIB = 1 << 20


@pytest.fixture(scope="module")
def film(clips):
    return clips("small.mp4").read_bytes()


@pytest.fixture(scope="module")
def small_fleet(start_fleet):
    """Takes at most 8 MiB."""
    fleet = start_fleet("limited", settings={"MEDIAFLEET_MAX_SOURCE_BYTES": 8 * MIB})
    yield fleet
    fleet.check_clean()
    destroy(fleet)


@pytest.fixture(scope="module")
def guarded(start_fleet):
    """As in production: no private address may be fetched from, not even this machine's."""
    fleet = start_fleet("guarded", settings={"MEDIAFLEET_ALLOWED_CIDRS": ""})
    yield fleet
    fleet.check_clean()
    destroy(fleet)


def check_failed(fleet, job, code, task="download"):
    """The contract of every failed media.store job."""
    assert (job["state"], job["phase"], job["percent"]) == ("failed", "done", 100), job
    assert (job["error"]["code"], job["error"]["task"]) == (code, task), job["error"]
    assert job["error"]["detail"]
    states = {one["name"]: (one["state"], one["percent"]) for one in job["tasks"]}
    assert states.pop(task) == ("failed", 100)
    assert all(percent == 100 for _, percent in states.values())
    assert states["upload"] == ("cancelled", 100), "what needed it never began"
    assert "result" not in job
    scene = stored.scene(fleet, job)
    assert scene["status"] == "failed"
    assert scene["error_message"] == f"{code}: {job['error']['detail']}"
    assert "playlist_url" not in scene and "storage" not in scene
    stored.check_gone(fleet, job)
    assert stored.rows(fleet, job=job["id"]) == {}


def fails(fleet, url, code, task="download", timeout=60):
    job = fleet.wait_job(fleet.store(url)["task_id"], timeout)
    check_failed(fleet, job, code, task)
    return job


def fails_for_now(fleet, url, code, timeout=60):
    """A transient failure: it is told while the job waits for its next attempt. Cancelled then, to save the time."""
    job_id = fleet.store(url)["task_id"]
    job = fleet.wait_job(job_id, timeout, until=lambda job: job["phase"] == "retrying")
    assert job["tasks"][0]["error"]["code"] == code
    assert (job["tasks"][0]["state"], job["tasks"][0]["attempt"], job["tasks"][0]["max_attempts"]) == ("queued", 2, 3)
    assert stored.scene(fleet, job)["status"] == "processing"
    assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    job = fleet.wait_job(job_id)
    assert (job["state"], job["percent"]) == ("cancelled", 100)
    stored.check_gone(fleet, job)


@pytest.mark.parametrize("status, code", [(404, "source-not-found"), (410, "source-not-found"), (403, "source-forbidden"),
                                          (401, "source-forbidden"), (400, "source-refused"), (204, "empty-source")])
def test_status(fleet, source, status, code):
    """What the source answers decides; a 4xx is not tried again."""
    url = source.serve(b"no", status=status)
    fails(fleet, url, code)
    assert len(source.requests(url)) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_status_of_a_source_in_trouble(fleet, source, status):
    """5xx, 408 and 429 are tried again."""
    fails_for_now(fleet, source.serve(b"no", status=status), "source-unavailable")


def test_retry_after_is_kept(fleet, source, film):
    """The source says when; neither earlier nor an hour later."""
    url = source.serve(film, status=[503, 200], headers={"Retry-After": "8"})
    job = fleet.wait_job(fleet.store(url)["task_id"], 120)
    assert job["state"] == "succeeded", job
    log = fleet.db.jobs.find_one({"_id": job["id"]})["log"]
    retrying = next(i for i, line in enumerate(log) if line["event"] == "retrying")
    waited = (log[retrying + 1]["at"] - log[retrying]["at"]).total_seconds()
    assert waited > 7.9, "by two clocks that differ by milliseconds"


def test_no_such_host(fleet):
    """Two attempts where a name server says so, three where none can be asked; then it fails as a whole."""
    job = fleet.wait_job(fleet.store("http://no-such-host.invalid/clip.mp4")["task_id"], 90)
    code = job["error"]["code"]
    check_failed(fleet, job, code)
    attempts = {"source-unknown-host": 2, "source-dns-error": 3}[code]
    assert [line["event"] for line in job["log"]].count("retrying") == attempts - 1
    assert job["tasks"][0]["attempt"] == attempts


def test_nobody_listens(fleet):
    """A port without a server."""
    fails_for_now(fleet, f"http://127.0.0.1:{fleet.source_ports[-1]}/clip.mp4", "source-unreachable")


def test_empty(fleet, source):
    """200 and nothing in it."""
    fails(fleet, source.serve(b""), "empty-source")


def test_a_page_is_no_film(fleet, source):
    """What it is decide the bytes, not the server's Content-Type; refused with the first block."""
    url = source.serve(b"<!DOCTYPE html><html><body>Please log in" + b" " * MIB, content_type="video/mp4")
    fails(fleet, url, "unsupported-media")


@pytest.mark.parametrize("body, compress, said", [(b"#EXTM3U\n#EXTINF:6,\na.ts\n", False, "M3U8 playlist"), (b"film", True, "gzip")])
def test_what_it_is_instead(fleet, source, body, compress, said):
    """Playlists of other servers and bodies that were compressed unasked are told by name."""
    job = fails(fleet, source.serve(body, compress=compress), "unsupported-media")
    assert said in job["error"]["detail"]


def test_a_broken_film(fleet, source, film):
    """A file that begins well and ends too early fails where it is read."""
    fails(fleet, source.serve(film[:60_000]), "corrupt-media", task="transcode")


def test_too_large_by_its_own_account(small_fleet, film):
    """Refused by Content-Length: not a byte more than the first ones is fetched."""
    with_source(small_fleet, lambda source: fails(small_fleet, source.serve(film, length=9 * MIB), "source-too-large"))


def test_endless(small_fleet, film):
    """No length, no end: stopped at the limit."""
    def run(source):
        fails(small_fleet, source.serve(film + bytes(16 * MIB), length="none"), "source-too-large")
    with_source(small_fleet, run)


def with_source(fleet, test):
    source = Source(fleet.source_ports[1])
    try:
        test(source)
    finally:
        source.close()


def test_cut_again_and_again(fleet, source, film):
    """Always cut at the same place by a source that cannot continue."""
    url = source.serve(film, cut=50_000, ranges=False, etag=None)
    fails_for_now(fleet, url, "source-truncated", timeout=120)
    assert len(source.requests(url)) > 1, "it was not given up at once"
    assert all("Range" not in headers for headers in source.requests(url))


def test_promises_more_than_it_has(fleet, source, film):
    """A Content-Length that is never reached, not even by continuing."""
    fails_for_now(fleet, source.serve(film, length=len(film) + 1000, ranges=False), "source-truncated", timeout=120)


@pytest.mark.parametrize("url, code", [
    ("ftp://example.org/clip.mp4", "unsupported-scheme"), ("file:///etc/passwd", "unsupported-scheme"),
    ("http://10.0.0.1/clip.mp4", "forbidden-address"), ("http://169.254.169.254/latest/meta-data", "forbidden-address"),
    ("http://[::1]/clip.mp4", "forbidden-address"), ("http://0x7f000001:22/clip.mp4", "forbidden-port"),
    ("http://192.0.2.1:8080/clip.mp4", "forbidden-address"), ("http://", "invalid-url"),
    ("http://user:secret@example.org/clip.mp4", "invalid-url"),
])
def test_refused_at_once(fleet, url, code):
    """What no attempt could change is refused with the post."""
    answer = fleet.post("/api/v1/media/store", {"url": url, "project_id": "tests"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), problem
    assert [error["pointer"] for error in problem["errors"]] == ["/url"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("target", ["http://10.0.0.1/clip.mp4", "http://169.254.169.254/", "http://[fd00::1]/"])
def test_redirect_to_a_private_address(fleet, source, target):
    """The guard looks at every hop."""
    fails(fleet, source.serve(status=302, location=target), "forbidden-address")


@pytest.mark.parametrize("target, code", [("ftp://example.org/", "unsupported-scheme"), ("file:///etc/passwd", "unsupported-scheme"),
                                          ("http://example.org:22/", "forbidden-port")])
def test_redirect_elsewhere(fleet, source, target, code):
    """Neither other schemes nor other ports by a detour."""
    fails(fleet, source.serve(status=302, location=target), code)


def test_name_of_a_private_address(guarded):
    """A name is judged by the address that is connected to. This machine's own name has only private ones."""
    fails(guarded, f"http://{socket.gethostname()}/clip.mp4", "forbidden-address")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]", "2130706433", "0"])
def test_this_machine_is_not_asked(guarded, host):
    """However it is written; without an exception of the guard nothing private is fetched."""
    answer = guarded.post("/api/v1/media/store", {"url": f"http://{host}/clip.mp4", "project_id": "tests"})
    assert (answer.status_code, answer.json()["code"]) == (422, "forbidden-address")


def test_redirects_without_end(fleet, source):
    """Five hops, then enough."""
    url = source.serve(status=302, location="?again")
    fails(fleet, url, "too-many-redirects")
    assert len(source.requests(url)) == 6


def check_source(fleet, job_id, film):
    job = fleet.wait_job(job_id, 120)
    assert job["state"] == "succeeded", job
    row = stored.rows(fleet, job=job["id"])[stored.scene(fleet, job)["storage_key"]]
    assert row["sha256"] == hashlib.sha256(film).hexdigest()
    return fleet.db.jobs.find_one({"_id": job["id"]})["tasks"][0]


def test_a_redirect_is_followed(fleet, source, film):
    """To another address of the same kind."""
    target = source.serve(film)
    url = source.serve(status=301, location=target)
    assert check_source(fleet, fleet.store(url)["task_id"], film)["result"]["final_url"] == target


def test_continued_where_it_was_cut(fleet, source, film):
    """Cut twice: the rest is asked for, with the validator of the first answer; no byte is missing or doubled."""
    url = source.serve(film, cut=[40_000, 30_000, None], etag='"v1"')
    task = check_source(fleet, fleet.store(url)["task_id"], film)
    assert (task["run"], task["result"]["resumed"], task["result"]["etag"]) == (1, 2, '"v1"')
    asked = [(headers.get("Range"), headers.get("If-Range")) for headers in source.requests(url)]
    assert asked == [(None, None), ("bytes=40000-", '"v1"'), ("bytes=70000-", '"v1"')]


def test_changed_while_it_was_cut(fleet, source, clips, film):
    """Another ETag means another file: from the beginning, never a mixture."""
    other = clips("silent.mp4").read_bytes()
    url = source.serve(film, cut=[40_000, None], etag='"v1"')
    resource = source.resource(url)

    class Requests(list):
        """The source changes as soon as the first request came."""
        def append(self, headers):
            super().append(headers)
            if len(self) == 2:
                resource.body, resource.etag = other, '"v2"'

    resource.requests = Requests()
    task = check_source(fleet, fleet.store(url)["task_id"], other)
    assert (task["run"], task["result"]["etag"]) == (1, '"v2"')
    assert [headers.get("Range") for headers in source.requests(url)] == [None, "bytes=40000-"]


def test_slow_but_honest(fleet, source, film):
    """A source that takes its time is waited for, and the progress shows it."""
    job_id = fleet.store(source.serve(film, rate=len(film) // 3))["task_id"]
    job = fleet.wait_job(job_id, until=lambda job: job["percent"] > 0 or job["state"] != "running" and job["percent"] == 100)
    assert job["state"] in ("queued", "running") and job["phase"] == "download"
    check_source(fleet, job_id, film)
