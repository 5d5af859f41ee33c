"""Workers that die, crash or stand still: their tasks run again, their neighbours too, and what a zombie does has no effect."""
import datetime
import os
import signal
import time

import pytest

import stored
from deaths import Standing, begun, endings, events, history, holder, kill, running, said, task
from support import processes
from support.preload import Faults
from support.processes import wait_until

AGAIN_S = 7  # promised are 5 on the same host


def check_stored(fleet, job):
    """Succeeded once, every object tracked, no object of another run, nothing in the workspace."""
    assert (job["state"], job["percent"]) == ("succeeded", 100), job
    assert len(events(fleet, job["id"], "finished")) == 1
    found = stored.check_rows(fleet, job)
    assert job["result"]["files"] == len(found)
    assert not (fleet.workspace / job["id"]).exists()
    assert stored.scene(fleet, job)["status"] == "completed"


def slow(clips, name, parts):
    return {"rate": clips(name).stat().st_size // parts}


@pytest.mark.fault(1, "worker killed while it downloads or transcodes", "kill -9 in the middle of the task")
@pytest.mark.parametrize("kind, clip", [("download", "small.mp4"), ("transcode", "long.mp4")])
def test_worker_killed(rig, clips, kind, clip):
    """Its ticket comes back at once, the free lock proves its death: run 2 begins within 5 s and succeeds."""
    fleet = rig.fleet
    job_id = fleet.store(rig.source.serve_file(clips(clip), **(slow(clips, clip, 4) if kind == "download" else {})))["task_id"]
    kill(fleet, holder(running(fleet, job_id, kind, at_least=5), kind))
    killed = time.monotonic()
    begun(fleet, job_id, kind, 2)
    assert time.monotonic() - killed < AGAIN_S
    check_stored(fleet, fleet.wait_job(job_id, 240))
    assert history(fleet, job_id, kind) == (2, 1, 0)
    assert history(fleet, job_id, "upload") == (1, 0, 0)


@pytest.mark.fault(1, "worker of another host killed", "kill -9, its lock file removed: nothing proves the death")
def test_worker_killed_without_proof(rig):
    """The end of its lease does: run 2 begins within lease + 5 s, and never before the lease has ended."""
    fleet = rig.fleet
    job_id = fleet.hello(sleep_ms=4000)["task_id"]
    job = running(fleet, job_id, "hello", at_least=1)
    (fleet.workspace / ".workers" / task(job, "hello")["worker"]).unlink()
    lease_until = task(fleet.db.jobs.find_one({"_id": job_id}), "hello")["lease_until"]
    kill(fleet, holder(job, "hello"))
    assert fleet.wait_job(job_id, 90)["state"] == "succeeded"
    assert history(fleet, job_id, "hello") == (2, 1, 0)
    crashed, = events(fleet, job_id, "crashed")
    assert crashed["at"] >= lease_until, "never before the lease's end"


@pytest.mark.fault(2, "worker killed in a multipart upload", "S3's answers held back after the first part, kill -9")
def test_worker_killed_in_a_multipart_upload(rig_s3, clips, tmp_path):
    """The next run aborts what the first had begun; the object is whole, no part is left."""
    fleet, client = rig_s3.fleet, stored.s3(rig_s3.fleet)
    file = tmp_path / "big.mp4"
    noise = os.urandom(40 << 20)
    file.write_bytes(clips("small.mp4").read_bytes() + (len(noise) + 8).to_bytes(4, "big") + b"free" + noise)
    rig_s3.s3.latency(0.3, "down")
    job_id = fleet.store(rig_s3.source.serve_file(file))["task_id"]
    upload = wait_until(lambda: multipart_with_parts(client, stored.bucket(fleet)), 120, "the first part")
    rig_s3.s3.blackhole("down")
    assert job_id in upload["Key"]
    kill(fleet, holder(running(fleet, job_id, "upload"), "upload"))
    assert rig_s3.s3.fired["latency"] > 0
    rig_s3.s3.heal()
    check_stored(fleet, fleet.wait_job(job_id, 120))
    assert history(fleet, job_id, "upload") == (2, 1, 0)
    assert client.list_multipart_uploads(Bucket=stored.bucket(fleet)).get("Uploads", []) == []


def multipart_with_parts(client, bucket):
    for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        try:
            parts = client.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        except client.exceptions.NoSuchUpload:
            continue
        if parts.get("Parts"):
            return upload
    return None


# --- poison ---


@pytest.mark.fault(11, "task that crashes its process", "a hello task that kills its process, beside 20 others")
def test_poison_beside_neighbours(rig):
    """After three ends without a word it fails with `worker-crash`; its neighbours run again and succeed."""
    fleet = rig.fleet
    neighbours = [fleet.hello(sleep_ms=3000)["task_id"] for _ in range(20)]
    for job_id in neighbours:
        running(fleet, job_id, "hello")
    first = holder(fleet.job(neighbours[0]), "hello")
    poison = fleet.hello(fail="crash")["task_id"]
    job = fleet.wait_job(poison, 120)
    assert endings(fleet, first) == ["signal 9"]
    assert (job["state"], job["percent"], job["error"]["code"]) == ("failed", 100, "worker-crash")
    assert history(fleet, poison, "hello") == (3, 3, 0)
    for job_id in neighbours:
        assert fleet.wait_job(job_id, 180)["state"] == "succeeded"
        runs, crashes, failures = history(fleet, job_id, "hello")
        assert crashes < 3 and failures == 0 and runs == crashes + 1
    assert sum(history(fleet, job_id, "hello")[1] for job_id in neighbours) > 0, "some shared its process"


@pytest.mark.fault(11, "decoder that crashes", "SIGSEGV to the transcoder's process, in the middle, three times")
def test_decoder_crashes(rig, clips):
    """Its supervisor starts another each time; the third crash fails the job; the neighbouring process goes on."""
    fleet = rig.fleet
    fleet.scale("transcode", 0)
    try:
        options = fleet_sanitizer_options(rig) + ":handle_segv=0"
        own = rig.start("transcode", env={"MEDIAFLEET_PROCESSES": "2", "ASAN_OPTIONS": options})
        neighbour = fleet.store(rig.source.serve_file(clips("long.mp4")))["task_id"]
        running(fleet, neighbour, "transcode")
        culprit = fleet.store(rig.source.serve_file(clips("long.mp4")))["task_id"]
        for crash in range(3):
            job = begun(fleet, culprit, "transcode", crash + 1, 120)
            assert holder(job, "transcode") in processes.children(own.pid)
            kill(fleet, holder(job, "transcode"), signal.SIGSEGV)
        job = fleet.wait_job(culprit, 120)
        assert (job["state"], job["percent"], job["error"]["code"]) == ("failed", 100, "worker-crash")
        assert history(fleet, culprit, "transcode") == (3, 3, 0)
        check_stored(fleet, fleet.wait_job(neighbour, 240))
        assert history(fleet, neighbour, "transcode") == (1, 0, 0)
        assert processes.alive(own.pid)
    finally:
        own.end()
        fleet.scale("transcode", 1)


def fleet_sanitizer_options(rig):
    words = [word for word in rig.fleet.options if word.startswith("ASAN_OPTIONS=")]
    return words[-1].partition("=")[2]


@pytest.mark.fault(11, "downloads beside a crash", "kill -9 of a process with 12 downloads")
def test_downloads_beside_a_crash(rig, clips):
    """Those that shared the process all run again; none is kept waiting until the others have ended."""
    fleet = rig.fleet
    behaviour = slow(clips, "small.mp4", 12)
    jobs = [fleet.store(rig.source.serve_file(clips("small.mp4"), **behaviour))["task_id"] for _ in range(12)]
    for job_id in jobs:
        job = running(fleet, job_id, "download")
    kill(fleet, holder(job, "download"))
    for job_id in jobs:
        begun(fleet, job_id, "download", 2)
    assert [task(fleet.job(job_id), "download")["state"] for job_id in jobs].count("running") > 6, "side by side"
    for job_id in jobs:
        check_stored(fleet, fleet.wait_job(job_id, 240))
        assert history(fleet, job_id, "download") == (2, 1, 0)


# --- zombies ---

LOST_S = 10  # a second or two until the pulse after its wake


def check_zombie(fleet, job_id, name, first, before):
    """It notices at once, has had no effect and lives on: the next task may be its."""
    wait_until(lambda: said(fleet, "task-lost", job=job_id), LOST_S, "the zombie to notice")
    assert fleet.db.jobs.find_one({"_id": job_id}) == before
    assert history(fleet, job_id, name) == (2, 1, 0)
    assert processes.alive(first)
    wait_until(lambda: not (fleet.workspace / job_id).exists(), 20, "the zombie to remove what it had made")


@pytest.mark.fault(7, "worker that stands still past its lease", "SIGSTOP until another has ended the job, SIGCONT")
@pytest.mark.parametrize("kind, clip", [("hello", None), ("download", "small.mp4"), ("transcode", "long.mp4")])
def test_zombie(rig, clips, kind, clip):
    """Another worker finishes as run 2; the zombie has no effect and removes its own directory."""
    fleet = rig.fleet
    fleet.scale(kind, 2)
    try:
        behaviour = {"rate": [clips(clip).stat().st_size // 120, None]} if kind == "download" else {}
        job_id = (fleet.hello(sleep_ms=3000) if kind == "hello" else
                  fleet.store(rig.source.serve_file(clips(clip), **behaviour)))["task_id"]
        first = holder(running(fleet, job_id, kind, at_least=1), kind)
        with Standing(first):
            job = fleet.wait_job(job_id, 240)
            before = fleet.db.jobs.find_one({"_id": job_id})
        assert job["state"] == "succeeded" and holder(job, kind) != first
        check_zombie(fleet, job_id, kind, first, before)
        if kind != "hello":
            check_stored(fleet, job)
    finally:
        fleet.scale(kind, 1)


@pytest.mark.fault(7, "worker that stands still until another has begun", "SIGSTOP, SIGCONT in the middle of run 2")
def test_zombie_beside_its_heir(rig):
    """What the zombie says of its run ends neither the task nor the lease of run 2, which goes on to its own end."""
    fleet = rig.fleet
    fleet.scale("hello", 2)
    try:
        job_id = fleet.hello(sleep_ms=8000)["task_id"]
        first = holder(running(fleet, job_id, "hello", at_least=1), "hello")
        with Standing(first):
            assert holder(begun(fleet, job_id, "hello", 2), "hello") != first
        wait_until(lambda: said(fleet, "task-lost", job=job_id), LOST_S, "the zombie to notice")
        assert task(fleet.job(job_id), "hello")["state"] == "running"
        assert fleet.wait_job(job_id, 60)["state"] == "succeeded"
        claimed, succeeded = events(fleet, job_id, "claimed", "succeeded")[1:]
        assert (succeeded["at"] - claimed["at"]).total_seconds() > 7.9
        assert history(fleet, job_id, "hello") == (2, 1, 0) and processes.alive(first)
    finally:
        fleet.scale("hello", 1)


def held_at_mkdir(rig, kind, clip, faults):
    """A worker of that kind, the only one, that cannot make its directory, and the job that waits for it."""
    worker = rig.start(kind, env=faults.env())
    wait_until(lambda: '"store-connected"' in worker.log(), 30, "the worker")
    faults.spin("mkdir")
    job_id = rig.fleet.store(rig.source.serve_file(clip))["task_id"]
    running(rig.fleet, job_id, kind)
    wait_until(lambda: faults.fired("mkdir") > 0, 30, "the call")
    return worker, job_id


@pytest.mark.fault(7, "worker that stands still before it has made its directory", "mkdir held back, SIGSTOP, SIGCONT")
def test_zombie_without_a_directory(rig, clips, tmp_path):
    """The job has ended and its directory is gone when it wakes: the one that it then makes does not stay, either."""
    fleet, faults = rig.fleet, Faults(tmp_path)
    fleet.scale("download", 0)
    try:
        zombie, job_id = held_at_mkdir(rig, "download", clips("small.mp4"), faults)
        with Standing(zombie.child()):
            heir = rig.start("download")
            job = fleet.wait_job(job_id, 120)
            assert holder(job, "download") == heir.child() and not (fleet.workspace / job_id).exists()
            faults.clear()
        wait_until(lambda: said(fleet, "task-lost", job=job_id), LOST_S, "the zombie to notice")
        wait_until(lambda: not (fleet.workspace / job_id).exists(), 10, "the zombie to remove what it had made")
        check_stored(fleet, job)
    finally:
        for program in rig.programs:
            program.end()
        fleet.scale("download", 1)


@pytest.mark.fault(7, "worker that stands still for 90 s", "SIGSTOP, SIGCONT; leases of 30 s as by default")
def test_zombies_of_default_leases(make_rig, clips):
    """Another worker finishes as run 2; the zombies have no effect and remove their own directories."""
    rig = make_rig("zombies", settings={"MEDIAFLEET_LEASE_S": 30})
    fleet = rig.fleet
    for kind in ("hello", "download", "transcode"):
        fleet.scale(kind, 2)
    jobs = {"hello": fleet.hello(sleep_ms=5000)["task_id"],
            "download": fleet.store(rig.source.serve_file(clips("small.mp4"), **slow(clips, "small.mp4", 8)))["task_id"],
            "transcode": fleet.store(rig.source.serve_file(clips("long.mp4")))["task_id"]}
    first = {}
    with Standing(at_least=90) as standing:
        for kind, job_id in jobs.items():
            first[kind] = holder(running(fleet, job_id, kind, at_least=1), kind)
            standing.stop(first[kind])
        before = {}
        for kind, job_id in jobs.items():
            assert fleet.wait_job(job_id, 240)["state"] == "succeeded"
            before[kind] = fleet.db.jobs.find_one({"_id": job_id})
    for kind, job_id in jobs.items():
        check_zombie(fleet, job_id, kind, first[kind], before[kind])


@pytest.mark.fault(7, "optional task that lasts longer than it is waited for", "mkdir held back; the time to wait ends early, in the store")
def test_optional_task_that_is_not_waited_for(rig, clips, tmp_path):
    """The job ends without it; its living worker renews no lease any more, and leaves neither a word nor a directory."""
    fleet, faults = rig.fleet, Faults(tmp_path)
    fleet.scale("thumbnail", 0)
    try:
        slow_one, job_id = held_at_mkdir(rig, "thumbnail", clips("small.mp4"), faults)
        stop_waiting(fleet, job_id)
        job = fleet.wait_job(job_id, 60)
        assert job["state"] == "succeeded"
        assert (task(job, "thumbnail")["state"], task(job, "thumbnail")["error"]["code"]) == ("cancelled", "skipped")
        before = fleet.db.jobs.find_one({"_id": job_id})
        time.sleep(4)  # a few pulses
        assert fleet.db.jobs.find_one({"_id": job_id}) == before
        faults.clear()
        wait_until(lambda: said(fleet, "task-lost", job=job_id), LOST_S, "its worker to end")
        wait_until(lambda: not (fleet.workspace / job_id).exists(), 20, "an empty workspace")
        assert fleet.db.jobs.find_one({"_id": job_id}) == before and processes.alive(slow_one.child())
    finally:
        for program in rig.programs:
            program.end()
        fleet.scale("thumbnail", 1)


def stop_waiting(fleet, job_id):
    """As if the minute had passed for which the upload waits for optional tasks."""
    def waits():
        tasks = fleet.db.jobs.find_one({"_id": job_id})["tasks"]
        return next((n for n, one in enumerate(tasks) if one["name"] == "upload" and one.get("due_at")), None)

    index = wait_until(waits, 60, "the upload to wait")
    now = datetime.datetime.now(datetime.timezone.utc)
    fleet.db.jobs.update_one({"_id": job_id}, {"$set": {f"tasks.{index}.due_at": now, "alarm_at": now}, "$inc": {"rev": 1}})
