"""Cancelling, repeating, and whose job it is."""
import concurrent.futures
import uuid

import pytest
import requests

import stored
from stored import Stopped, s3_pid
from support.processes import wait_until
from support.source import Source


def cancel(fleet, job_id, **options):
    return fleet.post(f"/api/v1/jobs/{job_id}/cancel", **options)


def check_cancelled(fleet, job_id, timeout=20):
    """Terminal at exactly 100 percent within seconds, nothing in the workspace."""
    job = fleet.wait_job(job_id, timeout)
    assert (job["state"], job["phase"], job["percent"]) == ("cancelled", "done", 100)
    assert job["error"]["code"] == "cancelled"
    assert {task["percent"] for task in job["tasks"]} == {100}
    assert "cancelled" in {task["state"] for task in job["tasks"]}
    assert {task["state"] for task in job["tasks"]} <= {"cancelled", "succeeded"}
    assert not (fleet.workspace / job_id).exists()
    if "mongo_db_id" in job:
        stored.check_gone(fleet, job)
        scene = stored.scene(fleet, job)
        assert (scene["status"], scene["error_message"]) == ("failed", "cancelled: cancelled on request")
    return job


def running(fleet, job_id, task):
    return fleet.wait_job(job_id, 60, until=lambda job: task in job["phase"].split("+"))


def test_running_hello(fleet):
    """An hour's sleep ends within seconds; the answer already says that it stops."""
    job_id = fleet.hello(sleep_ms=3600000)["task_id"]
    running(fleet, job_id, "hello")
    answer = cancel(fleet, job_id)
    assert (answer.status_code, answer.json()["id"]) == (202, job_id)
    job = check_cancelled(fleet, job_id)
    stopped = next(line for line in job["log"] if line["event"] == "stopped")
    assert (stopped["by"], stopped["code"]) == ("operator", "cancelled")


def test_queued_hello(make_fleet):
    """A job that nobody has taken ends with the request itself."""
    fleet = make_fleet("no-workers")
    fleet.scale("hello", 0)
    job_id = fleet.hello()["task_id"]
    body = cancel(fleet, job_id).json()
    assert (body["state"], body["phase"], body["percent"]) == ("cancelled", "done", 100)
    fleet.scale("hello", 1)
    assert fleet.wait_job(fleet.hello()["task_id"])["state"] == "succeeded"
    assert "claimed" not in [line["event"] for line in fleet.job(job_id)["log"]], "its ticket meant nothing any more"


def test_queued_store(make_fleet, clips):
    """A media job that waits for a download worker: what must be tidied is tidied by the next worker."""
    fleet = make_fleet("no-downloads")
    fleet.scale("download", 0)
    job_id = fleet.store(f"http://127.0.0.1:{fleet.source_ports[0]}/clip.mp4")["task_id"]
    assert cancel(fleet, job_id).status_code == 202
    fleet.scale("download", 1)
    check_cancelled(fleet, job_id, 30)


def test_slow_download(fleet, source, clips):
    """The transfer is interrupted, not waited for."""
    job_id = fleet.store(source.serve_file(clips("small.mp4"), rate=2000))["task_id"]
    running(fleet, job_id, "download")
    wait_until(lambda: list(fleet.workspace.glob(f"{job_id}/download.1/*")), 20, "the first bytes")
    assert cancel(fleet, job_id).status_code == 202
    check_cancelled(fleet, job_id)


def test_transcode(fleet, source, clips):
    """libav is interrupted; what it had made is removed."""
    job_id = fleet.store(source.serve_file(clips("hd.mp4")))["task_id"]
    running(fleet, job_id, "transcode")
    wait_until(lambda: list(fleet.workspace.glob(f"{job_id}/transcode.1/**/*.m4s")), 60, "the first segment")
    assert cancel(fleet, job_id).status_code == 202
    job = check_cancelled(fleet, job_id)
    assert {task["name"]: task["state"] for task in job["tasks"]}["upload"] == "cancelled"


