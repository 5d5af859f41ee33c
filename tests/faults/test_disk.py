"""Disks that are full, that fail, and that say they wrote what they did not write."""
import errno
import os

import pytest

import stored
from support.preload import Faults
from support.processes import wait_until

PLENTY = 1 << 40


@pytest.fixture
def faults(tmp_path):
    return Faults(tmp_path)


@pytest.fixture
def alone(rig):
    """alone(kind, env=…, wrap=…): the only worker of its kind."""
    kinds = []

    def start(kind, **options):
        rig.fleet.scale(kind, 0)
        kinds.append(kind)
        return rig.start(kind, **options)

    yield start
    for kind in kinds:
        rig.fleet.scale(kind, 1)


def task(rig, job_id, name):
    return next(one for one in rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"] if one["name"] == name)


def log_of(rig, job_id, event):
    return [line for line in rig.fleet.job(job_id)["log"] if line["event"] == event]


def worker_state(rig, kind):
    """Of the only live worker of a kind, as the API tells it."""
    workers = rig.fleet.get("/api/v1/workers", key=rig.fleet.admin_key).json()["workers"]
    return {worker["state"] for worker in workers if worker["kind"] == kind} - {"offline"}


def check_stored(rig, job):
    assert (job["state"], job["percent"]) == ("succeeded", 100), job
    stored.check_rows(rig.fleet, job)


@pytest.mark.fault(40, "disk of the workspace full", "a tmpfs with 1 MB of room as the workspace of a downloader")
def test_disk_full(rig, alone, clips):
    """disk-full, tried again; nothing of the partial file is left; with room the job succeeds"""
    url = rig.source.serve_file(clips("hd.mp4"), length="none")
    mount = ('mount -t tmpfs -o size=8m none "$MEDIAFLEET_WORKSPACE" && '
             'head -c 7M /dev/zero >"$MEDIAFLEET_WORKSPACE/.full" && exec "$0" "$@"')
    worker = alone("download", wrap=("unshare", "-Urm", "sh", "-c", mount), env={"MEDIAFLEET_MIN_FREE_BYTES": "0"})
    job_id = rig.fleet.store(url)["task_id"]
    rig.fleet.wait_job(job_id, 60, until=lambda job: task(rig, job_id, "download").get("failures", 0) == 1)
    assert task(rig, job_id, "download")["error"]["code"] == "disk-full"
    inside = f"/proc/{worker.child()}/root{rig.fleet.workspace}"
    ours = (".full", os.uname().nodename)  # the filling, the worker's lock
    left = [name for _, _, files in os.walk(inside) for name in files if not name.startswith(ours)]
    assert left == []
    worker.end()
    rig.fleet.scale("download", 1)
    check_stored(rig, rig.fleet.wait_job(job_id, 240))


@pytest.mark.fault(40, "workspace nearly full", "preload: statvfs")
def test_no_room_to_begin(rig, faults, alone, clips):
    """a downloader takes no task, says so, and /readyz too; with room again it goes on, and nothing counts as a failure"""
    faults.space(100 << 20)
    alone("download", env=faults.env())
    gateway = rig.start("gateway", env=faults.env())
    url = rig.source.serve_file(clips("picture.jpg"), "picture.jpg", content_type="image/jpeg")
    job_id = rig.fleet.store(url)["task_id"]
    wait_until(lambda: worker_state(rig, "download") == {"paused"}, 30, "a paused worker")
    ready = wait_until(lambda: readiness(rig, gateway), 30, "the gateway")
    assert ready["ready"] is True and ready["disk"] == {"ok": False, "why": "disk-full"}
    assert task(rig, job_id, "download")["state"] == "queued"
    faults.space(PLENTY)
    check_stored(rig, rig.fleet.wait_job(job_id, 120))
    assert task(rig, job_id, "download").get("failures", 0) == 0 and task(rig, job_id, "download")["run"] == 1
    wait_until(lambda: worker_state(rig, "download") == {"online"}, 30, "a worker that goes on")
    assert readiness(rig, gateway)["disk"] == {"ok": True}
    assert faults.fired("statvfs") > 2


def readiness(rig, gateway):
    try:
        return rig.fleet.get(f"{gateway.url}/readyz", key="").json()
    except OSError:
        return None


@pytest.mark.fault(40, "disk full while a task writes", "preload: ENOSPC")
@pytest.mark.parametrize("kind, clip", [("download", "small.mp4"), ("transcode", "small.mp4"), ("thumbnail", "small.mp4")])
def test_enospc(rig, faults, alone, clips, kind, clip):
    """disk-full, tried again, and the files are whole"""
    faults.fail("write", errno.ENOSPC, path=f"/{kind}.1", times=1)
    check_tried_again(rig, faults, alone, kind, clips(clip), "disk-full")


@pytest.mark.fault(41, "disk that fails", "preload: EIO of write, of close")
@pytest.mark.parametrize("kind, function", [("download", "write"), ("download", "close"), ("transcode", "write"),
                                            ("thumbnail", "write")])
def test_eio(rig, faults, alone, clips, kind, function):
    """io-error, tried again, and the files are whole"""
    faults.fail(function, errno.EIO, path=f"/{kind}.1/", times=1)
    check_tried_again(rig, faults, alone, kind, clips("small.mp4"), "io-error", function)


def check_tried_again(rig, faults, alone, kind, clip, code, function="write"):
    alone(kind, env=faults.env())
    job_id = rig.fleet.store(rig.source.serve_file(clip))["task_id"]
    check_stored(rig, rig.fleet.wait_job(job_id, 240))
    assert faults.fired(function) == 1
    after = task(rig, job_id, kind)
    assert (after["run"], after["failures"], after.get("crashes", 0)) == (2, 1, 0)
    assert [line["code"] for line in log_of(rig, job_id, "retrying")] == [code]


@pytest.mark.fault(41, "writes that are cut short", "preload: half of every write")
@pytest.mark.parametrize("kind", ["download", "transcode"])
def test_short_writes(rig, faults, alone, clips, kind):
    """the rest is written, too: nothing fails"""
    faults.short("write", path=f"/{kind}.1/")
    alone(kind, env=faults.env())
    job_id = rig.fleet.store(rig.source.serve_file(clips("small.mp4")))["task_id"]
    job = rig.fleet.wait_job(job_id, 240)
    check_stored(rig, job)
    assert faults.fired("write") > 1 and not log_of(rig, job_id, "retrying")
    if kind == "download":
        keys = [key for key in stored.rows(rig.fleet, job=job_id) if "/source/" in key]
        assert stored.content(rig.fleet, keys[0]) == clips("small.mp4").read_bytes()


@pytest.mark.fault(41, "disk that loses what it said it wrote", "preload: half of one write")
@pytest.mark.parametrize("kind", ["download", "transcode", "thumbnail"])
def test_lost_writes(rig, faults, alone, clips, kind):
    """a file that is shorter than what was written is never published"""
    faults.lose("write", path=f"/{kind}.1/", times=1)
    alone(kind, env=faults.env())
    job_id = rig.fleet.store(rig.source.serve_file(clips("small.mp4")))["task_id"]
    if kind == "download":
        check_stored(rig, rig.fleet.wait_job(job_id, 240))
        assert task(rig, job_id, "download")["run"] == 2
    else:
        rig.fleet.wait_job(job_id, 240, until=lambda job: task(rig, job_id, "upload").get("failures", 0) == 1)
        assert stored.rows(rig.fleet, job=job_id) == {}
        rig.fleet.post(f"/api/v1/jobs/{job_id}/cancel")
        assert rig.fleet.wait_job(job_id, 60)["state"] == "cancelled"
    assert faults.fired("write") == 1

