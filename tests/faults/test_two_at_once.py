"""Two of a kind do the same thing at the same moment: one effect."""
import concurrent.futures
import datetime
import errno
import json
import os
import signal
import threading
import time
import uuid

import pika
import pytest
import requests

import stored
from support import processes
from support.fleet import TERMINAL
from support.preload import Faults
from support.processes import wait_until

ROUNDS, AT_ONCE = 20, 6
JOBS = 30


def history(fleet, job_id, task=0):
    """(runs, crashes, failures) of a task."""
    row = fleet.db.jobs.find_one({"_id": job_id})["tasks"][task]
    return row["run"], row.get("crashes", 0), row.get("failures", 0)


def events(job):
    return [line["event"] for line in job["log"]]


@pytest.fixture
def twice(rig):
    """twice(kind): two programs of that kind, while the test lasts."""
    kinds = []

    def start(kind, count=2):
        kinds.append(kind)
        rig.fleet.scale(kind, count)

    yield start
    for kind in kinds:
        rig.fleet.scale(kind, 1)


def publish(rig, queue, tickets):
    """Straight to the broker, as nobody but a fault would."""
    connection = pika.BlockingConnection(pika.URLParameters(rig.fleet.env["AMQP_URL"]))
    channel = connection.channel()
    for job_id, task in tickets:
        body = json.dumps({"v": 1, "job": job_id, "task": task})
        channel.basic_publish("", f"mediafleet.{queue}", body, pika.BasicProperties(delivery_mode=2))
    connection.close()
    return len(tickets)


def depth(rig, queue):
    connection = pika.BlockingConnection(pika.URLParameters(rig.fleet.env["AMQP_URL"]))
    count = connection.channel().queue_declare(f"mediafleet.{queue}", passive=True).method.message_count
    connection.close()
    return count


@pytest.mark.fault(5, "one Idempotency-Key at two gateways at the same moment", "two gateways, six posts let go together")
def test_same_key_at_two_gateways(rig, twice):
    """All answers name one job, which runs once."""
    fleet = rig.fleet
    twice("gateway")
    before, start = fleet.db.jobs.count_documents({}), threading.Barrier(AT_ONCE)

    def post(number, key):
        headers = {"Authorization": f"Bearer {fleet.key}", "Idempotency-Key": key}
        start.wait(10)
        return requests.post(f"{fleet.urls[number % 2]}/api/v1/debug/hello", json={}, headers=headers, timeout=20)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(ROUNDS):
            answers = list(threads.map(post, range(AT_ONCE), [uuid.uuid4().hex] * AT_ONCE))
            (job_id,) = {fleet.accepted(answer)["task_id"] for answer in answers}
            assert fleet.wait_job(job_id)["state"] == "succeeded" and history(fleet, job_id) == (1, 0, 0)
    assert fleet.db.jobs.count_documents({}) == before + ROUNDS


@pytest.mark.fault(21, "two reconcilers on the same lost tickets", "two gateways, the queue purged")
def test_two_reconcilers_publish_once(rig, twice):
    """Each overdue job's ticket is published once more, not twice."""
    fleet = rig.fleet
    twice("gateway")
    fleet.scale("hello", 0)
    try:
        ids = [fleet.hello()["task_id"] for _ in range(JOBS)]
        wait_until(lambda: depth(rig, "hello") == JOBS, 20, "the tickets")
        rig.ctl("purge_queue", "mediafleet.hello")
        together = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        fleet.db.jobs.update_many({"_id": {"$in": ids}}, {"$set": {"alarm_at": together}})
        nudged = {"_id": {"$in": ids}, "nudges": 1}
        wait_until(lambda: fleet.db.jobs.count_documents(nudged) == JOBS, 30, "one nudge each")
        wait_until(lambda: depth(rig, "hello") >= JOBS, 30, "the tickets again, which are published after that")
        time.sleep(2)  # the other reconciler's turn
        assert depth(rig, "hello") == JOBS and fleet.db.jobs.count_documents(nudged) == JOBS
        assert {job["rev"] for job in fleet.db.jobs.find({"_id": {"$in": ids}})} == {1}
    finally:
        fleet.scale("hello", 1)
    for job_id in ids:
        assert fleet.wait_job(job_id)["state"] == "succeeded" and history(fleet, job_id) == (1, 0, 0)


@pytest.mark.fault(1, "two reconcilers on the same ended leases", "two gateways, kill -9 and no proof of death")
def test_two_reconcilers_end_a_lease_once(rig, twice):
    """Each death is counted once, and its task runs once more."""
    fleet = rig.fleet
    twice("gateway")
    ids = [fleet.hello(sleep_ms=5000)["task_id"] for _ in range(5)]
    for job_id in ids:
        job = fleet.wait_job(job_id, until=lambda job: job["tasks"][0]["state"] == "running")
    (fleet.workspace / ".workers" / job["tasks"][0]["worker"]).unlink()
    processes.wait_gone(fleet.kill("hello", signal.SIGKILL))
    for job_id in ids:
        job = fleet.wait_job(job_id, 60)
        assert job["state"] == "succeeded" and events(job).count("crashed") == 1, job
        assert history(fleet, job_id) == (2, 1, 0)


