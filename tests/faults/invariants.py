"""What must be true after every fault, seen from outside: over the API, in MongoDB, the bucket, the queues and the files."""
from support.fleet import TERMINAL
from support.processes import wait_until

SETTLED_S = 60


class Invariants:
    """begin() before the fault, check() after everything was put right, end() always."""

    def __init__(self, rig):
        self.rig, self.fleet = rig, rig.fleet

    def begin(self):
        self.first = len(self.fleet.promised)

    def check(self):
        jobs = self.fleet.promised[self.first:]
        wait_until(lambda: not self.fleet.live_jobs(), SETTLED_S, "the end of all jobs")
        for job_id in jobs:
            assert self.fleet.job(job_id)["state"] in TERMINAL

    def end(self):
        pass
