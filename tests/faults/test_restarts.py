"""The broker restarted again and again while jobs flow."""
import datetime
import socket
import statistics
import threading
import time

import pytest

import amqp
from support.processes import wait_until

FEW, MANY = 3, 20


def pytest_generate_tests(metafunc):
    """Many when asked for by name (tests/run faults -k restarts), for they take minutes."""
    if "restarts" in metafunc.fixturenames:
        metafunc.parametrize("restarts", [MANY if "restarts" in metafunc.config.getoption("keyword") else FEW])


class Load:
    """Hello jobs, one after the other, until the end of the with."""

    def __init__(self, rig):
        self.rig, self.answers, self.problem, self.stop = rig, [], None, threading.Event()
        self.thread = threading.Thread(target=self.post)

    def __enter__(self):
        self.thread.start()
        return self

    def post(self):
        try:
            for answer in amqp.post_in_turn(self.rig, 1_000_000, self.rig.fleet.url, {"sleep_ms": 300}):
                self.answers.append(answer)
                if self.stop.wait(0.04):
                    return
        except Exception as problem:  # told by __exit__
            self.problem = problem

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        assert not self.problem, self.problem


def restart(rig, hard):
    if hard:
        amqp.kill(rig)
        amqp.revive(rig)
    else:
        amqp.evaluate(rig, "rabbit:stop(), timer:sleep(500), rabbit:start().")


class Return:
    """When the broker listens again, after it did not."""

    def __init__(self, rig):
        self.target, self.gone, self.back = rig.broker.target, threading.Event(), None
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        for state in (False, True):
            while self.listens() != state:
                time.sleep(0.01)
            self.back = time.time()
            self.gone.set()

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(self.target) == 0


def one_restart(rig, hard):
    """Restarts it; returns the seconds from its return to the end of a job that was posted meanwhile."""
    back = Return(rig)
    worker = threading.Thread(target=restart, args=(rig, hard))
    worker.start()
    assert back.gone.wait(60), "it went"
    job = rig.fleet.hello()
    assert job["queued"] is False
    worker.join()
    back.thread.join()
    wait_until(lambda: amqp.unfinished(rig, [job["task_id"]]) == 0, 60, "the end of a job posted meanwhile")
    finished = rig.fleet.db.jobs.find_one({"_id": job["task_id"]})["finished_at"]
    return finished.replace(tzinfo=datetime.UTC).timestamp() - back.back


@pytest.mark.timeout(900)
@pytest.mark.fault(14, "broker restarted 20 times in a row", "stopped and started, every fifth time killed, under load")
def test_restarts(rig, clips, restarts, record_property):
    """No job is stuck, lost, or done twice; a job posted meanwhile ends seconds after the broker's return."""
    url = rig.source.serve_file(clips("small.mp4"))
    took, stores = [], []
    with Load(rig) as load:
        for i in range(restarts):
            stores.append(rig.fleet.store(url)["task_id"])
            took.append(one_restart(rig, hard=i % 5 == 2))
    ids = amqp.promise(rig, load.answers)
    assert len(ids) > 20 * restarts
    amqp.wait_all(rig, ids, 60)
    for job_id in stores:
        job = rig.fleet.wait_job(job_id, 120)
        runs = [task["run"] for task in rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"]]
        assert job["state"] == "succeeded" and set(runs) == {1}, job
    record_property("recovery_s", statistics.median(took))
    print(f"{restarts} restarts, {len(ids)} jobs; s from the broker's return to a job's end: median "
          f"{statistics.median(took):.1f}, greatest {max(took):.1f}")
    assert statistics.median(took) < 15
