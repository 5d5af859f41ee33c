"""mediafleetctl cleanup: what nobody needs any more goes, what belongs to a living job stays, twice at once does no harm."""
import datetime
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest

import stored
from support.processes import wait_until
from support.source import Source

UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"  # of a job that nobody has heard of
OID = "64b000000000000000000001"
AGE_S = 3600
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(params=["local", "s3"])
def place(request, make_fleet):
    """A fleet whose second cleanups come soon, so that a second is old."""
    options = ["--s3"] if request.param == "s3" else []
    return make_fleet(f"cron-{request.param}", *options, settings={"MEDIAFLEET_TOMBSTONE_S": "1"})


def start(fleet, *arguments, key=None):
    env = {"MEDIAFLEET_URL": fleet.url, "MEDIAFLEET_API_KEY": key or fleet.admin_key}
    return subprocess.Popen([fleet.bin / "mediafleetctl", "cleanup", "--older-than", "1s", *arguments], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process, code=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, out, err)
    return out


def cleanup(fleet, *arguments):
    """The result of a run that went well, with zeros for what is not told."""
    lines = finish(start(fleet, *arguments, "--json")).splitlines()
    told = json.loads(lines[-1])["result"]
    names = ("directories", "uploads", "deleted", "forgotten", "expired_jobs", "living", "failed")
    return dict.fromkeys(names, 0) | {name: value for name, value in told.items() if name in names}


def key_of(job, name):
    return f"projects/p/scenes/{OID}/{job}/hls/{name}"


def put(fleet, key):
    if fleet.media_root is None:
        stored.s3(fleet).put_object(Bucket=stored.bucket(fleet), Key=key, Body=b"data")
        return
    file = fleet.media_root / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"data")


def row(fleet, key, job, state, age=HOUR):
    """The object and a row that says so."""
    backend = "local" if fleet.media_root else "s3"
    at = fleet.db.command("isMaster")["localTime"] - age
    put(fleet, key)
    fleet.db.r2_file_paths.insert_one({
        "_id": hashlib.sha256(f"{backend}\n{key}".encode()).hexdigest(), "object_key": key, "size_bytes": 4, "state": state,
        "tenant": "main", "project_id": "p", "job": job, "backend": backend, "created_at": at, "updated_at": at})


def directory(fleet, job, age_s=AGE_S):
    """As a run leaves it."""
    run = fleet.workspace / job / "download.1"
    run.mkdir(parents=True)
    (run / "source.mp4").write_bytes(b"data")
    for path in (run, run.parent):
        os.utime(path, (time.time() - age_s,) * 2)


def begin_upload(fleet, key):
    """A multipart upload that nobody will complete; of files: a temporary one without a writer."""
    if fleet.media_root is None:
        stored.s3(fleet).create_multipart_upload(Bucket=stored.bucket(fleet), Key=key)
        return
    folder = fleet.media_root / ".tmp"
    folder.mkdir(exist_ok=True)
    file = folder / hashlib.sha256(key.encode()).hexdigest()[:32]
    file.write_bytes(b"half")
    os.utime(file, (time.time() - AGE_S,) * 2)


def uploads(fleet):
    if fleet.media_root is None:
        return {one["Key"] for one in stored.s3(fleet).list_multipart_uploads(Bucket=stored.bucket(fleet)).get("Uploads", [])}
    return {file.name for file in (fleet.media_root / ".tmp").iterdir()}


def leave(fleet, job, count=1):
    """What a job that died leaves: rows of both sorts with their objects, a directory, an upload."""
    for i in range(count):
        row(fleet, key_of(job, f"pending{i}.m4s"), job, "pending")
        row(fleet, key_of(job, f"deleting{i}.m4s"), job, "deleting")
    directory(fleet, job)
    begin_upload(fleet, key_of(job, "begun.m4s"))


def objects(fleet):
    return {key for key in stored.objects(fleet) if not key.startswith(".tmp/")}


@pytest.fixture
def alive(place):
    """A job that runs as long as the test, and what it has just now: old, all of it."""
    job = place.hello(sleep_ms=600000)["task_id"]
    leave(place, job)
    yield job
    place.post(f"/api/v1/jobs/{job}/cancel")
    place.wait_job(job, 60)


