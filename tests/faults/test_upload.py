"""The S3 server fails while media is stored: answers of all kinds, lost ones, broken transfers."""
import pytest

import stored
from s3_faults import (DONE_BUT_ERROR_IN_200, ERROR_IN_200, INTERNAL, SLOW_DOWN, TRUNCATED_XML, WRONG_ETAG, Flip, Lose,
                       Reset)
from support.processes import wait_until
from uploads import MIB, film, film_with, store, stored_whole, upload_runs  # noqa: F401 (film is a fixture)


@pytest.mark.fault(33, "S3 answers 500 or 503 SlowDown to 30 % of all requests", "rules of the S3 proxy")
def test_500s_and_slow_down(rig_s3, clips):
    """retried with pauses within the run: every job succeeds, each object is there once"""
    rules = [rig_s3.s3.rule(INTERNAL, chance=0.15, seed=33), rig_s3.s3.rule(SLOW_DOWN, chance=0.18, seed=34)]
    ids = [store(rig_s3, clips("small.mp4")) for _ in range(3)]
    for job_id in ids:
        stored_whole(rig_s3, job_id, clips("small.mp4"))
    assert all(rule.fired for rule in rules)
    assert retries(rig_s3) > 0


def retries(rig):
    """Of requests to the bucket, as /metrics tells once the workers have beaten."""
    line = 'mediafleet_worker_storage_retries_total{kind="upload"} '

    def told():
        text = rig.fleet.get("/metrics").text
        return next(float(one.removeprefix(line)) for one in text.splitlines() if one.startswith(line))

    return wait_until(told, 20, "retries in /metrics")


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


@pytest.mark.fault(38, "the answer to a PUT, or to the begin of an upload, is lost", "RST instead of the answer")
def test_lost_answers_of_others(rig_s3, film):
    """each is asked for again; the upload that nobody knows of is aborted"""
    rules = [rig_s3.s3.rule(Lose(), op=op, times=1) for op in ("put", "begin", "part", "head")]
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    assert [rule.fired for rule in rules] == [1, 1, 1, 1]
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


@pytest.mark.fault(39, "a byte of a summed body is another one when it arrives", "the S3 proxy flips a bit")
def test_corruption_of_what_is_summed(rig_s3, clips, tmp_path):
    """from 64 MiB on the SHA-256 of a body is a header of its own, where the server compares that: noticed all the same"""
    film = film_with(65 * MIB, clips, tmp_path)
    rules = [rig_s3.s3.rule(Flip(100), op="put", key="/hls/", times=1), rig_s3.s3.rule(Flip(1000), op="part", times=1)]
    job = stored_whole(rig_s3, store(rig_s3, film), film)
    sent = [one for op in ("put", "part") for one in rig_s3.s3.asked(op, key=job["id"])]
    assert {one.headers.get("x-amz-content-sha256") for one in sent} == {"UNSIGNED-PAYLOAD"}
    assert all("x-amz-checksum-sha256" in one.headers["authorization"] for one in sent)
    assert [rule.fired for rule in rules] == [1, 1] and [one.status for one in sent].count(400) == 2
    assert upload_runs(rig_s3, job) == (1, 0)
    head = stored.s3(rig_s3.fleet).head_object(Bucket=stored.bucket(rig_s3.fleet), Key=stored.scene(rig_s3.fleet, job)["storage_key"],
                                               ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"].endswith("-5"), "the sum of the sums of five parts"
