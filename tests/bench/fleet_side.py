"""The fleet's side of the measurements: one gateway and one hello worker of a fleet of its own."""
import time

import usage
from load import load, write_script
from sample import Sample

HELLO_QUEUE = "mediafleet.hello"


class FleetSide:
    name = "mediafleet"

    def __init__(self, fleet, broker, scratch):
        self.fleet, self.broker, self.scratch = fleet, broker, scratch
        self.services = [int(file.read_text().split()[0]) for file in (fleet.state / "services/run").glob("*.pid")]
        self.token = {"Authorization": f"Bearer {fleet.key}"}
        self.post = write_script(scratch / "fleet-post.lua", "POST", self.token, "{}")
        self.get = write_script(scratch / "fleet-get.lua", "GET", self.token)

    def clear(self):
        """As after a fresh start, with the gateway and without workers."""
        self.fleet.scale("hello", 0)
        self.broker.purge(HELLO_QUEUE)
        self.fleet.db.jobs.delete_many({})

    def meter(self, kind):
        return usage.Meter(self.fleet.program_pids(kind), self.services)

    def accept(self, connections, seconds):
        self.clear()
        meter = self.meter("gateway")
        done = load(self.fleet.url + "/api/v1/debug/hello", self.post, connections, seconds)
        return Sample(done.per_s, *meter.read(done.count))

    def poll(self, connections, seconds):
        self.clear()
        answer = self.fleet.post("/api/v1/debug/hello", {}, headers=self.token)
        assert answer.status_code == 202, answer.text
        meter = self.meter("gateway")
        done = load(f"{self.fleet.url}/api/v1/jobs/{answer.json()['task_id']}", self.get, connections, seconds)
        return Sample(done.per_s, *meter.read(done.count))

    def drain(self, count, timeout):
        """The worker is started when all is posted; its start counts as CPU, not as time."""
        self.clear()
        while self.fleet.db.jobs.estimated_document_count() < count:
            load(self.fleet.url + "/api/v1/debug/hello", self.post, 128, 1)
        self.fleet.scale("hello", 1)
        meter = self.meter("hello")
        before = usage.cpu_ms(usage.family(meter.roots))
        self.wait_drained(time.monotonic() + timeout)
        jobs = list(self.fleet.db.jobs.find({}, {"state": 1, "started_at": 1, "finished_at": 1}))
        assert all(job["state"] == "succeeded" for job in jobs), "not every hello succeeded"
        took = max(job["finished_at"] for job in jobs) - min(job["started_at"] for job in jobs)
        cpu, services, peak = meter.read(len(jobs))
        return Sample(len(jobs) / took.total_seconds(), cpu + before / len(jobs), services, peak)

    def wait_drained(self, end):
        while self.broker.depth(HELLO_QUEUE) or self.fleet.live_jobs():
            assert time.monotonic() < end, "the queue does not drain"
            time.sleep(0.2)

    def footprint(self):
        """Idle: each program with its children, {name: (RssAnon, VmRSS) of the largest process}."""
        self.fleet.up()
        time.sleep(3)
        kinds = [file.stem.rpartition("-")[0] for file in sorted(self.fleet.state.glob("run/*.pid"))]
        sizes = {}
        for kind in kinds:
            for pid in usage.family(self.fleet.program_pids(kind)):
                label = kind if pid in self.fleet.program_pids(kind) else f"{kind}, child"
                sizes[label] = usage.memory_mb(pid, "RssAnon"), usage.memory_mb(pid, "VmRSS")
        return sizes
