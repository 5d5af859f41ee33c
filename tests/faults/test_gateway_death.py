"""A gateway dies between what it does for one post: whatever was stored is published by whoever reconciles, and found by a retry."""
import os
import signal
import threading
import time
import uuid

import pytest
import requests

from support import processes
from support.preload import Faults
from support.processes import wait_until

PUBLISHED_S = 15
SLACK_S = 10  # this machine may be busy


@pytest.fixture
def faults(tmp_path):
    return Faults(tmp_path)


def history(fleet, job_id):
    """(runs, crashes, failures) of a hello job's task."""
    row = fleet.db.jobs.find_one({"_id": job_id})["tasks"][0]
    return row["run"], row.get("crashes", 0), row.get("failures", 0)


def doomed_gateway(rig, faults):
    """A gateway beside the fleet's, which answers; what it is to die of may be added now."""
    gateway = rig.start("gateway", env=faults.env())
    wait_until(lambda: is_ready(gateway.url), 60, "a second gateway")
    return gateway


def is_ready(url):
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def post(fleet, url, key, answers=None):
    """A hello job; None where the connection ends without an answer."""
    headers = {"Authorization": f"Bearer {fleet.key}", "Idempotency-Key": key}
    try:
        answer = requests.post(f"{url}/api/v1/debug/hello", json={"sleep_ms": 3}, headers=headers, timeout=30)
    except requests.ConnectionError:
        answer = None
    if answers is not None:
        answers.append(answer)
    return answer


def check_recovered(fleet, key, job_id, since):
    """The job runs by itself in time; the same post again means it, and makes no other."""
    fleet.promised.append(job_id)
    job = fleet.wait_job(job_id, PUBLISHED_S + SLACK_S)
    print(f"done {time.monotonic() - since:.1f} s after the gateway's death")
    assert job["state"] == "succeeded" and history(fleet, job_id) == (1, 0, 0)
    again = post(fleet, fleet.url, key)
    assert again.status_code == 202 and again.json()["task_id"] == job_id
    time.sleep(1)
    assert history(fleet, job_id) == (1, 0, 0), "the repetition does not run it again"


DEATHS = {
    "before-publish": ("amqp_basic_publish", {"about": "mediafleet.hello"}),
    "after-insert": ("mongoc_bulk_operation_execute", {"about": "jobs insert", "when": "after"}),
}


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.fault(5, "gateway killed between insert and publish", "the process kills itself at the call")
def test_death_between_insert_and_publish(rig, faults, death):
    """The client's connection breaks; another gateway publishes within 15 s; the same Idempotency-Key gives that job."""
    fleet, key = rig.fleet, uuid.uuid4().hex
    gateway = doomed_gateway(rig, faults)
    before = {job["_id"] for job in fleet.db.jobs.find({}, {"_id": 1})}
    function, how = DEATHS[death]
    faults.exit_on(function, **how)
    assert post(fleet, gateway.url, key) is None
    since = time.monotonic()
    assert gateway.wait() == -signal.SIGKILL and faults.fired(function) == 1
    (made,) = {job["_id"] for job in fleet.db.jobs.find({}, {"_id": 1})} - before
    check_recovered(fleet, key, made, since)
    assert fleet.db.jobs.count_documents({}) == len(before) + 1


@pytest.mark.fault(5, "gateway killed between the key's record and the job", "the process kills itself at the call")
def test_death_between_record_and_insert(rig, faults):
    """Nothing was promised and nothing runs; the same Idempotency-Key makes the job."""
    fleet, key = rig.fleet, uuid.uuid4().hex
    gateway = doomed_gateway(rig, faults)
    before = fleet.db.jobs.count_documents({})
    faults.exit_on("mongoc_bulk_operation_execute", about="idempotency insert", when="after")
    assert post(fleet, gateway.url, key) is None
    assert gateway.wait() == -signal.SIGKILL and faults.fired("mongoc_bulk_operation_execute") == 1
    assert fleet.db.jobs.count_documents({}) == before
    job_id = fleet.accepted(post(fleet, fleet.url, key))["task_id"]
    assert fleet.wait_job(job_id)["state"] == "succeeded"
    assert post(fleet, fleet.url, key).json()["task_id"] == job_id
    assert fleet.db.jobs.count_documents({}) == before + 1 and history(fleet, job_id) == (1, 0, 0)


@pytest.mark.fault(5, "the only gateway killed with a job that it could not publish", "broker blackhole, SIGKILL, restart")
def test_death_of_the_only_gateway(rig):
    """What was answered 202 runs after the gateway's restart, once."""
    fleet, key = rig.fleet, uuid.uuid4().hex
    rig.broker.blackhole("up")
    answer = post(fleet, fleet.url, key)
    assert answer.status_code == 202 and answer.json()["queued"] is False
    (pid,) = fleet.kill("gateway", signal.SIGKILL)
    processes.wait_gone([pid])
    assert rig.broker.fired["blackhole"] > 0
    rig.broker.reset()  # what was held back dies with its sender
    rig.broker.heal()
    fleet.scale("gateway", 1)
    since = time.monotonic()
    wait_until(lambda: is_ready(fleet.url), 60, "the gateway")
    check_recovered(fleet, key, answer.json()["task_id"], since)


@pytest.mark.fault(5, "gateway killed with posts in flight", "SIGKILL while the store stands still")
def test_death_with_posts_in_flight(rig, faults):
    """Each post again, with its Idempotency-Key, gives one job, whether the first was stored or not."""
    fleet, keys, answers = rig.fleet, [uuid.uuid4().hex for _ in range(20)], []
    gateway = doomed_gateway(rig, faults)
    before = fleet.db.jobs.count_documents({})
    store = rig.service_pid("store")
    processes.stand_still(store)
    threads = [threading.Thread(target=post, args=(fleet, gateway.url, key, answers)) for key in keys]
    for thread in threads:
        thread.start()
    time.sleep(0.5)  # some wait for the store, some behind them
    os.kill(gateway.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    os.kill(store, signal.SIGCONT)
    assert gateway.wait() == -signal.SIGKILL and answers == [None] * len(keys)
    wait_until(lambda: is_ready(fleet.url), 60, "the fleet's gateway")
    ids = [fleet.accepted(post(fleet, fleet.url, key))["task_id"] for key in keys]
    for job_id in ids:
        assert fleet.wait_job(job_id, PUBLISHED_S + SLACK_S)["state"] == "succeeded"
        assert history(fleet, job_id) == (1, 0, 0)
    assert len(set(ids)) == len(keys) == fleet.db.jobs.count_documents({}) - before