def test_upload(make_fleet, clips):
    """In the middle of an upload, with a server that stands still: the job ends at once, and what the server makes of the
    bytes that it has already is deleted, too. Rows are kept until the second delete, then they go."""
    fleet = make_fleet("cancel-upload", "--s3", settings={"MEDIAFLEET_TOMBSTONE_S": 4})
    source = Source(fleet.source_ports[0])
    try:
        job_id = fleet.store(source.serve_file(clips("hd.mp4")))["task_id"]
        wait_until(lambda: stored.rows(fleet, job=job_id), 120, "the first rows")
        with Stopped(s3_pid(fleet)):
            assert "pending" in {row["state"] for row in stored.rows(fleet, job=job_id).values()}, "in the middle"
            assert cancel(fleet, job_id).status_code == 202
            job = fleet.wait_job(job_id, 30)
            assert (job["state"], job["percent"]) == ("cancelled", 100)
            assert stored.rows(fleet, job=job_id), "tracked until they are certainly gone"
        wait_until(lambda: not stored.rows(fleet, job=job_id), 60, "the second delete")
        assert stored.objects(fleet, stored.prefix(job)) == {}
    finally:
        source.close()
    fleet.check_clean()


def test_waiting_for_its_next_attempt(fleet):
    """Nothing runs: it ends at once."""
    job_id = fleet.hello(fail="transient")["task_id"]
    fleet.wait_job(job_id, until=lambda job: job["phase"] == "retrying")
    assert cancel(fleet, job_id).json()["state"] == "cancelled"


def test_twice(fleet):
    """A second cancel of an ended job is a conflict, as is one of a job that ended well."""
    job_id = fleet.hello()["task_id"]
    fleet.wait_job(job_id)
    answer = cancel(fleet, job_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "job-finished")
    job_id = fleet.hello(sleep_ms=60000)["task_id"]
    running(fleet, job_id, "hello")
    assert cancel(fleet, job_id).status_code == 202
    check_cancelled(fleet, job_id)
    answer = cancel(fleet, job_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "job-finished")


@pytest.mark.parametrize("job_id, status, code", [("0" * 26, 404, "job-not-found"), ("nonsense", 400, "invalid-id")])
def test_no_such_job(fleet, job_id, status, code):
    answer = cancel(fleet, job_id)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_retry_is_a_new_job(fleet, source, clips):
    """It writes the same record; the old job stays what it was."""
    url = source.serve_file(clips("small.mp4"), status=[404, 200])
    first = fleet.store(url, scene_id="s")
    failed = fleet.wait_job(first["task_id"])
    assert failed["state"] == "failed"
    answer = fleet.post(f"/api/v1/jobs/{first['task_id']}/retry")
    body = answer.json()
    assert answer.status_code == 202 and answer.headers["Location"] == body["status_url"]
    assert body["task_id"] != first["task_id"] and body["mongo_db_id"] == first["mongo_db_id"]
    job = fleet.wait_job(body["task_id"], 120)
    assert (job["state"], job["retry_of"]) == ("succeeded", first["task_id"])
    scene = stored.scene(fleet, job)
    assert (scene["status"], scene["job"], scene["scene_id"]) == ("completed", job["id"], "s")
    assert "error_message" not in scene
    assert fleet.job(first["task_id"])["state"] == "failed"


