"""Clocks that jump: of a worker's host, of a gateway's, of the store's."""
import datetime

import pytest
import requests

from support.preload import Faults
from support.processes import wait_until

HOURS_2 = 7200
LEASE_S = 10  # of the rigs


@pytest.fixture
def faults(tmp_path):
    return Faults(tmp_path)


def task(rig, job_id, name=None):
    tasks = rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"]
    return next(one for one in tasks if name in (None, one["name"]))


def check_ran_once(rig, job):
    assert job["state"] == "succeeded", job
    one = task(rig, job["id"])
    assert (one["run"], one.get("crashes", 0), one.get("failures", 0)) == (1, 0, 0), job["log"]


def start_gateway(rig, faults):
    gateway = rig.start("gateway", env=faults.env())
    wait_until(lambda: is_well(rig, gateway), 30, "the gateway")
    return gateway


def is_well(rig, gateway):
    try:
        return rig.fleet.get(f"{gateway.url}/readyz").json()["ready"]
    except requests.RequestException:
        return False


def error_of_now_s(text):
    """By how much a time that was told just now is wrong."""
    told = datetime.datetime.fromisoformat(text)
    return abs((told - datetime.datetime.now(datetime.timezone.utc)).total_seconds())


@pytest.mark.fault(43, "clock of a worker's host jumps by 2 h",
                   "preload: clock_gettime, forward and back, in a task of 15 s")
def test_worker_jumps(rig, faults):
    """the task goes on under its lease; nothing runs twice"""
    rig.fleet.scale("hello", 0)
    try:
        rig.start("hello", env=faults.env())
        jobs = [rig.fleet.hello(sleep_ms=(LEASE_S + 5) * 1000)["task_id"] for _ in range(3)]
        for offset in (HOURS_2, -HOURS_2):
            for job_id in jobs:
                rig.fleet.wait_job(job_id, 30, until=lambda job: job["state"] == "running")
            faults.clock(offset)
            before = faults.fired("clock")
            wait_until(lambda: faults.fired("clock") > before, 20, "a look at the clock")
            assert rig.fleet.wait_job(rig.fleet.hello()["task_id"])["state"] == "succeeded"
        for job_id in jobs:
            check_ran_once(rig, rig.fleet.wait_job(job_id, 60))
    finally:
        rig.fleet.scale("hello", 1)


@pytest.mark.fault(43, "clock of a gateway's host jumps by 2 h", "preload: clock_gettime, while a task of 15 s runs")
@pytest.mark.parametrize("offset", [HOURS_2, -HOURS_2])
def test_gateway_jumps(rig, faults, offset):
    """its reconciler takes no lease away, its answers tell the right time"""
    gateway = start_gateway(rig, faults)
    job_id = rig.fleet.hello(sleep_ms=(LEASE_S + 5) * 1000)["task_id"]
    rig.fleet.wait_job(job_id, 30, until=lambda job: job["state"] == "running")
    faults.clock(offset)
    job = rig.fleet.accepted(rig.fleet.post(f"{gateway.url}/api/v1/debug/hello", {}))
    assert error_of_now_s(rig.fleet.wait_job(job["task_id"])["created_at"]) < 60
    check_ran_once(rig, rig.fleet.wait_job(job_id, 60))
    assert faults.fired("clock") > 0


@pytest.mark.fault(43, "host whose clock is 30 s off", "preload: clock_gettime, from the start")
@pytest.mark.parametrize("offset", [30, -30])
def test_host_that_is_off(rig, faults, offset):
    """leases, retries and times are those of the store's clock"""
    faults.clock(offset)
    rig.fleet.scale("hello", 0)
    try:
        rig.start("hello", env=faults.env())
        gateway = start_gateway(rig, faults)
        path = f"{gateway.url}/api/v1/debug/hello"
        long = rig.fleet.accepted(rig.fleet.post(path, {"sleep_ms": (LEASE_S + 5) * 1000}))
        failing = rig.fleet.accepted(rig.fleet.post(path, {"fail": "transient"}))
        rig.fleet.wait_job(failing["task_id"], 30, until=lambda job: task(rig, job["id"]).get("failures", 0) == 1)
        assert error_of_now_s(rig.fleet.job(failing["task_id"])["log"][-1]["at"]) < 20
        rig.fleet.wait_job(failing["task_id"], 20, until=lambda job: task(rig, job["id"])["failures"] == 2)
        check_ran_once(rig, rig.fleet.wait_job(long["task_id"], 60))
        rig.fleet.post(f"/api/v1/jobs/{failing['task_id']}/cancel")
        assert rig.fleet.wait_job(failing["task_id"])["state"] == "cancelled"
    finally:
        rig.fleet.scale("hello", 1)
    assert faults.fired("clock") > 0


@pytest.mark.fault(43, "clock of an uploader 2 h off", "preload: clock_gettime; S3 refuses its signatures")
@pytest.mark.parametrize("offset", [HOURS_2, -HOURS_2])
def test_signatures_out_of_date(rig_s3, faults, clips, offset):
    """clock-skew, which is tried again: with the right time the upload succeeds"""
    rig = rig_s3
    faults.clock(offset)
    rig.fleet.scale("upload", 0)
    try:
        rig.start("upload", env=faults.env())
        url = rig.source.serve_file(clips("picture.jpg"), "picture.jpg", content_type="image/jpeg")
        job_id = rig.fleet.store(url)["task_id"]
        rig.fleet.wait_job(job_id, 120, until=lambda job: task(rig, job_id, "upload").get("failures", 0) > 0)
        assert task(rig, job_id, "upload")["error"]["code"] == "clock-skew", task(rig, job_id, "upload")["error"]
        faults.clock(0)
        assert rig.fleet.wait_job(job_id, 120)["state"] == "succeeded"
    finally:
        rig.fleet.scale("upload", 1)
    assert faults.fired("clock") > 0


def new_job_is_off_s(rig):
    return error_of_now_s(rig.fleet.wait_job(rig.fleet.hello()["task_id"])["created_at"])


@pytest.mark.fault(43, "the store's clock jumps by 2 h",
                   "preload: clock_gettime of the database, in tasks longer than a lease")
@pytest.mark.timeout(600)
def test_store_jumps(make_rig, tmp_path, monkeypatch):
    """every lease seems to have ended, or to last for hours: nothing runs twice"""
    faults = Faults(tmp_path)
    for name, value in faults.env().items():
        monkeypatch.setenv(name, value)
    rig = make_rig("clock")
    for name in faults.env():
        monkeypatch.delenv(name)
    jobs = [rig.fleet.hello(sleep_ms=100_000)["task_id"] for _ in range(3)]
    for job_id in jobs:
        rig.fleet.wait_job(job_id, 30, until=lambda job: job["state"] == "running")
    for offset in (HOURS_2, 0):
        faults.clock(offset)
        rig.fleet.get("/readyz")  # the gateway asks for the time
        wait_until(lambda: abs(new_job_is_off_s(rig) - offset) < 600, 90, "a gateway that has heard of it")
    for job_id in jobs:
        check_ran_once(rig, rig.fleet.wait_job(job_id, 200))
