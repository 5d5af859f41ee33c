"""Whatever dies in between: a job that was answered with 202 ends, its effects happen once, and nothing is left over."""
import os
import signal
import time

import pytest

import stored
from stored import Stopped, s3_pid
from support import processes
from support.processes import wait_until
from support.source import Source


@pytest.fixture
def serve(clips):
    """serve(fleet, name) -> URL of a clip."""
    sources = []

    def start(fleet, name="small.mp4"):
        sources.append(Source(fleet.source_ports[len(sources)]))
        return sources[-1].serve_file(clips(name))

    yield start
    for source in sources:
        source.close()


def task(job, name):
    return next(one for one in job["tasks"] if one["name"] == name)


def running(fleet, job_id, name, at_least=0):
    """Waits until that task runs and has come so far."""
    return fleet.wait_job(job_id, 120, until=lambda job: task(job, name)["state"] == "running" and
                          task(job, name)["percent"] >= at_least)


def pid_of(worker):
    """Of a worker's id: host.kind.pid.start."""
    return int(worker.rsplit(".", 2)[1])


def kill_holder(job, name):
    pid = pid_of(task(job, name)["worker"])
    os.kill(pid, signal.SIGKILL)
    processes.wait_gone([pid])


def history(fleet, job_id, name):
    """(runs, crashes, failures) of a task."""
    row = task(fleet.db.jobs.find_one({"_id": job_id}), name)
    return row["run"], row.get("crashes", 0), row.get("failures", 0)


def check_stored(fleet, job):
    """Succeeded, every object tracked, no object of another run, nothing in the workspace."""
    assert (job["state"], job["percent"]) == ("succeeded", 100), job
    assert [line["event"] for line in job["log"]].count("finished") == 1
    found = stored.check_rows(fleet, job)
    assert job["result"]["files"] == len(found)
    assert stored.objects(fleet).keys() == {key for key, row in stored.rows(fleet).items() if row["state"] == "stored"}
    assert not (fleet.workspace / job["id"]).exists()
    assert stored.scene(fleet, job)["status"] == "completed"


