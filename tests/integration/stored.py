"""What a job left behind, seen from outside: its rows, its objects, its files in the workspace; and a server that stalls."""
import functools
import hashlib
import json
import os
import signal
import subprocess
import urllib.parse

import boto3
import botocore.config
import requests

from support import processes

# Of an object's name: file_type, Content-Type (Apple's authoring specification 10.4).
TYPES = {
    ".m3u8": ("playlist", "application/vnd.apple.mpegurl"),
    "init.mp4": ("init", "video/mp4"),
    ".m4s": ("segment", "video/iso.segment"),
    ".jpg": ("thumbnail", "image/jpeg"),
}
SOURCE_TYPES = {".mp4": "video/mp4", ".m4a": "audio/mp4", ".mkv": "video/x-matroska", ".webm": "video/webm",
                ".jpg": "image/jpeg", ".wav": "audio/wav"}


def rows(fleet, **filters):
    """Rows of r2_file_paths by object key."""
    return {row["object_key"]: row for row in fleet.db.r2_file_paths.find(filters)}


def s3(fleet):
    return client(*(fleet.env[name] for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")))


@functools.lru_cache
def client(url, key_id, secret, region):
    """One for each server: making one takes longer than most calls."""
    return boto3.client("s3", endpoint_url=url, aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region,
                        config=botocore.config.Config(proxies={}, retries={"max_attempts": 3}, read_timeout=10))


def bucket(fleet):
    return fleet.env["AWS_STORAGE_BUCKET_NAME"]


def objects(fleet, prefix=""):
    """Sizes of all objects by key, whichever backend keeps them."""
    if fleet.media_root is None:
        pages = s3(fleet).get_paginator("list_objects_v2").paginate(Bucket=bucket(fleet), Prefix=prefix)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}
    files = (file for file in fleet.media_root.rglob("*") if file.is_file())
    sizes = {str(file.relative_to(fleet.media_root)): file.stat().st_size for file in files}
    return {key: size for key, size in sizes.items() if key.startswith(prefix)}


def content(fleet, key):
    if fleet.media_root is None:
        return s3(fleet).get_object(Bucket=bucket(fleet), Key=key)["Body"].read()
    return (fleet.media_root / key).read_bytes()


def prefix(job):
    return f"projects/{job['project_id']}/scenes/{job['mongo_db_id']}/{job['id']}/"


def described(key):
    """(file_type, Content-Type) that an object of that key must have."""
    name = os.path.basename(key)
    if name.startswith("source."):
        return "source", SOURCE_TYPES[os.path.splitext(name)[1]]
    return next(value for end, value in TYPES.items() if name.endswith(end))


def check_sizes(fleet, job):
    """One row for each object of the job and one object for each row, of the same size; returns the sizes by key."""
    sizes = objects(fleet, prefix(job))
    assert {key: row["size_bytes"] for key, row in rows(fleet, job=job["id"]).items()} == sizes
    return sizes


def check_rows(fleet, job):
    """The same, and everything else that a row says; returns the rows by key."""
    check_sizes(fleet, job)
    found = rows(fleet, job=job["id"])
    for key, row in found.items():
        assert (row["file_type"], row["content_type"]) == described(key), key
        assert row["state"] == "stored" and row["project_id"] == job["project_id"], key
        assert row["_id"] == hashlib.sha256(f"{row['backend']}\n{key}".encode()).hexdigest()
    for row in sorted(found.values(), key=lambda row: row["size_bytes"])[:: max(1, len(found) // 5)]:
        assert hashlib.sha256(content(fleet, row["object_key"])).hexdigest() == row["sha256"], row["object_key"]
    return found


def check_gone(fleet, job):
    """Nothing of the job is left: no file in the workspace, no object, no row that claims one."""
    assert not (fleet.workspace / job["id"]).exists()
    assert objects(fleet, prefix(job)) == {}
    assert [row for row in rows(fleet, job=job["id"]).values() if row["state"] != "deleting"] == []


def scene(fleet, job):
    answer = fleet.get(f"/api/v1/scenes/{job['mongo_db_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def fetch(url, **headers):
    """As anybody would: without credentials, following redirects."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=headers, timeout=30)


def key_in(url):
    """The object key that a signed URL ends with."""
    return urllib.parse.urlsplit(url).path.split("/", 3)[3]


def play(url):
    """ffmpeg reads every rendition behind the URL to its end without a word; returns ffprobe's streams."""
    run = subprocess.run(["ffmpeg", "-v", "warning", "-nostdin", "-xerror", "-i", url, "-map", "0", "-f", "null", "-"],
                         capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "")
    run = subprocess.run(["ffprobe", "-v", "warning", "-of", "json", "-show_streams", "-show_programs", url],
                         capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)["streams"]


class Stopped:
    """A process that stands still inside of a with."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        processes.stand_still(self.pid)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


def s3_pid(fleet):
    return int((fleet.state / "services/run/s3.pid").read_text().split()[0])