def test_cleanup(place, alive):
    ended = place.wait_job(place.hello()["task_id"], 60)["id"]
    source = Source(place.source_ports[0])
    failed = place.wait_job(place.store(source.serve(status=404), "p")["task_id"], 60)
    source.close()
    assert failed["state"] == "failed"
    s3 = place.media_root is None
    for job in (ended, UNKNOWN):
        leave(place, job)
    row(place, key_of(failed["id"], "stored.m4s"), failed["id"], "stored")  # its cleanup failed, too
    row(place, key_of(UNKNOWN, "kept.m4s"), UNKNOWN, "stored")  # media of a job whose record has expired
    row(place, key_of(UNKNOWN, "young.m4s"), UNKNOWN, "pending", age=-HOUR)
    young = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
    directory(place, young, age_s=-AGE_S)
    (place.workspace / "of-somebody-else").mkdir()
    if s3:
        begin_upload(place, "other/film.mp4")
    old = place.db.jobs.find_one({"_id": ended})
    place.db.jobs.insert_one(old | {"_id": "01ARZ3NDEKTSV4RRFFQ69G5FAW", "expires_at": old["created_at"] - HOUR})
    kept = {key_of(alive, "pending0.m4s"), key_of(alive, "deleting0.m4s"), key_of(UNKNOWN, "kept.m4s"),
            key_of(UNKNOWN, "young.m4s")}
    time.sleep(2.5)  # all of it is older than a second then

    before = objects(place)
    told = cleanup(place, "--dry-run")
    assert objects(place) == before and len(stored.rows(place)) == len(before)
    # A local file has no key: the dead lock of a living job's is as dead as any.
    dead = 2 if s3 else 3
    expected = {"directories": 2, "uploads": dead, "deleted": 5, "forgotten": 5, "failed": 0}
    assert told | expected == told, told
    assert place.db.audit.find_one({"action": "storage.expire"}) is None

    told = cleanup(place)
    assert told | expected == told, told
    assert objects(place) == kept == set(stored.rows(place))
    assert {entry.name for entry in place.workspace.iterdir() if not entry.name.startswith(".")} == {
        alive, young, "of-somebody-else"}
    assert (place.workspace / alive / "download.1/source.mp4").exists()
    assert uploads(place) == ({key_of(alive, "begun.m4s"), "other/film.mp4"} if s3 else set())
    assert place.db.jobs.find_one({"_id": "01ARZ3NDEKTSV4RRFFQ69G5FAW"}) is None
    assert place.db.jobs.find_one({"_id": ended}) is not None
    assert place.db.bucket_usage_days.find_one()["object_count"] == len(kept)
    line = place.db.audit.find_one({"action": "storage.expire"})
    assert line["by"] and line["counts"]["forgotten"] == 5

    told = cleanup(place)
    assert not any(told[name] for name in ("directories", "uploads", "deleted", "forgotten", "expired_jobs", "failed")), told
    printed = finish(start(place))
    assert "left alone" in printed and "failed         0" in printed
    finish(start(place, key=place.key), code=4)  # an operator may not


def test_two_at_once(place, alive):
    """They race for the same rows, objects and directories: both end well, all of it is gone, the living job's is not."""
    many = [f"01ARZ3NDEKTSV4RRFFQ69G5F{i:02d}" for i in range(20)]
    for job in many:
        leave(place, job, 10)
    time.sleep(2.5)
    for process in [start(place) for _ in range(3)]:
        finish(process)
    assert objects(place) == {key_of(alive, "pending0.m4s"), key_of(alive, "deleting0.m4s")} == set(stored.rows(place))
    assert [entry.name for entry in place.workspace.iterdir() if not entry.name.startswith(".")] == [alive]


def test_killed_on_the_way(make_fleet):
    """The worker dies while it waits for the bucket: the next run ends what is left, and the exit status knows nothing of it."""
    place = make_fleet("cron-killed", "--s3", settings={"MEDIAFLEET_TOMBSTONE_S": "1", "MEDIAFLEET_LEASE_S": "5"})
    leave(place, UNKNOWN, 300)
    time.sleep(2.5)
    with stored.Stopped(stored.s3_pid(place)):
        process = start(place)
        wait_until(lambda: place.db.jobs.find_one({"recipe": "storage.expire", "tasks.state": "running"}), 60, "its run")
        assert place.kill("storage", signal.SIGKILL)
    out = finish(process)
    assert "failed         0" in out
    assert objects(place) == set() == set(stored.rows(place)) and not uploads(place)
    job = place.db.jobs.find_one({"recipe": "storage.expire"})
    assert job["tasks"][0]["crashes"] == 1 and job["state"] == "succeeded"
    assert place.db.audit.count_documents({"action": "storage.expire"}) == 1
