"""Cancelled, past its deadline or out of time: whatever runs stops within seconds, what it made is gone, the job ends at 100."""
import datetime
import subprocess
import time

import pytest

import stored
from deaths import Standing, events, running, task
from support.processes import wait_until

STOPPED_S = 4  # promised are 2; the machine that tests may be busy


def cancel(fleet, job_id):
    """Asks, waits for the end; returns the job and how long that took."""
    began = time.monotonic()
    answer = fleet.post(f"/api/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 202, answer.text
    job = fleet.wait_job(job_id, 30)
    took = time.monotonic() - began
    print(f"cancelled within {took:.1f} s")
    return job, took


def check_cancelled(fleet, job, code="cancelled", state="cancelled"):
    """Ended at exactly 100, every task too, and nothing that it made is left."""
    assert (job["state"], job["phase"], job["percent"], job["error"]["code"]) == (state, "done", 100, code), job
    assert {one["percent"] for one in job["tasks"]} == {100}
    assert {one["state"] for one in job["tasks"]} <= {"cancelled", "succeeded", "failed"}
    assert not (fleet.workspace / job["id"]).exists()
    if "mongo_db_id" in job:
        assert stored.scene(fleet, job)["status"] == "failed"
        wait_until(lambda: not stored.objects(fleet, stored.prefix(job)), 30, "its objects to go")
        wait_until(lambda: not stored.rows(fleet, job=job["id"]), 30, "their rows to go")


def run_hello(rig, _clips):
    job_id = rig.fleet.hello(sleep_ms=600000)["task_id"]
    running(rig.fleet, job_id, "hello")
    return job_id


def run_download(rig, clips):
    job_id = rig.fleet.store(rig.source.serve_file(clips("small.mp4"), rate=2000))["task_id"]
    wait_until(lambda: list(rig.fleet.workspace.glob(f"{job_id}/download.1/*")), 30, "the first bytes")
    return job_id


def run_transcode(rig, clips):
    job_id = rig.fleet.store(rig.source.serve_file(clips("long.mp4")))["task_id"]
    wait_until(lambda: list(rig.fleet.workspace.glob(f"{job_id}/transcode.1/**/*.m4s")), 120, "the first segment")
    return job_id


RUN = {"hello": run_hello, "download": run_download, "transcode": run_transcode}


@pytest.mark.fault(47, "cancel of a running task", "POST …/cancel in the middle of it")
@pytest.mark.parametrize("kind", list(RUN))
def test_cancel_of_a_running_task(rig, clips, kind):
    """It stops within 2 s, its outputs are gone, the job is `cancelled` at 100."""
    job_id = RUN[kind](rig, clips)
    assert task(rig.fleet.job(job_id), kind)["state"] == "running", "in the middle"
    job, took = cancel(rig.fleet, job_id)
    check_cancelled(rig.fleet, job)
    assert task(job, kind)["state"] == "cancelled" and took < STOPPED_S
    assert [line["code"] for line in events(rig.fleet, job_id, "stopped")] == ["cancelled"]


@pytest.mark.fault(47, "cancel of a running upload", "S3 answers 1 s late; POST …/cancel in the middle")
def test_cancel_of_a_running_upload(rig_s3, clips):
    """It stops within 2 s; what S3 makes of bytes that it has already is deleted, too."""
    fleet = rig_s3.fleet
    rig_s3.s3.latency(1, "down")
    job_id = fleet.store(rig_s3.source.serve_file(clips("hd.mp4")))["task_id"]
    wait_until(lambda: "stored" in [row["state"] for row in stored.rows(fleet, job=job_id).values()], 120, "an object")
    assert task(fleet.job(job_id), "upload")["state"] == "running", "in the middle"
    job, took = cancel(fleet, job_id)
    assert rig_s3.s3.fired["latency"] > 0
    rig_s3.s3.heal()
    check_cancelled(fleet, job)
    assert task(job, "upload")["state"] == "cancelled" and took < STOPPED_S


@pytest.mark.fault(47, "cancel of a running cleanup", "S3 answers 2 s late; POST …/cancel in the middle")
def test_cancel_of_a_running_cleanup(rig_s3, clips):
    """It stops within 2 s of S3's next answer; the second cleanup, which every failed job has, takes the rest."""
    fleet = rig_s3.fleet
    job_id = fleet.store(rig_s3.source.serve_file(clips("hd.mp4")))["task_id"]
    wait_until(lambda: stored.rows(fleet, job=job_id), 120, "the first rows")
    rig_s3.s3.latency(2, "down")
    job, _ = cancel(fleet, job_id)
    child = wait_until(lambda: fleet.db.jobs.find_one({"parent": job_id, "state": "running"}), 30, "its cleanup")["_id"]
    cleanup, took = cancel(fleet, child)
    assert (cleanup["state"], cleanup["percent"]) == ("cancelled", 100) and took < 2 + STOPPED_S
    assert rig_s3.s3.fired["latency"] > 0
    rig_s3.s3.heal()
    check_cancelled(fleet, job)


@pytest.fixture(scope="module")
def large_picture(tmp_path_factory):
    """Big enough that its thumbnails take a moment."""
    file = tmp_path_factory.mktemp("pictures") / "large.jpg"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=9000x9000", "-frames:v", "1",
                    "-update", "1", file], check=True, timeout=120)
    return file


