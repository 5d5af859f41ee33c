"""The S3 server fails while uploads are stopped, their workers die, or objects are deleted; a bucket that denies everything."""
import signal
import time

import pytest

import stored
from s3_faults import (BAD_SIGNATURE, DENIED, ERROR_IN_200, INTERNAL, NO_BUCKET, TRUNCATED_XML, Hook, Late, Lose, Stall,
                       refuse_keys)
from support.processes import wait_until
from uploads import film, open_uploads, store, stored_whole, upload_task  # noqa: F401 (film is a fixture)

STALL_S = 30  # below 1 KB/s for so long a transfer is given up


def cancel(rig, job_id):
    began = time.monotonic()
    assert rig.fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code in (200, 202)
    job = rig.fleet.wait_job(job_id, 30)
    assert (job["state"], job["percent"]) == ("cancelled", 100), job
    return time.monotonic() - began


def objects_of(rig, job_id):
    return [key for key in stored.objects(rig.fleet) if job_id in key]


def rows_of(rig, job_id):
    return stored.rows(rig.fleet, job=job_id)


def cleanups(rig, job_id):
    return list(rig.fleet.db.jobs.find({"parent": job_id}).sort("run_at"))


def wait_cleaned(rig, job_id, timeout=90):
    """Both passes have succeeded, nothing is left."""
    wait_until(lambda: [job["state"] for job in cleanups(rig, job_id)] == ["succeeded"] * 2, timeout, "both cleanups")
    assert (objects_of(rig, job_id), rows_of(rig, job_id), open_uploads(rig)) == ([], {}, [])


@pytest.mark.fault(2, "upload worker dies in the middle of a multipart upload", "SIGKILL when part 2's ETag has come")
def test_death_within_a_multipart_upload(rig_s3, film):
    """the next run aborts what the first had begun; the object is whole, no part is left"""
    rule = rig_s3.s3.rule(Hook(lambda _: rig_s3.fleet.kill("upload", signal.SIGKILL), "answer"), op="part", part=2, times=1)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert rule.fired == 1
    assert [one.status for one in rig_s3.s3.asked("abort", key=job["id"])] == [204]
    task = upload_task(rig_s3, job)
    assert (task["run"], task["crashes"], task.get("failures", 0)) == (2, 1, 0)


@pytest.mark.fault(2, "a part of the dead worker's upload arrives after its end", "another upload of the key, begun while the next run sends")
def test_an_upload_that_comes_back(rig_s3, film):
    """S3 does not promise that one abort is enough: the next run looks once more at its end"""
    client, bucket = stored.s3(rig_s3.fleet), stored.bucket(rig_s3.fleet)
    begun = []
    rig_s3.s3.rule(Hook(lambda _: rig_s3.fleet.kill("upload", signal.SIGKILL), "answer"), op="part", part=2, times=1)
    rig_s3.s3.rule(Hook(lambda request: begun.append(client.create_multipart_upload(Bucket=bucket, Key=request.key)), "answer"),
                   op="begin", nth=2)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert len(begun) == 1 and [one.status for one in rig_s3.s3.asked("abort", key=job["id"])] == [204, 204]


@pytest.mark.fault(34, "S3 denies everything: 403, or the bucket is gone", "rules of the S3 proxy")
@pytest.mark.parametrize("action,code", [(DENIED, "storage-auth"), (BAD_SIGNATURE, "storage-auth"), (NO_BUCKET, "storage-bucket")],
                         ids=["AccessDenied", "SignatureDoesNotMatch", "NoSuchBucket"])
