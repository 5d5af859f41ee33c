"""Workers told to stop: what can end in the drain time ends, the rest is handed over at once, and nothing is counted."""
import os
import signal
import time

import pytest

from deaths import begun, events, history, holder, running, task
from support import processes
from support.processes import wait_until

DRAIN_S = 5  # of the rigs
HAND_OVER_S = 4  # promised are 2; the machine that tests may be busy


@pytest.fixture
def alone(rig):
    """alone(kind, **env): a program of that kind, and no other of it until the test ends."""
    kinds = []

    def start(kind, **env):
        if kind not in kinds:
            rig.fleet.scale(kind, 0)
            kinds.append(kind)
        program = rig.start(kind, env=env)
        program.child()
        return program

    yield start
    for program in rig.programs:
        program.end()
    for kind in kinds:
        rig.fleet.scale(kind, 1)


def stop(program, number=signal.SIGTERM):
    """Signals the program and waits for its end; returns how long that took. It ends in order."""
    began = time.monotonic()
    os.kill(program.pid, number)
    assert program.wait() == 0
    return time.monotonic() - began


@pytest.mark.fault(8, "SIGTERM while a short task runs", "kill -TERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_stop_with_a_short_task(rig, alone, number):
    """The task completes in the same run, the program exits 0 before the drain time is over."""
    worker = alone("hello", MEDIAFLEET_DRAIN_S="25")
    job_id = rig.fleet.hello(sleep_ms=2500)["task_id"]
    running(rig.fleet, job_id, "hello")
    took = stop(worker, number)
    assert '"draining"' in worker.log() and '"stopped"' in worker.log()
    job = rig.fleet.job(job_id)
    assert job["state"] == "succeeded" and took < 20
    assert [line["event"] for line in events(rig.fleet, job_id, "claimed", "released", "crashed")] == ["claimed"]


@pytest.mark.fault(9, "SIGTERM while a long task runs", "kill -TERM, the default drain time of 25 s")
def test_stop_with_a_long_task(rig, alone):
    """At the drain time's end it is released and published, the program exits 0; it resumes elsewhere, nothing is counted."""
    worker = alone("hello", MEDIAFLEET_DRAIN_S="25")
    job_id = rig.fleet.hello(sleep_ms=30000)["task_id"]
    running(rig.fleet, job_id, "hello")
    other = rig.start("hello", env={"MEDIAFLEET_DRAIN_S": "25"})
    assert 24 < stop(worker) < 40
    check_handed_over(rig.fleet, job_id, "hello", other)
    assert rig.fleet.wait_job(job_id, 60)["state"] == "succeeded"
    assert history(rig.fleet, job_id, "hello") == (2, 0, 0)


def check_handed_over(fleet, job_id, kind, other):
    """Released by the one, claimed by the other within seconds."""
    assert holder(begun(fleet, job_id, kind, 2), kind) == other.child()
    released, = events(fleet, job_id, "released")
    claimed, = [line for line in events(fleet, job_id, "claimed") if f".{other.child()}." in line["by"]]
    seconds = (claimed["at"] - released["at"]).total_seconds()  # by two clocks that may differ by a few ms
    print(f"{kind} handed over within {seconds:.2f} s")
    assert seconds < HAND_OVER_S


@pytest.mark.fault(9, "SIGTERM while a long download or transcode runs", "kill -TERM, a drain time of 1 s")
@pytest.mark.parametrize("kind, clip", [("download", "small.mp4"), ("transcode", "long.mp4")])
def test_stop_hands_media_over(rig, alone, clips, kind, clip):
    """It is released, published and resumed elsewhere; nothing is counted, no file of the first run is left."""
    fleet = rig.fleet
    worker = alone(kind, MEDIAFLEET_DRAIN_S="1")
    rate = {"rate": clips(clip).stat().st_size // 10} if kind == "download" else {}
    job_id = fleet.store(rig.source.serve_file(clips(clip), **rate))["task_id"]
    running(fleet, job_id, kind, at_least=1)
    other = rig.start(kind)
    stop(worker)
    check_handed_over(fleet, job_id, kind, other)
    assert not (fleet.workspace / job_id / f"{kind}.1").exists()
    assert fleet.wait_job(job_id, 240)["state"] == "succeeded"
    assert history(fleet, job_id, kind) == (2, 0, 0)


@pytest.mark.fault(9, "SIGTERM with tickets that wait", "kill -TERM of a worker with one slot and ten tickets")
def test_stop_with_waiting_tickets(rig, alone):
    """Those that it had taken and not begun go to another worker at once."""
    fleet = rig.fleet
    worker = alone("hello", MEDIAFLEET_SLOTS="1", MEDIAFLEET_DRAIN_S="25")
    jobs = [fleet.hello(sleep_ms=8000 if number == 0 else 0)["task_id"] for number in range(10)]
    running(fleet, jobs[0], "hello")
    wait_until(lambda: '"started"' in worker.log(), 10, "the worker")
    other = rig.start("hello")
    other.child()
    os.kill(worker.pid, signal.SIGTERM)
    for job_id in jobs[1:]:
        fleet.wait_job(job_id, 20)
    assert worker.wait() == 0
    for job_id in jobs:
        assert fleet.wait_job(job_id, 30)["state"] == "succeeded"
        assert history(fleet, job_id, "hello")[1:] == (0, 0)


@pytest.mark.fault(10, "a second SIGTERM or SIGINT", "kill -TERM twice, 1 s apart; kill -INT twice")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_stop_twice(rig, alone, number):
    """The program exits at once; the task is taken over as from a dead worker."""
    fleet = rig.fleet
    worker = alone("hello", MEDIAFLEET_DRAIN_S="25")
    job_id = fleet.hello(sleep_ms=4000)["task_id"]
    child = worker.child()
    running(fleet, job_id, "hello")
    os.kill(worker.pid, number)
    wait_until(lambda: '"draining"' in worker.log(), 10, "the first signal to be heard")
    time.sleep(1)
    assert stop(worker, number) < 3 and not processes.alive(child)
    other = rig.start("hello")
    job = fleet.wait_job(job_id, 60)
    assert job["state"] == "succeeded" and holder(job, "hello") == other.child()
    assert history(fleet, job_id, "hello") == (2, 1, 0)


@pytest.mark.fault(9, "SIGTERM while the store is away", "the proxy resets and refuses; kill -TERM; the store comes back")
@pytest.mark.parametrize("sleep_ms", [3000, 60000], ids=["ended", "running"])
def test_stop_without_the_store(rig, alone, sleep_ms):
    """Nobody has crashed: the task runs again elsewhere, and neither a failure nor a crash is counted."""
    fleet = rig.fleet
    worker = alone("hello", MEDIAFLEET_DRAIN_S="4")
    job_id = fleet.hello(sleep_ms=sleep_ms)["task_id"]
    running(fleet, job_id, "hello")
    rig.store.refuse()
    rig.store.reset()
    os.kill(worker.pid, signal.SIGTERM)
    worker.wait()
    other = rig.start("hello")
    time.sleep(2)
    assert rig.store.fired["refuse"] > 0
    rig.store.heal()
    assert holder(begun(fleet, job_id, "hello", 2), "hello") == other.child()
    assert history(fleet, job_id, "hello") == (2, 0, 0)
    if sleep_ms > 10000:
        assert fleet.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    assert fleet.wait_job(job_id, 60)["state"] in ("succeeded", "cancelled")