def stop_thumbnail(rig, picture):
    """A job, its worker standing still in the middle of the thumbnail task; None if that had ended before."""
    job_id = rig.fleet.store(rig.source.serve_file(picture, "large.jpg"))["task_id"]
    wait_until(lambda: (rig.fleet.workspace / job_id / "thumbnail.1").exists(), 60, "its directory")
    standing = Standing(*rig.fleet.pids("thumbnail"))
    standing.__enter__()
    if task(rig.fleet.job(job_id), "thumbnail")["state"] == "running":
        return job_id, standing
    standing.__exit__(None)
    return None


@pytest.mark.fault(47, "cancel of a running thumbnail", "SIGSTOP in the middle, POST …/cancel, SIGCONT")
def test_cancel_of_a_running_thumbnail(rig, large_picture):
    """It stops within 2 s, its outputs are gone, the job is `cancelled` at 100."""
    fleet = rig.fleet
    found = next(filter(None, (stop_thumbnail(rig, large_picture) for _ in range(10))), None)
    assert found, "the middle of a thumbnail was never met"
    job_id, standing = found
    assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    standing.__exit__(None)
    began = time.monotonic()
    job = fleet.wait_job(job_id, 30)
    assert time.monotonic() - began < STOPPED_S
    check_cancelled(fleet, job)


@pytest.mark.fault(47, "cancel of a queued task", "no worker of its kind; POST …/cancel; then one comes")
@pytest.mark.parametrize("kind", ["hello", "download"])
def test_cancel_of_a_queued_task(rig, clips, kind):
    """It never starts, although its ticket waits in the queue."""
    fleet = rig.fleet
    fleet.scale(kind, 0)
    url = rig.source.serve_file(clips("small.mp4"))
    job_id = (fleet.hello() if kind == "hello" else fleet.store(url))["task_id"]
    try:
        assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    finally:
        fleet.scale(kind, 1)
    check_cancelled(fleet, fleet.wait_job(job_id, 30))
    after = fleet.hello()["task_id"] if kind == "hello" else fleet.store(url)["task_id"]
    assert fleet.wait_job(after, 120)["state"] == "succeeded", "the ticket before it was met, and meant nothing"
    assert events(fleet, job_id, "claimed") == []
    assert len(rig.source.requests(url)) == (1 if kind == "download" else 0)


@pytest.mark.fault(48, "deadline of a job", "its creation moved three days back while it runs")
@pytest.mark.parametrize("kind", list(RUN))
def test_deadline_of_a_running_job(rig, clips, kind):
    """What runs stops, the job fails with `deadline-exceeded` at 100, its outputs are gone."""
    fleet = rig.fleet
    job_id = RUN[kind](rig, clips)
    now = datetime.datetime.now(datetime.timezone.utc)
    fleet.db.jobs.update_one({"_id": job_id}, {"$set": {"created_at": now - datetime.timedelta(days=3, minutes=1),
                                                        "alarm_at": now}})
    job = fleet.wait_job(job_id, 30)
    check_cancelled(fleet, job, "deadline-exceeded", "failed")
    assert [line["code"] for line in events(fleet, job_id, "stopped")] == ["deadline-exceeded"]


@pytest.mark.fault(48, "deadline of a queued job", "no worker; its creation moved three days back")
def test_deadline_of_a_queued_job(rig):
    """It fails with `deadline-exceeded` at 100 and never starts."""
    fleet = rig.fleet
    fleet.scale("hello", 0)
    try:
        job_id = fleet.hello()["task_id"]
        now = datetime.datetime.now(datetime.timezone.utc)
        fleet.db.jobs.update_one({"_id": job_id}, {"$set": {"created_at": now - datetime.timedelta(days=3, minutes=1),
                                                            "alarm_at": now}})
        check_cancelled(fleet, fleet.wait_job(job_id, 30), "deadline-exceeded", "failed")
    finally:
        fleet.scale("hello", 1)
    assert events(fleet, job_id, "claimed") == []


@pytest.mark.fault(49, "time limit of a task", "the limit of its job's document set to 2 s, one attempt")
@pytest.mark.parametrize("kind", ["hello", "download"])
def test_time_limit_of_a_task(rig, clips, kind):
    """It stops when its time is over; the job fails with `timeout` at 100 after its last attempt."""
    fleet = rig.fleet
    fleet.scale(kind, 0)
    try:
        url = rig.source.serve_file(clips("small.mp4"), rate=2000)
        job_id = (fleet.hello(sleep_ms=600000) if kind == "hello" else fleet.store(url))["task_id"]
        limits = {"tasks.0.timeout_s": 2, "tasks.0.max_attempts": 1}
        assert fleet.db.jobs.update_one({"_id": job_id}, {"$set": limits}).modified_count == 1
    finally:
        fleet.scale(kind, 1)
    job = fleet.wait_job(job_id, 60)
    check_cancelled(fleet, job, "timeout", "failed")
    assert task(job, kind)["state"] == "failed" and len(events(fleet, job_id, "claimed")) == 1