def test_a_bucket_that_denies(rig_s3, clips, action, code):
    """no failure is counted: the worker pauses and says why, probes, and goes on when the bucket is back"""
    rule = rig_s3.s3.rule(action)
    ids = [store(rig_s3, clips("small.mp4")) for _ in range(6)]
    wait_until(lambda: paused(rig_s3, "upload") == {("paused", code)}, 60, "a paused worker")
    wait_until(lambda: all(upload_task(rig_s3, {"id": job_id})["state"] == "queued" for job_id in ids), 60, "all uploads in wait")
    assert ready(rig_s3) == {"ok": False, "why": code}
    denied = len(rig_s3.s3.asked("put"))
    time.sleep(5)  # paused: nothing but probes
    assert {one.key for one in rig_s3.s3.asked("put")[denied:]} <= {"mediafleet-check/probe"}
    assert rule.fired and len(rig_s3.s3.asked("put")) - denied <= 6
    rig_s3.s3.heal()
    for job_id in ids:
        job = stored_whole(rig_s3, job_id, clips("small.mp4"))
        task = upload_task(rig_s3, job)
        assert (task.get("failures", 0), task.get("crashes", 0)) == (0, 0)
    puts = [one for one in rig_s3.s3.asked("put", key=ids[0]) if one.status in (403, 404)]
    assert len({one.key for one in puts}) == len(puts) or upload_task(rig_s3, {"id": ids[0]})["run"] > 2  # none tried again
    wait_until(lambda: paused(rig_s3, "upload") == {("online", None)}, 20, "a worker that is not paused")
    assert ready(rig_s3) == {"ok": True}


def paused(rig, kind):
    rows = [row for row in rig.fleet.get("/api/v1/workers").json()["workers"] if row["kind"] == kind and row["state"] != "offline"]
    return {(row["state"], row.get("paused")) for row in rows}


def ready(rig):
    return rig.fleet.get("/readyz", key="").json()["bucket"]


@pytest.mark.fault(34, "S3 denies the keys of one job only", "rule of the S3 proxy")
def test_one_job_that_is_denied(rig_s3, clips):
    """counted as that task's failure; the worker goes on with all others"""
    rig_s3.fleet.scale("upload", 0)
    denied = store(rig_s3, clips("small.mp4"))
    rule = rig_s3.s3.rule(DENIED, op="put", key=denied)
    rig_s3.fleet.scale("upload", 1)
    wait_until(lambda: upload_task(rig_s3, {"id": denied}).get("failures"), 60, "the failure")
    stored_whole(rig_s3, store(rig_s3, clips("small.mp4")), clips("small.mp4"))
    assert rule.fired
    rule.end()
    stored_whole(rig_s3, denied, clips("small.mp4"))


@pytest.mark.fault(35, "S3 stalls in the middle of a part", "the S3 proxy reads no further")
def test_stall_within_a_part(rig_s3, film):
    """given up after 30 s below 1 KB/s, and only that part is sent again"""
    rule = rig_s3.s3.rule(Stall(3_000_000), op="part", part=2, times=1)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert rule.fired == 1
    first, second = [one for one in rig_s3.s3.asked("part", key=job["id"]) if one.part == 2]
    assert STALL_S - 2 < second.at - first.at
    assert len(rig_s3.s3.asked("part", key=job["id"])) == 4
    task = upload_task(rig_s3, job)
    assert (task["run"], task.get("failures", 0)) == (1, 0)


@pytest.mark.fault(35, "a part stalls, then the job is cancelled", "the S3 proxy reads no further")
def test_cancel_while_a_part_stalls(rig_s3, film):
    """cancelled at once; no part, no object and no row is left"""
    rule = rig_s3.s3.rule(Stall(1_000_000), op="part")
    job_id = store(rig_s3, film)
    wait_until(lambda: rule.fired == 3, 60, "stalled parts")
    assert cancel(rig_s3, job_id) < 6  # 2 s, on a machine that does nothing else
    rule.end()
    wait_cleaned(rig_s3, job_id)


