"""What the tests of uploads share: a film in several parts, and what must be true of one that is stored."""
import hashlib
import os

import pytest

import stored

MIB = 1 << 20


def film_with(noise, clips, directory):
    """Its file ends with a `free` box of so many bytes of noise."""
    file = directory / "film.mp4"
    file.write_bytes(clips("silent.mp4").read_bytes() + (noise + 8).to_bytes(4, "big") + b"free" + os.urandom(noise))
    return file


@pytest.fixture(scope="session")
def film(clips, tmp_path_factory):
    """A film whose file goes in three parts."""
    return film_with(40 * MIB, clips, tmp_path_factory.mktemp("film"))


def store(rig, file):
    return rig.fleet.store(rig.source.serve_file(file), project_id="faults")["task_id"]


def open_uploads(rig):
    return stored.s3(rig.fleet).list_multipart_uploads(Bucket=stored.bucket(rig.fleet)).get("Uploads", [])


def stored_whole(rig, job_id, file):
    """The job succeeded; its objects are there once, as their rows say; the source is whole. Returns the job."""
    job = rig.fleet.wait_job(job_id, 240)
    assert (job["state"], job["percent"]) == ("succeeded", 100), job
    found = stored.check_rows(rig.fleet, job)
    data = stored.content(rig.fleet, stored.scene(rig.fleet, job)["storage_key"])
    assert hashlib.sha256(data).digest() == hashlib.sha256(file.read_bytes()).digest()
    assert (job["result"]["files"], open_uploads(rig)) == (len(found), [])
    return job


def upload_task(rig, job):
    """As the store has it."""
    return next(task for task in rig.fleet.db.jobs.find_one({"_id": job["id"]})["tasks"] if task["kind"] == "upload")


def upload_runs(rig, job):
    task = upload_task(rig, job)
    return task["run"], task.get("failures", 0)
