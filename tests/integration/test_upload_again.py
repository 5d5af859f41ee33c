"""What is in the bucket already, with the same size and checksum, is not sent again, whoever stored it."""
import hashlib
import urllib.parse

import stored
from support.proxy import Proxy
from support.processes import wait_until
from support.source import Source


def through(fleet):
    """The upload worker's way to the bucket leads through a proxy from now on."""
    s3 = urllib.parse.urlsplit(fleet.env["AWS_ENDPOINT_URL"])
    proxy = Proxy(s3.hostname, s3.port)
    fleet.scale("upload", 0)
    fleet.up("--env", f"AWS_ENDPOINT_URL=http://127.0.0.1:{proxy.port}")
    return proxy


def files_of(fleet, job):
    """What will be uploaded, by key."""
    folders = {"download": "source", "transcode": "hls", "thumbnail": "thumbnails"}
    found = {}
    for task, folder in folders.items():
        for root in (fleet.workspace / job["id"]).glob(f"{task}.*"):
            found |= {f"{stored.prefix(job)}{folder}/{path.relative_to(root)}": path.read_bytes()
                      for path in root.rglob("*") if path.is_file()}
    return found


def put_before(fleet, job, key, data, state):
    """The object and its row, as a run that died (pending) or an adoption (stored, without a checksum) leaves them."""
    sha256 = hashlib.sha256(data).hexdigest()
    stored.s3(fleet).put_object(Bucket=stored.bucket(fleet), Key=key, Body=data, Metadata={"sha256": sha256})
    fleet.db.r2_file_paths.insert_one({
        "_id": hashlib.sha256(f"s3\n{key}".encode()).hexdigest(), "project_id": job["project_id"], "object_key": key,
        "size_bytes": len(data), "tenant": "default", "backend": "s3", "bucket": stored.bucket(fleet), "state": state})


def test_nothing_is_sent_twice(make_fleet, clips):
    """In the first run of an upload: only what is missing goes, and every row is whole afterwards."""
    fleet = make_fleet("again", "--s3")
    source = Source(fleet.source_ports[0])
    bucket = stored.bucket(fleet)
    try:
        fleet.scale("upload", 0)
        answer = fleet.store(source.serve_file(clips("small.mp4")))
        job = fleet.wait_job(answer["task_id"], 240, lambda job: [task["state"] for task in job["tasks"]] == [
            "succeeded", "succeeded", "succeeded", "queued"])
        files = files_of(fleet, job)
        keys = sorted(files)
        changed, missing = keys[0], keys[1]
        for i, key in enumerate(keys):
            if key == missing:
                continue
            data = files[key] if key != changed else files[key][:-1] + b"!"
            put_before(fleet, job, key, data, ("pending", "stored")[i % 2])
        proxy = through(fleet)
        for key in keys:
            proxy.watch(f"PUT /{bucket}/{key} ".encode())
        fleet.scale("upload", 1)
        job = fleet.wait_job(answer["task_id"], 240)
        assert job["state"] == "succeeded", job
        sent = [key for key in keys if proxy.seen[f"PUT /{bucket}/{key} ".encode()]]
        assert sent == [changed, missing]
        assert job["result"]["skipped"] == len(keys) - 2
        assert {row["job"] for row in stored.check_rows(fleet, job).values()} == {job["id"]}
    finally:
        source.close()
