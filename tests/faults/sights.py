"""What the invariants look at: the bucket, the queues, the processes, asked directly."""
import collections
import json
import os
import pathlib
import re

import stored
from support import processes

KINDS = ("download", "transcode", "thumbnail", "upload", "cleanup", "storage", "hello")


def listing(fleet):
    """{key: (size, ETag)} of the bucket; no ETag where it is a directory."""
    if fleet.media_root is not None:
        return {key: (size, None) for key, size in stored.objects(fleet).items() if not key.startswith(".tmp/")}
    pages = stored.s3(fleet).get_paginator("list_objects_v2").paginate(Bucket=stored.bucket(fleet))
    return {item["Key"]: (item["Size"], item["ETag"].strip('"')) for page in pages for item in page.get("Contents", [])}


def reader(fleet):
    """read(key) -> content, through one client: there are many objects."""
    if fleet.media_root is not None:
        return lambda key: (fleet.media_root / key).read_bytes()
    client = stored.s3(fleet)
    return lambda key: client.get_object(Bucket=stored.bucket(fleet), Key=key)["Body"].read()


def open_uploads(fleet):
    if fleet.media_root is not None:
        return [key for key in stored.objects(fleet) if key.startswith(".tmp/")]
    pages = stored.s3(fleet).get_paginator("list_multipart_uploads").paginate(Bucket=stored.bucket(fleet))
    return [item["Key"] for page in pages for item in page.get("Uploads", [])]


def queues_of(rig):
    """{name: messages}, ready and unacknowledged."""
    rows = json.loads(rig.ctl("list_queues", "-q", "name", "messages_ready", "messages_unacknowledged", "--formatter", "json"))
    return {row["name"]: row["messages_ready"] + row["messages_unacknowledged"] for row in rows}


def name_of(pid):
    try:
        return processes.name(pid)
    except OSError:
        return "?"


def fds_of(pid):
    """What its descriptors are, counted."""
    found = collections.Counter()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[re.sub(r"\[?\d+\]?$", "", os.readlink(fd))] += 1
        except OSError:
            pass
    return dict(found)


def usage_of(fleet):
    """{(pid, start time): (fds, threads, resident bytes)} of the fleet's programs and their children."""
    found = {}
    for kind in ("gateway", *KINDS):
        for pid in {*fleet.program_pids(kind), *fleet.pids(kind)}:
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                numbers = dict(re.findall(r"^(Threads|VmRSS):\s+(\d+)", status, re.M))
                started = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]
                fds = len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue
            if "VmRSS" in numbers:
                found[pid, started] = fds, int(numbers["Threads"]), int(numbers["VmRSS"]) << 10
    return found


def age_s(key):
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    return uptime - int(key[1]) / os.sysconf("SC_CLK_TCK")


def strays(fleet, ours):
    """Processes of this fleet that are none of its programs."""
    mark = f"FLEET_STATE={fleet.state}".encode()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in ours:
            try:
                environment = pathlib.Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark in environment and processes.alive(int(name)) and name_of(int(name)).startswith("mediafleet-"):
                yield int(name)