@pytest.mark.fault(35, "S3 answers nothing to a second run, then the job is cancelled", "the S3 proxy holds all requests")
def test_cancel_while_a_later_run_waits(rig_s3, clips):
    """what the run asks before it sends files stops, too"""
    first = rig_s3.s3.rule(ERROR_IN_200, op="put", times=0)
    job_id = store_failing_once(rig_s3, clips)
    rule = rig_s3.s3.rule(Stall(), op=("uploads", "head", "list"))
    wait_until(lambda: rule.fired, 90, "the second run")
    assert cancel(rig_s3, job_id) < 6
    assert first.fired == 0
    rule.end()
    wait_cleaned(rig_s3, job_id)


def store_failing_once(rig, clips):
    """A job whose first upload run fails, and is to be retried after 5 s."""
    rule = rig.s3.rule(INTERNAL, op="put", key="/hls/")
    job_id = store(rig, clips("small.mp4"))
    wait_until(lambda: upload_task(rig, {"id": job_id}).get("failures"), 90, "the first failure")
    assert rule.fired
    rule.end()
    return job_id


@pytest.mark.fault(35, "a PUT reaches the server after its job was cancelled and cleaned up", "the S3 proxy holds it back")
def test_late_put_after_cancel(make_rig, clips):
    """the second cleanup deletes what came late"""
    rig = make_rig("late", "--s3", settings={"MEDIAFLEET_TOMBSTONE_S": 20})  # no shorter than a busy machine takes to be late
    late = Late()
    rule = rig.s3.rule(late, op="put", key="source/", times=1)
    job_id = store(rig, clips("small.mp4"))
    wait_until(lambda: rule.fired, 60, "the PUT")
    cancel(rig, job_id)
    wait_until(lambda: [job["state"] for job in cleanups(rig, job_id)][:1] == ["succeeded"], 30, "the first cleanup")
    rule.release()
    assert late.done.wait(10)
    assert rig.s3.asked("put", key="source/")[-1].status == 200
    assert (objects_of(rig, job_id) != [], cleanups(rig, job_id)[1]["state"]) == (True, "queued")
    wait_cleaned(rig, job_id)


@pytest.mark.fault(35, "the server stands still while an upload is cancelled", "SIGSTOP and SIGCONT of the server")
def test_server_stands_still_while_cancelled(rig_s3, film):
    """cancelled while it stands; what it does later with what it had received is cleaned up"""
    parts = rig_s3.s3.rule(Hook(lambda _: None, "before"), op="part")
    job_id = store(rig_s3, film)
    wait_until(lambda: parts.fired, 60, "the upload")
    with stored.Stopped(rig_s3.service_pid("s3")):
        assert cancel(rig_s3, job_id) < 6
    wait_cleaned(rig_s3, job_id)


CLEANUP_FAULTS = {
    "500s": (INTERNAL, {"times": 4}),
    "keys refused": (refuse_keys(""), {"op": "delete", "times": 1}),
    "one key refused": (refuse_keys("init.mp4"), {"op": "delete", "times": 1}),
    "200 with an error": (ERROR_IN_200, {"op": "delete", "times": 1}),
    "truncated list": (TRUNCATED_XML, {"op": "list", "times": 1}),
    "truncated uploads": (TRUNCATED_XML, {"op": "uploads", "times": 1}),
    "truncated deletion": (TRUNCATED_XML, {"op": "delete", "times": 1}),
    "lost deletion": (Lose(), {"op": "delete", "times": 1}),
}


@pytest.mark.fault(37, "S3 fails while a cancelled job's objects are deleted", "rules of the S3 proxy")
@pytest.mark.parametrize("name", CLEANUP_FAULTS)
def test_cleanup(rig_s3, clips, name):
    """retried until nothing is left: no object, no row, no open upload"""
    action, match = CLEANUP_FAULTS[name]
    last = rig_s3.s3.rule(Stall(), op="put", key="master.m3u8")  # everything else is stored by then
    job_id = store(rig_s3, clips("small.mp4"))
    wait_until(lambda: last.fired, 60, "the last PUT")
    rule = rig_s3.s3.rule(action, **match)
    cancel(rig_s3, job_id)
    last.release()
    wait_cleaned(rig_s3, job_id)
    assert rule.fired