@pytest.mark.parametrize("kind, clip", [("download", "small.mp4"), ("transcode", "hd.mp4")])
def test_kill_worker(fleet, clips, kind, clip):
    """kill -9 in the middle of its task: another process runs it again, the crash is counted, the effects are single."""
    source = Source(fleet.source_ports[0])
    try:
        slow = {"rate": clips(clip).stat().st_size // 4} if kind == "download" else {}
        job_id = fleet.store(source.serve_file(clips(clip), **slow))["task_id"]
        kill_holder(running(fleet, job_id, kind, at_least=5), kind)
        job = fleet.wait_job(job_id, 240)
    finally:
        source.close()
    check_stored(fleet, job)
    assert history(fleet, job_id, kind) == (2, 1, 0)
    assert history(fleet, job_id, "upload") == (1, 0, 0)
    assert {"taken-over", "crashed"} & {line["event"] for line in job["log"]}


def test_kill_upload(fleet_s3, clips, tmp_path):
    """kill -9 in the middle of an upload (the server stands still, so that it is the middle): the next run ends what the
    first had begun, including its open multipart upload; every object is there once."""
    fleet = fleet_s3
    file = tmp_path / "big.mp4"
    noise = os.urandom(24 << 20)
    file.write_bytes(clips("small.mp4").read_bytes() + (len(noise) + 8).to_bytes(4, "big") + b"free" + noise)
    source = Source(fleet.source_ports[0])
    try:
        job_id = fleet.store(source.serve_file(file))["task_id"]
        wait_until(lambda: stored.rows(fleet, job=job_id), 120, "the first rows")
        with Stopped(s3_pid(fleet)):
            assert "pending" in {row["state"] for row in stored.rows(fleet, job=job_id).values()}, "in the middle"
            kill_holder(running(fleet, job_id, "upload"), "upload")
        job = fleet.wait_job(job_id, 120)
    finally:
        source.close()
    check_stored(fleet, job)
    assert history(fleet, job_id, "upload") == (2, 1, 0)
    assert stored.s3(fleet).list_multipart_uploads(Bucket=stored.bucket(fleet)).get("Uploads", []) == []


def test_kill_worker_that_left_no_proof(make_fleet):
    """Without the lock's file nobody can prove the death: the end of the lease does."""
    fleet = make_fleet("lease", settings={"MEDIAFLEET_LEASE_S": 5})
    job_id = fleet.hello(sleep_ms=4000)["task_id"]
    job = running(fleet, job_id, "hello", at_least=1)
    worker = task(job, "hello")["worker"]
    (fleet.workspace / ".workers" / worker).unlink()
    kill_holder(job, "hello")
    job = fleet.wait_job(job_id, 90)
    assert job["state"] == "succeeded"
    assert history(fleet, job_id, "hello") == (2, 1, 0)
    log = fleet.db.jobs.find_one({"_id": job_id})["log"]
    crashed = next(line for line in log if line["event"] == "crashed")
    claimed = next(line for line in log if line["event"] == "claimed")
    assert (crashed["at"] - claimed["at"]).total_seconds() > 4.9, "never before the lease's end"


def test_kill_supervisor_and_all(fleet):
    """The whole program dies: started again it goes on."""
    job_id = fleet.hello(sleep_ms=3000)["task_id"]
    job = running(fleet, job_id, "hello")
    (supervisor,) = fleet.program_pids("hello")
    for pid in (supervisor, pid_of(task(job, "hello")["worker"])):
        os.kill(pid, signal.SIGKILL)
    fleet.scale("hello", 1)
    job = fleet.wait_job(job_id, 60)
    assert job["state"] == "succeeded" and history(fleet, job_id, "hello") == (2, 1, 0)


def kill_gateway(fleet):
    pids = fleet.kill("gateway", signal.SIGKILL)
    processes.wait_gone(pids)


def test_kill_gateway_between_insert_and_publish(make_fleet):
    """The job was stored and its ticket never sent: whoever reconciles next sends it."""
    fleet = make_fleet("insert")
    fleet.services("down", "rabbitmq")
    answer = fleet.post("/api/v1/debug/hello", {})
    assert answer.status_code == 202, "accepted is what is stored"
    assert answer.json()["queued"] is False
    kill_gateway(fleet)
    fleet.services("up", "rabbitmq")
    fleet.scale("gateway", 1)
    job = fleet.wait_job(answer.json()["task_id"], 90)
    assert job["state"] == "succeeded" and history(fleet, job["id"], "hello") == (1, 0, 0)


def test_kill_the_only_reconciler(make_fleet):
    """A retry comes due while no gateway lives: the next one sends it."""
    fleet = make_fleet("reconciler")
    job_id = fleet.hello(fail="transient")["task_id"]
    fleet.wait_job(job_id, until=lambda job: job["phase"] == "retrying")
    kill_gateway(fleet)
    time.sleep(8)  # past the due time
    assert history(fleet, job_id, "hello") == (1, 0, 1), "nobody else did it"
    fleet.scale("gateway", 1)
    fleet.wait_job(job_id, 30, until=lambda job: job["tasks"][0]["attempt"] == 3)
    assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    assert fleet.wait_job(job_id)["percent"] == 100


def test_restart_broker(make_fleet, serve):
    """Tickets are hints: a broker that forgets the connections of running tasks changes nothing."""
    fleet = make_fleet("broker")
    sleeping = fleet.hello(sleep_ms=12000)["task_id"]
    storing = fleet.store(serve(fleet, "hd.mp4"))["task_id"]
    running(fleet, sleeping, "hello")
    running(fleet, storing, "transcode")
    fleet.services("restart", "rabbitmq")
    job = fleet.wait_job(sleeping, 120)
    assert job["state"] == "succeeded" and history(fleet, sleeping, "hello") == (1, 0, 0)
    check_stored(fleet, fleet.wait_job(storing, 240))
    assert history(fleet, storing, "transcode") == (1, 0, 0)


def test_drain_hands_back(make_fleet):
    """SIGTERM: what does not end in the drain time goes back to the queue, counted neither as failure nor as crash."""
    fleet = make_fleet("drain", settings={"MEDIAFLEET_DRAIN_S": 1})
    job_id = fleet.hello(sleep_ms=15000)["task_id"]
    running(fleet, job_id, "hello", at_least=1)
    fleet.scale("hello", 0)
    stored_task = task(fleet.db.jobs.find_one({"_id": job_id}), "hello")
    assert stored_task["state"] == "queued"
    fleet.scale("hello", 1)
    job = fleet.wait_job(job_id, 60)
    assert job["state"] == "succeeded" and history(fleet, job_id, "hello") == (2, 0, 0)
    assert "released" in [line["event"] for line in job["log"]]


@pytest.fixture
def twins(make_fleet):
    """Two of each, short leases."""
    fleet = make_fleet("zombie", settings={"MEDIAFLEET_LEASE_S": 5})
    for kind in ("hello", "transcode"):
        fleet.scale(kind, 2)
    return fleet


def test_stopped_worker_comes_back(twins):
    """A process that stood still past its lease is a zombie: what it says then has no effect."""
    job_id = twins.hello(sleep_ms=3000)["task_id"]
    job = running(twins, job_id, "hello")
    first = task(job, "hello")["worker"]
    with Stopped(pid_of(first)):
        job = twins.wait_job(job_id, 60)
        assert job["state"] == "succeeded" and task(job, "hello")["worker"] != first
    before = twins.db.jobs.find_one({"_id": job_id})
    time.sleep(3)  # in which it would settle
    assert twins.db.jobs.find_one({"_id": job_id}) == before
    assert history(twins, job_id, "hello") == (2, 1, 0)
    assert processes.alive(pid_of(first))


def test_stopped_transcoder_comes_back(twins, serve):
    """Nor does it bring back files of a job that has ended without it."""
    job_id = twins.store(serve(twins, "hd.mp4"))["task_id"]
    first = pid_of(task(running(twins, job_id, "transcode", at_least=5), "transcode")["worker"])
    with Stopped(first):
        job = twins.wait_job(job_id, 120)
    time.sleep(5)  # in which it notices
    check_stored(twins, job)
    assert history(twins, job_id, "transcode") == (2, 1, 0)
    assert processes.alive(first) and twins.job_directories() == []
