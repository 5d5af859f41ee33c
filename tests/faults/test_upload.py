"""The S3 server fails while media is stored: answers of all kinds, lost ones, broken transfers."""
import hashlib
import os

import pytest

import stored
from s3_faults import (DONE_BUT_ERROR_IN_200, ERROR_IN_200, INTERNAL, SLOW_DOWN, TRUNCATED_XML, WRONG_ETAG, Flip, Lose,
                       Reset)

MIB = 1 << 20


@pytest.fixture(scope="session")
def film(clips, tmp_path_factory):
    """A film whose file goes in three parts: a `free` box of 40 MiB of noise follows it."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    noise = os.urandom(40 * MIB)
    file.write_bytes(clips("silent.mp4").read_bytes() + (len(noise) + 8).to_bytes(4, "big") + b"free" + noise)
    return file


def store(rig, file):
    return rig.fleet.store(rig.source.serve_file(file), project_id="faults")["task_id"]


def stored_whole(rig, job_id, file):
    """The job succeeded at its first run of each task; its objects are there once, as their rows say; the source is whole."""
    job = rig.fleet.wait_job(job_id, 240)
    assert (job["state"], job["percent"]) == ("succeeded", 100), job
    found = stored.check_rows(rig.fleet, job)
    key = stored.scene(rig.fleet, job)["storage_key"]
    data = stored.content(rig.fleet, key)
    assert hashlib.sha256(data).hexdigest() == hashlib.sha256(file.read_bytes()).hexdigest()
    assert stored.s3(rig.fleet).list_multipart_uploads(Bucket=stored.bucket(rig.fleet)).get("Uploads", []) == []
    assert job["result"]["files"] == len(found)
    return job


def upload_runs(rig, job):
    task = next(task for task in rig.fleet.db.jobs.find_one({"_id": job["id"]})["tasks"] if task["kind"] == "upload")
    return task["run"], task.get("failures", 0)


@pytest.mark.fault(33, "S3 answers 500 or 503 SlowDown to 30 % of all requests", "rules of the S3 proxy")
def test_500s_and_slow_down(rig_s3, clips):
    """retried with pauses within the run: every job succeeds, each object is there once"""
    rules = [rig_s3.s3.rule(INTERNAL, chance=0.15, seed=33), rig_s3.s3.rule(SLOW_DOWN, chance=0.18, seed=34)]
    ids = [store(rig_s3, clips("small.mp4")) for _ in range(3)]
    for job_id in ids:
        stored_whole(rig_s3, job_id, clips("small.mp4"))
    assert all(rule.fired for rule in rules)


@pytest.mark.fault(36, "S3 resets at byte 5,000,000 of a part", "RST by the S3 proxy")
def test_reset_within_a_part(rig_s3, film):
    """only that part is sent again"""
    rule = rig_s3.s3.rule(Reset(5_000_000), op="part", part=2, times=1)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert rule.fired == 1
    sent = [one.part for one in rig_s3.s3.asked("part", key=job["id"])]
    assert sorted(sent) == [1, 2, 2, 3]


@pytest.mark.fault(37, "CompleteMultipartUpload answers 200 with an <Error>", "rules of the S3 proxy")
@pytest.mark.parametrize("action", [ERROR_IN_200, DONE_BUT_ERROR_IN_200, TRUNCATED_XML],
                         ids=["not done", "done", "truncated"])
def test_error_within_200(rig_s3, film, action):
    """not taken for success: tried again, and the object looked at before the row says stored"""
    rule = rig_s3.s3.rule(action, op="complete", times=1)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert rule.fired == 1
    assert rig_s3.s3.asked("head", key=job["id"])
    assert upload_runs(rig_s3, job) == (1, 0)


@pytest.mark.fault(38, "the answer to CompleteMultipartUpload is lost", "RST instead of the answer")
def test_lost_answer(rig_s3, film):
    """the next try gives NoSuchUpload, the object is looked at, and is there: success"""
    rule = rig_s3.s3.rule(Lose(), op="complete", times=1)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert rule.fired == 1
    assert len(rig_s3.s3.asked("complete", key=job["id"])) == 2
    assert upload_runs(rig_s3, job) == (1, 0)


@pytest.mark.fault(39, "a byte of a body is another one when it arrives, or the ETag says so", "the S3 proxy flips a bit")
@pytest.mark.parametrize("action", [Flip(1000), WRONG_ETAG], ids=["flipped", "wrong ETag"])
@pytest.mark.parametrize("op", ["put", "part"])
def test_corruption(rig_s3, film, action, op):
    """a checksum tells: that file or part is sent again, what is stored is what was sent"""
    rule = rig_s3.s3.rule(action, op=op, times=1)
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert rule.fired == 1
    assert upload_runs(rig_s3, job) == (1, 0)
