"""How workers die and come back, for the tests that kill them: who holds a task, whose process ended how, what was counted."""
import json
import os
import signal
import time

from support import processes
from support.processes import wait_until


def task(job, name):
    return next(one for one in job["tasks"] if one["name"] == name)


def running(fleet, job_id, name, at_least=0, timeout=120):
    """Waits until that task runs and has come so far; returns the job."""
    return fleet.wait_job(job_id, timeout, until=lambda job: task(job, name)["state"] == "running" and
                          task(job, name)["percent"] >= at_least)


def begun(fleet, job_id, name, run, timeout=60):
    """Waits until that run of the task has begun, be it the same second over; returns the job."""
    wait_until(lambda: history(fleet, job_id, name)[0] >= run, timeout, f"run {run} of {name} of {job_id}")
    return fleet.job(job_id)


def holder(job, name):
    """The process that runs the task: its worker's id is host.kind.pid.start."""
    return int(task(job, name)["worker"].rsplit(".", 2)[1])


def history(fleet, job_id, name):
    """(runs, crashes, failures) of a task."""
    row = task(fleet.db.jobs.find_one({"_id": job_id}), name)
    return row.get("run", 0), row.get("crashes", 0), row.get("failures", 0)


def events(fleet, job_id, *names):
    """Lines of the job's log with those events, in order."""
    return [line for line in fleet.db.jobs.find_one({"_id": job_id})["log"] if line["event"] in names]


def said(fleet, event, **fields):
    """What programs logged with that event and those fields."""
    lines = [line for file in (fleet.state / "log").glob("*.log")
             for line in file.read_text(errors="replace").splitlines() if f'"event":"{event}"' in line]
    return [line for line in map(json.loads, lines) if fields.items() <= line.items()]


def endings(fleet, pid):
    """What supervisors said about the end of that child: "signal 9", "exit 0"."""
    return [line["how"] for line in said(fleet, "child-ended", child=str(pid))]


def kill(fleet, pid, number=signal.SIGKILL):
    """Kills a worker's process, and sees from its supervisor that it died of that."""
    os.kill(pid, number)
    processes.wait_gone([pid], 20)
    wait_until(lambda: endings(fleet, pid) == [f"signal {int(number)}"], 20, f"the supervisor's word on {pid}")


class Standing:
    """Processes that stand still until the end of a with, for at least so many seconds. They did stand: the kernel says so."""

    def __init__(self, *pids, at_least=0):
        self.pids, self.at_least = list(pids), at_least

    def stop(self, pid):
        processes.stand_still(pid)
        self.pids.append(pid)
        self.began = time.monotonic()

    def __enter__(self):
        pids, self.pids = self.pids, []
        for pid in pids:
            self.stop(pid)
        return self

    def __exit__(self, *raised):
        if raised[0] is None:
            time.sleep(max(0, self.at_least - (time.monotonic() - self.began)))
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)
