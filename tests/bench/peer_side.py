"""The peers' side: FastAPI and Celery on the fleet's own services, as their README tells."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pymongo
import usage
from load import load, write_script
from sample import Sample

QUEUE = "peer"
URL_BODY = '{"url": "http://127.0.0.1/clip.mp4"}'
CELERY = ["-A", "celery_tasks", "worker", "-Q", QUEUE, "-c", "2", "--without-gossip", "--without-mingle",
          "--without-heartbeat"]
# Without confirms: what is produced here is not measured.
PRODUCE = """
import sys, time
from celery_tasks import app, noop, tasks
app.conf.broker_transport_options = {}
ids = [str(number) for number in range(int(sys.argv[1]))]
for at in range(0, len(ids), 1000):
    tasks().insert_many([{"_id": id, "state": "queued", "progress": 0, "url": "", "created_at": time.time()}
                         for id in ids[at:at + 1000]])
with app.producer_pool.acquire(block=True) as producer:
    for id in ids:
        noop.apply_async((id,), queue="peer", producer=producer)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PeerSide:
    name = "peer"

    def __init__(self, directory, fleet, broker, scratch):
        self.directory, self.broker, self.scratch = directory, broker, scratch
        self.bin = pathlib.Path(sys.executable).parent
        self.env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHONPATH": str(directory), "HOME": str(scratch),
                    "PYTHONDONTWRITEBYTECODE": "1", "MONGODB_URL": fleet.env["MONGODB_URL"],
                    "AMQP_URL": fleet.env["AMQP_URL"]}
        self.client = pymongo.MongoClient(fleet.env["MONGODB_URL"], serverSelectionTimeoutMS=5000)
        self.services = [int(file.read_text().split()[0]) for file in (fleet.state / "services/run").glob("*.pid")]
        self.post = write_script(scratch / "peer-post.lua", "POST", {}, URL_BODY)
        self.get = write_script(scratch / "peer-get.lua", "GET", {})
        self.running = []

    def start(self, program, *arguments):
        log = (self.scratch / f"{program}.log").open("ab")
        process = subprocess.Popen([self.bin / program, *arguments], env=self.env, cwd=self.scratch, stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.running.append(process)
        return process

    def stop(self):
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running = []

    def clear(self):
        self.stop()
        self.broker.purge(QUEUE)
        self.client.peer.tasks.delete_many({})

    def gateway(self):
        """Starts it and waits until it answers; returns its address."""
        url = f"http://127.0.0.1:{free_port()}"
        process = self.start("uvicorn", "fastapi_gateway:api", "--workers", "2", "--port", url.rpartition(":")[2])
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{url}/openapi.json", timeout=5).close()
                return url, process
            except OSError:
                assert time.monotonic() < end and process.poll() is None, "uvicorn does not start"
                time.sleep(0.2)

    def accept(self, connections, seconds):
        self.clear()
        url, process = self.gateway()
        load(f"{url}/tasks", self.post, connections, 1)  # its connections are opened
        meter = usage.Meter([process.pid], self.services)
        done = load(f"{url}/tasks", self.post, connections, seconds)
        sample = Sample(done.per_s, *meter.read(done.count))
        self.stop()
        return sample

    def poll(self, connections, seconds):
        self.clear()
        url, process = self.gateway()
        self.client.peer.tasks.insert_one({"_id": "1", "state": "queued", "progress": 0, "url": "",
                                           "created_at": time.time()})
        load(f"{url}/tasks/1", self.get, connections, 1)
        meter = usage.Meter([process.pid], self.services)
        done = load(f"{url}/tasks/1", self.get, connections, seconds)
        sample = Sample(done.per_s, *meter.read(done.count))
        self.stop()
        return sample

    def drain(self, count, timeout):
        self.clear()
        subprocess.run([sys.executable, "-c", PRODUCE, str(count)], env=self.env, cwd=self.scratch, check=True,
                       timeout=timeout, capture_output=True)
        process = self.start("celery", *CELERY)
        meter = usage.Meter([process.pid], self.services)
        tasks, end = self.client.peer.tasks, time.monotonic() + timeout
        while self.broker.depth(QUEUE) or tasks.find_one({"state": {"$ne": "completed"}}):
            assert time.monotonic() < end and process.poll() is None, "Celery does not drain its queue"
            time.sleep(0.2)
        cpu, services, peak = meter.read(count)
        times = list(tasks.find({}, {"started_at": 1, "finished_at": 1}))
        took = max(task["finished_at"] for task in times) - min(task["started_at"] for task in times)
        self.stop()
        return Sample(count / took, cpu, services, peak)

    def footprint(self):
        self.clear()
        gateway, worker = self.gateway()[1], self.start("celery", *CELERY)
        time.sleep(6)
        sizes = {}
        for label, process in (("uvicorn", gateway), ("celery", worker)):
            for pid in usage.family([process.pid]):
                name = label if pid == process.pid else f"{label}, child"
                size = usage.memory_mb(pid, "RssAnon"), usage.memory_mb(pid, "VmRSS")
                sizes[name] = max(size, sizes.get(name, (0, 0)))
        self.stop()
        return sizes
