"""Programs that die between a write to the store and what follows it: the ticket, its confirm, its acknowledgement."""
import signal
import uuid

import pytest
import requests

import stored
from support.preload import Faults
from support.processes import wait_until

BULK = "mongoc_bulk_operation_execute"


@pytest.fixture
def faults(rig, tmp_path):
    return Faults(tmp_path)


@pytest.fixture
def worker(rig, faults):
    """The only hello worker."""
    rig.fleet.scale("hello", 0)
    yield rig.start("hello", env=faults.env())
    rig.fleet.scale("hello", 1)


@pytest.fixture
def gateway(rig, faults):
    """A gateway beside the fleet's, which reconciles, too."""
    program = rig.start("gateway", env=faults.env())
    wait_until(lambda: answers(rig, program), 30, "the gateway")
    return program


def answers(rig, program):
    try:
        return rig.fleet.get(f"{program.url}/healthz").status_code == 200
    except OSError:
        return False


def task(rig, job_id):
    return rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"][0]


def events(job, event):
    return [line for line in job["log"] if line["event"] == event]


def killed_child(program):
    return f'"how":"signal {signal.SIGKILL:d}"' in program.log()


@pytest.mark.fault(3, "worker dies between the write of its result and the ack", "SIGKILL at the first amqp_basic_ack")
def test_death_between_result_and_ack(rig, faults, worker):
    """the redelivered ticket finds an ended job: one run, one result"""
    faults.exit_on("amqp_basic_ack")
    job = rig.fleet.wait_job(rig.fleet.hello()["task_id"])
    wait_until(lambda: killed_child(worker), 20, "the death of the worker")
    assert faults.fired("amqp_basic_ack") == 1
    after = rig.fleet.hello()["task_id"]  # behind the ticket that comes again
    assert rig.fleet.wait_job(after)["state"] == "succeeded"
    same = rig.fleet.job(job["id"])
    assert (job["state"], same["state"], same["log"]) == ("succeeded", "succeeded", job["log"])
    assert (task(rig, job["id"])["run"], task(rig, job["id"]).get("crashes", 0)) == (1, 0)


@pytest.mark.fault(4, "worker dies between the settle of a failed run and the ack", "SIGKILL at the first amqp_basic_ack")
def test_death_between_failure_and_ack(rig, faults, worker):
    """the redelivered ticket is early and dropped; the retry comes when it is due, each failure is counted once"""
    faults.exit_on("amqp_basic_ack")
    job_id = rig.fleet.hello(fail="transient")["task_id"]
    wait_until(lambda: killed_child(worker), 30, "the death of the worker")
    assert faults.fired("amqp_basic_ack") == 1
    first = task(rig, job_id)
    assert (first["run"], first["failures"], first.get("crashes", 0)) == (1, 1, 0)
    rig.fleet.wait_job(job_id, 60, until=lambda job: task(rig, job_id)["failures"] == 2)
    second = task(rig, job_id)
    assert (second["run"], second.get("crashes", 0)) == (2, 0)
    assert rig.fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code in (200, 202)
    assert rig.fleet.wait_job(job_id)["state"] == "cancelled"


@pytest.mark.fault(5, "gateway dies between the insert of a job and its ticket", "SIGKILL after the insert")
def test_death_between_insert_and_publish(rig, faults, gateway):
    """the client's connection is reset, the reconciler publishes the job; the same Idempotency-Key gives the same job"""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    jobs = rig.fleet.db.jobs.count_documents({})
    faults.exit_on(BULK, about="jobs insert", when="after")
    with pytest.raises(requests.ConnectionError):
        rig.fleet.post(f"{gateway.url}/api/v1/debug/hello", {}, headers=headers)
    assert (gateway.wait(), faults.fired(BULK)) == (-signal.SIGKILL, 1)
    answer = rig.fleet.post("/api/v1/debug/hello", {}, headers=headers)
    job = rig.fleet.wait_job(rig.fleet.accepted(answer)["task_id"])
    assert job["state"] == "succeeded"
    assert rig.fleet.db.jobs.count_documents({}) == jobs + 1


@pytest.mark.fault(6, "worker dies between a settle and the tickets that follow, or before their confirm",
                   "SIGKILL before and after amqp_basic_publish")
@pytest.mark.parametrize("when", ["before", "after"])
def test_death_around_publish(rig, faults, clips, when):
    """the next tasks run once, whether or not their tickets came; the download is not done again"""
    rig.fleet.scale("download", 0)
    worker = rig.start("download", env=faults.env())
    url = rig.source.serve_file(clips("picture.jpg"), "picture.jpg", content_type="image/jpeg")
    try:
        rig.fleet.wait_job(rig.fleet.store(url)["task_id"], 120)  # from then on its publisher is connected
        faults.exit_on("amqp_basic_publish", when=when)
        job_id = rig.fleet.store(url)["task_id"]
        job = rig.fleet.wait_job(job_id, 120)
    finally:
        rig.fleet.scale("download", 1)
    assert faults.fired("amqp_basic_publish") == 1 and killed_child(worker)
    assert job["state"] == "succeeded", job
    tasks = rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"]
    assert {one["run"] for one in tasks if one["state"] == "succeeded"} == {1}, tasks
    stored.check_rows(rig.fleet, job)


@pytest.mark.fault(6, "gateway dies between publish and confirm", "the broker's answers held back, then SIGKILL")
def test_death_between_publish_and_confirm(rig, faults, gateway):
    """the job runs once, whether or not the reconciler publishes its ticket again"""
    rig.fleet.scale("hello", 0)
    try:
        before = rig.broker.fired["blackhole"]
        rig.broker.blackhole("down")
        answer = rig.fleet.accepted(rig.fleet.post(f"{gateway.url}/api/v1/debug/hello", {}))
        wait_until(lambda: rig.broker.fired["blackhole"] > before, 10, "a confirm that is held back")
        gateway.process.kill()
        assert gateway.wait() == -signal.SIGKILL
        rig.broker.heal()
    finally:
        rig.fleet.scale("hello", 1)
    job = rig.fleet.wait_job(answer["task_id"])
    assert (job["state"], task(rig, job["id"])["run"]) == ("succeeded", 1)
    assert len(events(job, "succeeded")) == 1
