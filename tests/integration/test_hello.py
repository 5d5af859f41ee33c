"""Hello jobs: what a client sees of a job from its 202 to its end."""
import re

import pytest

from support.processes import wait_until

ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def events(job):
    return [line["event"] for line in job["log"]]


def ended(fleet, **fields):
    return fleet.wait_job(fleet.hello(**fields)["task_id"])


def test_accepted(fleet):
    """202 names the job, where to look, when to look, and how to find the request in the logs."""
    answer = fleet.post("/api/v1/debug/hello", {}, headers={"X-Request-Id": "a-name-of-mine"})
    body = answer.json()
    assert answer.status_code == 202
    assert set(body) == {"task_id", "status_url", "queued"}
    assert re.fullmatch(ULID, body["task_id"])
    assert body["status_url"] == f"/api/v1/jobs/{body['task_id']}" == answer.headers["Location"]
    assert body["queued"] is True
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"] == "a-name-of-mine"
    fleet.wait_job(body["task_id"])


@pytest.mark.parametrize("body, status, code, pointer", [
    ({"sleep_ms": "1"}, 422, "invalid-type", "/sleep_ms"),
    ({"sleep_ms": 3600001}, 422, "out-of-range", "/sleep_ms"),
    ({"sleep_ms": -1}, 422, "out-of-range", "/sleep_ms"),
    ({"fail": "often"}, 400, "invalid-value", "/fail"),
    ({"sleeep_ms": 1}, 422, "unknown-field", "/sleeep_ms"),
    ([], 400, "invalid-type", None),
])
def test_refused(fleet, body, status, code, pointer):
    """What is wrong is said with a stable code and a pointer to the field; no job comes of it."""
    before = fleet.db.jobs.count_documents({})
    answer = fleet.post("/api/v1/debug/hello", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status and problem["request_id"] == answer.headers["X-Request-Id"]
    if pointer:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert fleet.db.jobs.count_documents({}) == before


def test_succeeded(fleet):
    """Everything that is shown of a job that went well."""
    job = ended(fleet, sleep_ms=50)
    assert job["recipe"] == "hello"
    assert (job["state"], job["phase"], job["percent"]) == ("succeeded", "done", 100)
    assert job["result"] == {"greeting": "hello"}
    assert "error" not in job
    (task,) = job["tasks"]
    assert task["name"] == task["kind"] == "hello"
    assert (task["state"], task["percent"], task["attempt"], task["max_attempts"]) == ("succeeded", 100, 1, 3)
    assert re.fullmatch(r".+\.hello\.\d+\.[0-9a-f]+", task["worker"])
    times = [job["started_at"], job["finished_at"], job["expires_at"]]
    assert all(re.fullmatch(TIME, time) for time in [job["created_at"], *times])
    assert times == sorted(times)
    assert events(job) == ["submitted", "claimed", "succeeded"]
    assert all(re.fullmatch(TIME, line["at"]) for line in job["log"])


def test_progress_is_seen_and_never_falls(fleet):
    """While it runs the percent grows, stays below 100, and the phase names the task."""
    job_id = fleet.hello(sleep_ms=4000)["task_id"]
    seen = []

    def look():
        job = fleet.job(job_id)
        if job["state"] == "running":
            seen.append((job["percent"], job["phase"]))
        return job["state"] == "succeeded"

    wait_until(look, 60, "the end of the job")
    percents = [percent for percent, _ in seen]
    assert percents == sorted(percents) and percents[-1] <= 99
    assert len(set(percents)) > 1, "progress was reported on the way"
    assert {phase for _, phase in seen} <= {"hello", "queued"}
    assert fleet.job(job_id)["percent"] == 100


def test_permanent_failure(fleet):
    """Fails at once, with its own code, at exactly 100 percent."""
    job = ended(fleet, fail="permanent")
    assert (job["state"], job["phase"], job["percent"]) == ("failed", "done", 100)
    assert job["error"] == {"code": "debug-permanent", "detail": "asked to fail for good", "task": "hello"}
    (task,) = job["tasks"]
    assert (task["state"], task["percent"]) == ("failed", 100)
    assert task["error"] == {"code": "debug-permanent", "detail": "asked to fail for good"}
    assert "result" not in job
    assert events(job) == ["submitted", "claimed", "failed"]


def test_transient_failure_is_tried_again_when_it_is_due(fleet):
    """After 5 s (20 % more or less) it runs again; in between the phase says so and the attempt counts."""
    job_id = fleet.hello(fail="transient")["task_id"]
    job = fleet.wait_job(job_id, until=lambda job: job["phase"] == "retrying")
    (task,) = job["tasks"]
    assert (job["state"], task["state"], task["attempt"]) == ("running", "queued", 2)
    assert task["error"] == {"code": "debug-transient", "detail": "asked to fail"}
    assert job["percent"] <= 99
    job = fleet.wait_job(job_id, until=lambda job: job["tasks"][0]["attempt"] == 3)
    assert events(job)[:5] == ["submitted", "claimed", "retrying", "claimed", "retrying"]
    stored = fleet.db.jobs.find_one({"_id": job_id})
    pause = (stored["log"][3]["at"] - stored["log"][2]["at"]).total_seconds()
    assert pause > 3.9, "never before it is due, by two clocks that differ by milliseconds"
    due = (stored["tasks"][0]["due_at"] - stored["log"][4]["at"]).total_seconds()
    assert 24 <= due <= 36, "30 s, 20 % more or less"
    assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    job = fleet.wait_job(job_id)
    assert (job["state"], job["percent"], job["error"]["code"]) == ("cancelled", 100, "cancelled")


def test_crash(fleet):
    """Three times it takes its process with it, then it fails; its neighbour of the first death succeeds."""
    neighbour = fleet.hello(sleep_ms=2000)["task_id"]
    fleet.wait_job(neighbour, until=lambda job: job["state"] == "running")
    job = fleet.wait_job(fleet.hello(sleep_ms=500, fail="crash")["task_id"], timeout=90)
    assert (job["state"], job["phase"], job["percent"]) == ("failed", "done", 100)
    assert job["error"]["code"] == "worker-crash" and job["error"]["task"] == "hello"
    assert job["tasks"][0]["attempt"] == 1, "crashes are not failures"
    stored = fleet.db.jobs.find_one({"_id": job["id"]})
    assert (stored["tasks"][0]["run"], stored["tasks"][0]["crashes"]) == (3, 3)
    job = fleet.wait_job(neighbour)
    assert job["state"] == "succeeded"
    assert fleet.db.jobs.find_one({"_id": neighbour})["tasks"][0].get("crashes", 0) <= 2, "the last death is the culprit's alone"


def test_etag(fleet):
    """Polling an unchanged job costs a 304 without a body; a changed one has another ETag."""
    job_id = fleet.hello(sleep_ms=2500)["task_id"]
    fleet.wait_job(job_id, until=lambda job: job["state"] == "running")
    path = f"/api/v1/jobs/{job_id}"
    first = fleet.get(path).headers["ETag"]
    fleet.wait_job(job_id)
    last = fleet.get(path, headers={"If-None-Match": first})
    assert last.status_code == 200 and last.headers["ETag"] != first
    for condition in (last.headers["ETag"], f'"x", {last.headers["ETag"]}', f"W/{last.headers['ETag']}", "*"):
        same = fleet.get(path, headers={"If-None-Match": condition})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", last.headers["ETag"]), condition


def test_list(fleet):
    """The newest first, page by page, without tasks and logs."""
    ids = [ended(fleet)["id"] for _ in range(3)]
    page = fleet.get("/api/v1/jobs?recipe=hello&state=succeeded&limit=2").json()
    assert [job["id"] for job in page["jobs"]] == [ids[2], ids[1]]
    assert all("tasks" not in job and "log" not in job for job in page["jobs"])
    following = fleet.get(f"/api/v1/jobs?recipe=hello&state=succeeded&limit=2&cursor={page['next']}").json()
    assert following["jobs"][0]["id"] == ids[0]


def test_many_at_once(fleet):
    """Two hundred posts from one connection after the other all succeed, each run once."""
    ids = [fleet.hello()["task_id"] for _ in range(200)]
    assert len(set(ids)) == 200
    for job_id in ids:
        assert fleet.wait_job(job_id)["state"] == "succeeded"
    assert {job["tasks"][0]["run"] for job in fleet.db.jobs.find({"_id": {"$in": ids}})} == {1}
