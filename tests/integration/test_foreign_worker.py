"""proto/README.md is enough to write a worker in another language: one in Python serves the queue of hello."""
import threading

import pytest

from support.foreign_worker import Worker


@pytest.fixture
def worker(fleet):
    fleet.scale("hello", 0)
    worker = Worker(fleet.env)
    yield worker
    worker.close()
    fleet.scale("hello", 1)


def test_succeeds(fleet, worker):
    job_id = fleet.hello(sleep_ms=1000)["task_id"]
    worker.work(2)
    job = fleet.job(job_id)
    assert (job["state"], job["percent"], job["result"]) == ("succeeded", 100, {"greeting": "hello"})
    assert job["tasks"][0]["worker"] == worker.id
    assert [line["event"] for line in job["log"]] == ["submitted", "claimed", "succeeded"]


def test_fails(fleet, worker):
    job_id = fleet.hello(fail="permanent")["task_id"]
    worker.work(2)
    job = fleet.job(job_id)
    assert (job["state"], job["percent"], job["error"]["code"]) == ("failed", 100, "debug-permanent")


def test_is_told_to_stop(fleet, worker):
    job_id = fleet.hello(sleep_ms=20000)["task_id"]
    cancel = threading.Timer(1, lambda: fleet.post(f"/api/v1/jobs/{job_id}/cancel"))
    cancel.start()
    worker.work(2)
    cancel.join()
    job = fleet.wait_job(job_id)
    assert (job["state"], job["error"]["code"]) == ("cancelled", "cancelled")


def test_retries_when_the_reconciler_says_so(fleet, worker):
    """Its alarm is early and it publishes nothing: the ticket of the second attempt is the reconciler's."""
    job_id = fleet.hello(fail="transient")["task_id"]
    worker.work(8)
    job = fleet.job(job_id)
    assert job["tasks"][0]["attempt"] == 3 and job["phase"] == "retrying"
    fleet.post(f"/api/v1/jobs/{job_id}/cancel")
    assert fleet.wait_job(job_id)["state"] == "cancelled"


def test_shares_a_job_with_ours(fleet, worker):
    """A ticket that ours left behind, and the other way round: nothing runs twice."""
    fleet.scale("hello", 1)
    jobs = [fleet.hello()["task_id"] for _ in range(20)]
    worker.work(2)
    ended = [fleet.wait_job(job_id) for job_id in jobs]
    assert {job["state"] for job in ended} == {"succeeded"}
    assert all([line["event"] for line in job["log"]] == ["submitted", "claimed", "succeeded"] for job in ended)