@pytest.mark.fault(24, "two workers on one task", "two workers, 50 tickets of one task")
def test_two_workers_claim_once(rig, twice):
    """One of them claims it; every other ticket is acknowledged and dropped."""
    fleet = rig.fleet
    fleet.scale("hello", 0)
    ids = [fleet.hello(sleep_ms=200)["task_id"] for _ in range(10)]
    assert publish(rig, "hello", [(job_id, 0) for job_id in ids for _ in range(50)]) == 500
    wait_until(lambda: depth(rig, "hello") == 510, 20, "the tickets")
    twice("hello")
    for job_id in ids:
        job = fleet.wait_job(job_id)
        assert job["state"] == "succeeded" and events(job).count("claimed") == 1
        assert history(fleet, job_id) == (1, 0, 0)
    wait_until(lambda: depth(rig, "hello") == 0, 20, "an empty queue")


def finishing(fleet, job_id):
    job = fleet.db.jobs.find_one({"_id": job_id})
    return job["state"] == "running" and all(task["state"] in TERMINAL for task in job["tasks"])


def die_before_finishing(rig, faults, url):
    """Stores a clip with an upload worker that dies when its task is settled; returns the job."""
    upload = rig.start("upload", env=faults.env())
    child = upload.child()
    processes.stand_still(upload.pid)  # starts no other
    faults.exit_on("mongoc_bulk_operation_execute", about="scenes update")
    job_id = rig.fleet.store(url)["task_id"]
    processes.wait_gone([child], 60)
    assert faults.fired("mongoc_bulk_operation_execute") == 1 and finishing(rig.fleet, job_id)
    os.kill(upload.pid, signal.SIGKILL)
    upload.wait()
    wait_until(lambda: depth(rig, "upload") == 1, 20, "its ticket's return")
    rig.ctl("purge_queue", "mediafleet.upload")
    return job_id


def many_finish_tickets(rig, twice, ids):
    """Two cleanup workers begin with them in the queue."""
    publish(rig, "cleanup", [(job_id, 0) for _ in range(20) for job_id in ids])
    twice("cleanup")
    return [rig.fleet.wait_job(job_id, 90) for job_id in ids]


@pytest.mark.fault(24, "two workers on the finish duties of one job", "upload killed before them, 20 finish tickets, two cleanup workers")
def test_two_finish_once(rig, twice, clips, tmp_path):
    """The job ends once; its scene, rows and objects are as if one had done it."""
    fleet = rig.fleet
    for kind in ("upload", "cleanup"):
        fleet.scale(kind, 0)
    ids = [die_before_finishing(rig, Faults(tmp_path), rig.source.serve_file(clips("small.mp4"))) for _ in range(3)]
    for job in many_finish_tickets(rig, twice, ids):
        assert job["state"] == "succeeded" and events(job).count("finished") == 1, job
        assert stored.scene(fleet, job)["status"] == "completed"
        stored.check_rows(fleet, job)
    fleet.scale("upload", 1)


@pytest.mark.fault(24, "two workers clean up after one job", "20 finish tickets and 20 of each cleanup job, two cleanup workers")
def test_two_clean_up_once(rig, twice, clips, tmp_path):
    """A cancelled job has two cleanup jobs, each runs once, and nothing of it is left."""
    fleet, faults = rig.fleet, Faults(tmp_path)
    for kind in ("upload", "cleanup"):
        fleet.scale(kind, 0)
    rig.start("upload", env=faults.env())
    faults.fail("fsync", errno.EIO, nth=3)
    ids = [fleet.store(rig.source.serve_file(clips("small.mp4")))["task_id"] for _ in range(3)]
    for job_id in ids:
        fleet.wait_job(job_id, 60, until=lambda job: job["tasks"][-1]["attempt"] > 1)
        assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    assert faults.fired("fsync") > 0 and stored.rows(fleet, job=ids[0])
    for job in many_finish_tickets(rig, twice, ids):
        assert job["state"] == "cancelled" and events(job).count("finished") == 1, job
        children = sorted(child["_id"] for child in fleet.db.jobs.find({"parent": job["id"]}))
        assert len(children) == 2
        publish(rig, "cleanup", [(child, 0) for _ in range(20) for child in children])
        for child in children:
            assert fleet.wait_job(child, 60)["state"] == "succeeded" and history(fleet, child) == (1, 0, 0)
        stored.check_gone(fleet, job)
        assert stored.rows(fleet, job=job["id"]) == {}
    fleet.scale("upload", 1)
