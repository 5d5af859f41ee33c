"""The fleet's side of the measurements: one gateway and one hello worker of a fleet of its own."""
import contextlib
import time

import usage
from load import answered, constant_rate, load, write_script
from sample import Sample

HELLO = "/api/v1/debug/hello"
HELLO_QUEUE = "mediafleet.hello"
RUN_MS = 600_000  # of the job that runs while it is polled


class FleetSide:
    name = "mediafleet"

    def __init__(self, fleet, broker, scratch, build):
        self.fleet, self.broker, self.scratch, self.build = fleet, broker, scratch, build
        self.services = [int(file.read_text().split()[0]) for file in (fleet.state / "services/run").glob("*.pid")]
        self.token = {"Authorization": f"Bearer {fleet.key}"}
        self.post = write_script(scratch / f"{fleet.state.name}-post.lua", "POST", self.token, "{}")
        self.get = write_script(scratch / f"{fleet.state.name}-get.lua", "GET", self.token)
        self.measured = {}  # which jobs are the measurements' own: growth keeps others in the store

    def clear(self):
        """As after a fresh start, with the gateway and without workers."""
        self.fleet.scale("hello", 0)
        self.broker.purge(HELLO_QUEUE)
        self.fleet.db.jobs.delete_many(self.measured)

    def meter(self, kind):
        return usage.Meter(self.fleet.program_pids(kind), self.services)

    def accept(self, connections, seconds):
        self.clear()
        meter = self.meter("gateway")
        done = load(self.fleet.url + HELLO, self.post, connections, seconds)
        return Sample(done.per_s, *meter.read(done.count))

    def latency(self, rate, connections, seconds):
        """What bench-rate tells, and what was used for each request."""
        self.clear()
        meter = self.meter("gateway")
        told = constant_rate(self.build, self.fleet.url + HELLO, self.token, "{}", rate=rate, seconds=seconds, connections=connections)
        return told, meter.read(answered(told))

    def poll(self, connections, seconds):
        """A job that waits."""
        self.clear()
        return self.get_load(f"/api/v1/jobs/{self.fleet.hello()['task_id']}", self.get, connections, seconds)

    def poll_running(self, connections, seconds):
        """A job whose progress is written once a second."""
        self.clear()
        self.fleet.scale("hello", 1)
        job = self.fleet.hello(sleep_ms=RUN_MS)["task_id"]
        self.fleet.wait_job(job, until=lambda job: job["state"] == "running")
        sample = self.get_load(f"/api/v1/jobs/{job}", self.get, connections, seconds)
        assert self.fleet.job(job)["state"] == "running"
        assert self.fleet.post(f"/api/v1/jobs/{job}/cancel").status_code == 202
        return sample

    def poll_unchanged(self, connections, seconds):
        """A job that has ended, by a client that tells which state of it it knows: 304 and no body."""
        self.clear()
        self.fleet.scale("hello", 1)
        job = self.fleet.hello()["task_id"]
        self.fleet.wait_job(job)
        path = f"/api/v1/jobs/{job}"
        etag = self.fleet.get(path).headers["ETag"]
        assert self.fleet.get(path, headers={"If-None-Match": etag}).status_code == 304
        assert self.fleet.get(path, headers={"If-None-Match": '"another"'}).status_code == 200
        script = write_script(self.scratch / "fleet-get-known.lua", "GET", self.token | {"If-None-Match": etag})
        return self.get_load(path, script, connections, seconds)

    def get_load(self, path, script, connections, seconds):
        meter = self.meter("gateway")
        done = load(self.fleet.url + path, script, connections, seconds)
        return Sample(done.per_s, *meter.read(done.count))

    def post_hellos(self, count):
        """At least so many, all of them in the queue; returns how many."""
        jobs, posted = self.fleet.db.jobs, -1
        while jobs.count_documents(self.measured) < count:
            load(self.fleet.url + HELLO, self.post, 128, 1)
        while posted != jobs.count_documents(self.measured) or self.broker.depth(HELLO_QUEUE) < posted:
            posted = jobs.count_documents(self.measured)
            time.sleep(1)  # wrk leaves without its last answers
        return posted

    def drain(self, count, timeout):
        """The worker is started when all is posted; its start counts as CPU, not as time."""
        self.clear()
        posted = self.post_hellos(count)
        self.fleet.scale("hello", 1)
        meter = self.meter("hello")
        before = usage.cpu_ms(usage.family(meter.roots)) / posted
        self.wait_drained(time.monotonic() + timeout)
        cpu, services, peak = meter.read(posted)
        jobs = list(self.fleet.db.jobs.find(self.measured, {"state": 1, "started_at": 1, "finished_at": 1}))
        assert len(jobs) == posted and all(job["state"] == "succeeded" for job in jobs), "not every hello succeeded"
        took = max(job["finished_at"] for job in jobs) - min(job["started_at"] for job in jobs)
        return Sample(posted / took.total_seconds(), cpu + before, services, peak)

    def wait_drained(self, end):
        jobs = self.fleet.db.jobs
        while self.broker.depth(HELLO_QUEUE) or jobs.find_one({"state": "queued"}) or jobs.find_one({"state": "running"}):
            assert time.monotonic() < end, "the queue does not drain"
            time.sleep(0.5)

    # --- footprint: {program: {pid: Sizes}}, the parent's pid first ---

    def idle(self):
        """Every program, a while after its start."""
        self.clear()
        self.fleet.scale("hello", 1)
        self.fleet.scale("gateway", 0)  # fresh, as the workers and the peers are
        self.fleet.scale("gateway", 1)
        self.fleet.up()
        time.sleep(6)
        kinds = [file.stem.rpartition("-")[0] for file in sorted(self.fleet.state.glob("run/*.pid"))]
        return {kind: {pid: usage.sizes(pid) for pid in usage.family(self.fleet.program_pids(kind))} for kind in kinds}

    def loaded(self, connections, seconds, count, timeout):
        """The gateway while it accepts, the worker while it drains."""
        self.clear()
        with self.watch("gateway") as gateway:
            load(self.fleet.url + HELLO, self.post, connections, seconds)
        self.clear()
        self.post_hellos(count)
        self.fleet.scale("hello", 1)
        with self.watch("hello") as hello:
            self.wait_drained(time.monotonic() + timeout)
        return {"gateway": gateway.sizes, "hello": hello.sizes}

    @contextlib.contextmanager
    def watch(self, kind):
        with usage.Watch(self.fleet.program_pids(kind)) as watch:
            yield watch