def test_retry_of_a_running_job(fleet):
    """Only what has ended is repeated."""
    job_id = fleet.hello(sleep_ms=60000)["task_id"]
    answer = fleet.post(f"/api/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "job-running")
    cancel(fleet, job_id)
    check_cancelled(fleet, job_id)


def test_same_idempotency_key(fleet):
    """The same request again is the same job, however often; another body with that key is refused."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answers = [fleet.post("/api/v1/debug/hello", {"sleep_ms": 1}, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    other = fleet.post("/api/v1/debug/hello", {"sleep_ms": 2}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reuse")
    job = fleet.wait_job(answers[0].json()["task_id"])
    again = fleet.post("/api/v1/debug/hello", {"sleep_ms": 1}, headers=headers)
    assert again.json()["task_id"] == job["id"], "also when it has ended"
    assert fleet.db.jobs.find_one({"_id": job["id"]})["tasks"][0]["run"] == 1


def test_same_idempotency_key_of_a_store(fleet, source, clips):
    """One record, one download."""
    url = source.serve_file(clips("picture.jpg"), "picture.jpg")
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"url": url, "project_id": "tests"}
    answers = [fleet.post("/api/v1/media/store", body, headers=headers).json() for _ in range(2)]
    assert answers[0]["task_id"] == answers[1]["task_id"] and answers[0]["mongo_db_id"] == answers[1]["mongo_db_id"]
    assert fleet.wait_job(answers[0]["task_id"])["state"] == "succeeded"
    assert len(source.requests(url)) == 1


def test_same_idempotency_key_at_once(fleet, source, clips):
    """Twelve callers of two gateways in the same moment: one job, one record."""
    url = source.serve_file(clips("picture.jpg"), "picture.jpg")
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Authorization": f"Bearer {fleet.key}"}
    fleet.scale("gateway", 2)

    def post(number):
        gateway = fleet.urls[number % 2]
        return requests.post(f"{gateway}/api/v1/media/store", json={"url": url, "project_id": "tests"}, headers=headers,
                             timeout=20)

    try:
        with concurrent.futures.ThreadPoolExecutor(12) as callers:
            answers = list(callers.map(post, range(12)))
    finally:
        fleet.scale("gateway", 1)
    assert {answer.status_code for answer in answers} == {202}
    assert len({(answer.json()["task_id"], answer.json()["mongo_db_id"]) for answer in answers}) == 1
    assert fleet.wait_job(answers[0].json()["task_id"])["state"] == "succeeded"
    assert fleet.db.jobs.count_documents({"params.url": url}) == fleet.db.scenes.count_documents({"url": url}) == 1


def test_different_idempotency_keys(fleet):
    """Another key, another tenant or none: another job."""
    key = uuid.uuid4().hex
    posts = [{"headers": {"Idempotency-Key": key}}, {"headers": {"Idempotency-Key": key + "x"}},
             {"headers": {"Idempotency-Key": key}, "key": fleet.other_key}, {}]
    ids = [fleet.post("/api/v1/debug/hello", {}, **post).json()["task_id"] for post in posts]
    assert len(set(ids)) == 4
    answer = fleet.post("/api/v1/debug/hello", {}, headers={"Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-idempotency-key")


def test_another_tenants_job_does_not_exist(fleet, source, clips):
    """Neither seen, nor cancelled, nor repeated, nor listed; nor is the record."""
    answer = fleet.store(source.serve_file(clips("picture.jpg"), "picture.jpg"))
    job = fleet.wait_job(answer["task_id"])
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        other = fleet.request(method, f"/api/v1/jobs/{job['id']}{path}", key=fleet.other_key)
        assert (other.status_code, other.json()["code"]) == (404, "job-not-found"), path
    other = fleet.get(f"/api/v1/scenes/{job['mongo_db_id']}", key=fleet.other_key)
    assert (other.status_code, other.json()["code"]) == (404, "scene-not-found")
    listed = fleet.get("/api/v1/jobs?limit=1000", key=fleet.other_key).json()["jobs"]
    assert job["id"] not in [one["id"] for one in listed]


def test_viewers_only_look(fleet):
    """Reading is allowed, changing is not."""
    job_id = fleet.hello()["task_id"]
    assert fleet.get(f"/api/v1/jobs/{job_id}", key=fleet.viewer_key).status_code == 200
    for path in ("/api/v1/debug/hello", f"/api/v1/jobs/{job_id}/cancel", f"/api/v1/jobs/{job_id}/retry"):
        answer = fleet.post(path, {}, key=fleet.viewer_key)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    answer = fleet.get(f"/api/v1/jobs/{job_id}", key="")
    assert (answer.status_code, answer.json()["code"]) == (401, "missing-credentials")
    fleet.wait_job(job_id)
