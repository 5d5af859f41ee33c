"""Both sides of the whole pipeline, on one set of services: a fleet's media.store jobs, and the same by Celery, ffmpeg and boto3."""
import shutil
import subprocess
import sys
import time

import usage
from broker import Broker
from peer_side import PeerSide
from sample import Sample

WORKERS = ("upload", "thumbnail", "transcode", "download")  # in the order of their start: the first task ends the wait
TIMEOUT_S = 3600
CELERY = ["-A", "celery_media", "worker", "-Q", "media", "--without-gossip", "--without-mingle", "--without-heartbeat"]
PRODUCE = """
import sys, time
from celery_media import app, store
import os, pymongo
ids = [f"{int(sys.argv[3]):04}-{number}" for number in range(int(sys.argv[1]))]
pymongo.MongoClient(os.environ["MONGODB_URL"]).peer.tasks.insert_many(
    [{"_id": id, "state": "queued", "progress": 0, "url": sys.argv[2], "created_at": time.time()} for id in ids])
with app.producer_pool.acquire(block=True) as producer:
    for id in ids:
        store.apply_async((id, sys.argv[2]), queue="media", producer=producer)
"""


def wait_ended(ended):
    """Asks seldom: the store is measured, too."""
    end = time.monotonic() + TIMEOUT_S
    while not ended():
        assert time.monotonic() < end, "the jobs do not end"
        time.sleep(0.3)


class Measurement:
    """Of processes that were just started, whose start counts as CPU, and of others that lived before. Many of the peer's live
    for less than a job: their memory is looked at while they run, and pages that processes share count once."""

    def __init__(self, fresh, others, services):
        self.meter, self.watch = usage.Meter([*fresh, *others], services), usage.Watch([*fresh, *others])
        self.before = usage.cpu_ms(usage.family(fresh))

    def __enter__(self):
        self.watch.__enter__()
        return self

    def __exit__(self, *error):
        self.watch.__exit__(*error)

    def sample(self, count, took_s):
        cpu, services, _ = self.meter.read(count)
        sizes = self.watch.sizes or {pid: usage.sizes(pid) for pid in usage.family(self.watch.roots)}  # a short one saw nothing
        return Sample(count / took_s, cpu + self.before / count, services, usage.total(sizes.values()).pss)


class FleetPipeline:
    def __init__(self, fleet, services, scales=None):
        """services: pids; scales: programs of a kind, where it is not one."""
        self.fleet, self.services, self.scales = fleet, services, scales or {}
        self.bucket = fleet.state / "services/s3/objects" / fleet.env["AWS_STORAGE_BUCKET_NAME"]

    def clear(self):
        for kind in WORKERS:
            self.fleet.scale(kind, 0)
        for name in ("jobs", "scenes", "r2_file_paths"):
            self.fleet.db[name].delete_many({})
        shutil.rmtree(self.bucket / "projects", ignore_errors=True)

    def run(self, url, count):
        """All is posted before the first worker starts."""
        self.clear()
        for _ in range(count):
            self.fleet.store(url, "bench")
        for kind in WORKERS:
            self.fleet.scale(kind, self.scales.get(kind, 1))
        fresh = [pid for kind in WORKERS for pid in self.fleet.program_pids(kind)]
        with Measurement(fresh, self.fleet.program_pids("gateway"), self.services) as measurement:
            wait_ended(lambda: not self.fleet.live_jobs())
        jobs = list(self.fleet.db.jobs.find({}, {"state": 1, "started_at": 1, "finished_at": 1}))
        assert len(jobs) == count and all(job["state"] == "succeeded" for job in jobs), "not every job succeeded"
        took = max(job["finished_at"] for job in jobs) - min(job["started_at"] for job in jobs)
        return measurement.sample(count, took.total_seconds())

    def playlist(self):
        """Of one of the jobs, as a file: the S3 server keeps objects so."""
        return self.bucket / self.fleet.db.scenes.find_one({"status": "completed"})["playlist_key"]


class CeleryPipeline(PeerSide):
    def __init__(self, bench, fleet, services):
        super().__init__(bench.peers, fleet, Broker(fleet.env["AMQP_URL"]), bench.scratch, bench.asked.build)
        self.services, self.round = services, 0
        self.bucket = fleet.state / "services/s3/objects" / fleet.env["AWS_STORAGE_BUCKET_NAME"]
        names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_STORAGE_BUCKET_NAME", "AWS_DEFAULT_REGION")
        self.env |= {name: fleet.env[name] for name in names} | {"TMPDIR": str(bench.scratch)}

    def clear(self):
        self.stop()
        self.broker.purge("media")
        for name in ("tasks", "scenes", "r2_file_paths"):
            self.client.peer[name].delete_many({})
        shutil.rmtree(self.bucket / "peer", ignore_errors=True)

    def run(self, url, count, concurrency, **settings):
        self.clear()
        self.round += 1
        subprocess.run([sys.executable, "-c", PRODUCE, str(count), url, str(self.round)], env=self.env, cwd=self.scratch, check=True,
                       timeout=300)
        process = self.start("celery", *CELERY, "-c", str(concurrency), env=settings)
        tasks = self.client.peer.tasks
        with Measurement([process.pid], [], self.services) as measurement:
            wait_ended(lambda: process.poll() is not None or not tasks.find_one({"state": {"$nin": ["completed", "failed"]}}, {"_id": 1}))
        ended = list(tasks.find({}, {"state": 1, "error": 1, "started_at": 1, "finished_at": 1}))
        wrong = [task for task in ended if task["state"] != "completed"]
        assert len(ended) == count and not wrong, f"not every task succeeded: {wrong[:1]}"
        took = max(task["finished_at"] for task in ended) - min(task["started_at"] for task in ended)
        sample = measurement.sample(count, took)
        self.stop()
        return sample

    def playlist(self):
        return self.bucket / self.client.peer.scenes.find_one({"status": "completed"})["playlist_key"]
