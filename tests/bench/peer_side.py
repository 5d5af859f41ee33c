"""The peers' side: FastAPI and Celery on the fleet's own services, as their README tells."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pymongo
import usage
from load import answered, constant_rate, load, write_script
from sample import Sample

QUEUE = "peer"
URL_BODY = '{"url": "http://127.0.0.1/clip.mp4"}'
CELERY = ["-A", "celery_tasks", "worker", "-Q", QUEUE, "--without-gossip", "--without-mingle", "--without-heartbeat"]
# Name: options, and how many messages are fetched ahead for each of its workers (2 x 32 or 100 x 4).
POOLS = {"Celery, prefork 2": (["-c", "2"], "32"), "Celery, gevent 100": (["-P", "gevent", "-c", "100"], "4")}
PREFORK, GEVENT = POOLS
RECORD = {"_id": "1", "state": "queued", "progress": 0, "url": ""}
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

    def __init__(self, directory, fleet, broker, scratch, build):
        self.directory, self.broker, self.scratch, self.build = directory, broker, scratch, build
        self.bin = pathlib.Path(sys.executable).parent
        self.env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHONPATH": str(directory), "HOME": str(scratch),
                    "PYTHONDONTWRITEBYTECODE": "1", "MONGODB_URL": fleet.env["MONGODB_URL"],
                    "AMQP_URL": fleet.env["AMQP_URL"]}
        self.client = pymongo.MongoClient(fleet.env["MONGODB_URL"], serverSelectionTimeoutMS=5000)
        self.services = [int(file.read_text().split()[0]) for file in (fleet.state / "services/run").glob("*.pid")]
        self.post = write_script(scratch / "peer-post.lua", "POST", {}, URL_BODY)
        self.get = write_script(scratch / "peer-get.lua", "GET", {})
        self.running = []

    def start(self, program, *arguments, env=None):
        log = (self.scratch / f"{program}.log").open("ab")
        process = subprocess.Popen([self.bin / program, *arguments], env=self.env | (env or {}), cwd=self.scratch, stdout=log,
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

    def celery(self, pool):
        options, prefetch = POOLS[pool]
        return self.start("celery", *CELERY, *options, env={"PREFETCH": prefetch})

    def accept(self, connections, seconds):
        self.clear()
        url, process = self.gateway()
        load(f"{url}/tasks", self.post, connections, 1)  # its connections are opened
        meter = usage.Meter([process.pid], self.services)
        done = load(f"{url}/tasks", self.post, connections, seconds)
        sample = Sample(done.per_s, *meter.read(done.count))
        self.stop()
        return sample

    def latency(self, rate, connections, seconds):
        self.clear()
        url, process = self.gateway()
        load(f"{url}/tasks", self.post, connections, 1)
        meter = usage.Meter([process.pid], self.services)
        told = constant_rate(self.build, f"{url}/tasks", {}, URL_BODY, rate=rate, seconds=seconds, connections=connections)
        used = meter.read(answered(told))
        self.stop()
        return told, used

    def poll(self, connections, seconds):
        self.clear()
        url, process = self.gateway()
        self.client.peer.tasks.insert_one(RECORD | {"created_at": time.time()})
        load(f"{url}/tasks/1", self.get, connections, 1)
        meter = usage.Meter([process.pid], self.services)
        done = load(f"{url}/tasks/1", self.get, connections, seconds)
        sample = Sample(done.per_s, *meter.read(done.count))
        self.stop()
        return sample

    def poll_running(self, connections, seconds):
        """As poll, with the record's progress written once a second, as a running task would."""
        ended = threading.Event()

        def progress():
            percent = 0
            while not ended.wait(1):
                percent += 1
                self.client.peer.tasks.update_one({"_id": "1"}, {"$set": {"state": "processing", "progress": percent}})

        writer = threading.Thread(target=progress, daemon=True)
        writer.start()
        try:
            return self.poll(connections, seconds)
        finally:
            ended.set()
            writer.join()

    def post_tasks(self, count, timeout):
        """All of them in the queue."""
        subprocess.run([sys.executable, "-c", PRODUCE, str(count)], env=self.env, cwd=self.scratch, check=True,
                       timeout=timeout, capture_output=True)
        while self.broker.depth(QUEUE) < count:
            time.sleep(0.2)

    def drain(self, pool, count, timeout):
        """As the fleet's: the start counts as CPU, not as time."""
        self.clear()
        self.post_tasks(count, timeout)
        process = self.celery(pool)
        meter = usage.Meter([process.pid], self.services)
        self.wait_drained(process, time.monotonic() + timeout)
        cpu, services, peak = meter.read(count)
        times = list(self.client.peer.tasks.find({}, {"started_at": 1, "finished_at": 1}))
        took = max(task["finished_at"] for task in times) - min(task["started_at"] for task in times)
        self.stop()
        return Sample(count / took, cpu, services, peak)

    def wait_drained(self, process, end):
        while self.broker.depth(QUEUE) or self.client.peer.tasks.find_one({"state": {"$ne": "completed"}}):
            assert time.monotonic() < end and process.poll() is None, "Celery does not drain its queue"
            time.sleep(0.5)

    # --- footprint, as the fleet's ---

    def idle(self):
        self.clear()
        roots = {"uvicorn": self.gateway()[1], "celery": self.celery(PREFORK)}
        time.sleep(6)
        found = {name: {pid: usage.sizes(pid) for pid in usage.family([process.pid])} for name, process in roots.items()}
        self.stop()
        return found

    def loaded(self, connections, seconds, count, timeout):
        self.clear()
        url, process = self.gateway()
        with usage.Watch([process.pid]) as uvicorn:
            load(f"{url}/tasks", self.post, connections, seconds)
        self.clear()
        self.post_tasks(count, timeout)
        process = self.celery(PREFORK)
        with usage.Watch([process.pid]) as celery:
            self.wait_drained(process, time.monotonic() + timeout)
        self.stop()
        return {"uvicorn": uvicorn.sizes, "celery": celery.sizes}
