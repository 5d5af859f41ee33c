"""Programs at their limits: no file descriptors left, a decoder that never returns."""
import os
import pathlib
import socket
import time

import pytest
import requests

import stored
from support import processes
from support.preload import Faults
from support.processes import wait_until

DESCRIPTORS = 64


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share(pid, seconds=2):
    """Of one processor."""
    before, began = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - before) / (time.monotonic() - began)


def task(rig, job_id, name):
    return next(one for one in rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"] if one["name"] == name)


@pytest.mark.fault(42, "no file descriptors left in a gateway",
                   f"prlimit --nofile={DESCRIPTORS}, more connections than that")
def test_gateway_without_descriptors(rig):
    """no busy loop; whoever has a connection is answered; as soon as others leave, new ones are"""
    gateway = rig.start("gateway", wrap=("prlimit", f"--nofile={DESCRIPTORS}"))
    address = tuple(gateway.url.removeprefix("http://").split(":"))
    with requests.Session() as early:
        early.trust_env = False
        wait_until(lambda: is_well(early, gateway.url), 30, "the gateway")
        crowd = [socket.create_connection(address, timeout=5) for _ in range(2 * DESCRIPTORS)]
        wait_until(lambda: open_descriptors(gateway.pid) == DESCRIPTORS, 10, "the last descriptor")
        assert cpu_share(gateway.pid) < 0.5
        assert open_descriptors(gateway.pid) == DESCRIPTORS
        assert early.get(f"{gateway.url}/healthz", timeout=5).status_code == 200
        answer = early.post(f"{gateway.url}/api/v1/debug/hello", json={}, timeout=10,
                            headers={"Authorization": f"Bearer {rig.fleet.key}"})
        assert answer.status_code in (202, 503)
        if answer.status_code == 202:
            rig.fleet.accepted(answer)
        for connection in crowd:
            connection.close()
    with requests.Session() as late:
        late.trust_env = False
        wait_until(lambda: is_well(late, gateway.url), 30, "an answer to somebody new")
    job = rig.fleet.accepted(rig.fleet.post(f"{gateway.url}/api/v1/debug/hello", {}))
    assert rig.fleet.wait_job(job["task_id"])["state"] == "succeeded"


def is_well(session, url):
    try:
        return session.get(f"{url}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.fault(42, "no file descriptors left in a downloader", f"prlimit --nofile={DESCRIPTORS}, 40 downloads at once")
def test_worker_without_descriptors(rig, clips):
    """no busy loop, no crash; what found none is tried again; every job ends"""
    rig.fleet.scale("download", 0)
    worker = rig.start("download", wrap=("prlimit", f"--nofile={DESCRIPTORS}"))
    child = worker.child()
    jobs = []
    try:
        picture = clips("picture.jpg")
        for _ in range(40):
            url = rig.source.serve_file(picture, "picture.jpg", content_type="image/jpeg",
                                        rate=picture.stat().st_size // 4)
            jobs.append(rig.fleet.store(url)["task_id"])
        wait_until(lambda: open_descriptors(child) >= DESCRIPTORS - 2, 30, "the last descriptor")
        assert cpu_share(child) < 0.5
        ended = [rig.fleet.wait_job(job_id, 240) for job_id in jobs]
    finally:
        rig.fleet.scale("download", 1)
    assert processes.alive(child), "it died of it"
    assert {job["state"] for job in ended} == {"succeeded"}, [job.get("error") for job in ended]
    failures = sum(task(rig, job_id, "download").get("failures", 0) for job_id in jobs)
    assert failures > 0, "there were enough"
    for job in ended[::8]:
        stored.check_rows(rig.fleet, job)


@pytest.mark.fault(13, "decoder that never returns", "preload: avcodec_send_packet spins; a time limit of 3 s, one attempt")
@pytest.mark.timeout(400)
def test_hung_decoder(rig, clips, tmp_path):
    """its process ends a minute after the time limit, the job with timeout; another process takes the next job"""
    faults = Faults(tmp_path)
    rig.fleet.scale("transcode", 0)
    try:
        job_id = rig.fleet.store(rig.source.serve_file(clips("silent.mp4")))["task_id"]
        rig.fleet.db.jobs.update_one({"_id": job_id}, {"$set": {"tasks.1.timeout_s": 3, "tasks.1.max_attempts": 1}})
        assert task(rig, job_id, "transcode")["timeout_s"] == 3
        faults.spin("avcodec_send_packet", times=1)
        worker = rig.start("transcode", env=faults.env())
        child = worker.child()
        job = rig.fleet.wait_job(job_id, 200)
        processes.wait_gone([child])
        assert faults.fired("avcodec_send_packet") == 1
        assert (job["state"], job["error"]["code"]) == ("failed", "timeout"), job
        assert '"event":"handler-hangs"' in worker.log() and '"how":"exit 70"' in worker.log()
        after = rig.fleet.store(rig.source.serve_file(clips("silent.mp4")))["task_id"]
        assert rig.fleet.wait_job(after, 120)["state"] == "succeeded"
    finally:
        rig.fleet.scale("transcode", 1)
