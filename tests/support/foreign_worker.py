"""A hello worker in Python, written from proto/README.md and nothing else: the proof that the page is enough."""
import datetime
import fcntl
import json
import os
import socket
import time

import bson
import pika
import pymongo

LEASE, SKEW = datetime.timedelta(seconds=30), datetime.timedelta(seconds=1)
END = {"due_at": None, "lease_until": None, "percent": 100}  # None: unset
ENDED = {"succeeded", "failed", "cancelled"}


def after(seconds):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


class Worker:
    def __init__(self, env):
        self.env = env
        self.jobs = pymongo.MongoClient(env["MONGODB_URL"], tz_aware=True).get_default_database().jobs
        self.id = f"{socket.gethostname()}.hello.{os.getpid()}.{time.time_ns() // 1_000_000:x}"
        path = os.path.join(env["MEDIAFLEET_WORKSPACE"], ".workers", self.id)
        self.lock = open(path, "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.channel = pika.BlockingConnection(pika.URLParameters(env["AMQP_URL"])).channel()
        self.channel.queue_declare("mediafleet.hello", durable=True, arguments={
            "x-queue-type": "classic", "x-dead-letter-exchange": "mediafleet.dead"})
        self.channel.basic_qos(prefetch_count=1)

    def close(self):
        self.channel.connection.close()
        os.unlink(self.lock.name)
        self.lock.close()

    def work(self, seconds):
        """Takes tickets until nothing has come for so long."""
        for delivery, _, body in self.channel.consume("mediafleet.hello", inactivity_timeout=seconds):
            if delivery is None:
                return
            ticket = json.loads(body)
            if (job := self.claim(ticket["job"], ticket["task"])) is not None:
                self.settle(job["_id"], ticket["task"], job["tasks"][ticket["task"]]["run"], *self.run(job, ticket["task"]))
            self.channel.basic_ack(delivery.delivery_tag)

    def claim(self, job_id, i):
        now, task = after(0), f"tasks.{i}."
        return self.jobs.find_one_and_update(
            {"_id": job_id, task + "state": "queued", task + "due_at": {"$lte": now + SKEW}, task + "crashes": {"$not": {"$gte": 2}}},
            {"$set": {"state": "running", task + "state": "running", task + "worker": self.id,
                      task + "lease_until": now + LEASE, task + "claim": bson.ObjectId()},
             "$inc": {"rev": 1, task + "run": 1},
             "$min": {"alarm_at": now + LEASE, "started_at": now, task + "started_at": now},
             "$push": {"log": {"$each": [{"at": now, "event": "claimed", "by": self.id}], "$slice": -64}}},
            return_document=pymongo.ReturnDocument.AFTER)

    def run(self, job, i):
        """Sleeps as asked, pulses meanwhile. Returns result, error code."""
        task = job["tasks"][i]
        params, rev = task.get("params", {}), job["rev"]
        end = time.monotonic() + params.get("sleep_ms", 0) / 1000
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
            pulsed = self.jobs.update_one(
                {"_id": job["_id"], "rev": rev},
                {"$set": {f"tasks.{i}.lease_until": after(0) + LEASE}, "$max": {f"tasks.{i}.percent": 50}})
            if pulsed.matched_count == 0:
                now = self.jobs.find_one({"_id": job["_id"]})
                if not self.holds(now["tasks"][i], task["run"]):
                    return None, "lease-lost"
                rev = now["rev"]
                if "stop" in now:
                    return None, "cancelled"
        fail = params.get("fail")
        return (None, f"debug-{fail}") if fail else ({"greeting": "hello"}, None)

    def holds(self, task, run):
        return task["state"] == "running" and task["run"] == run and task["worker"] == self.id

    def settle(self, job_id, i, run, result, code):
        for _ in range(32):
            job = self.jobs.find_one({"_id": job_id})
            if not self.holds(job["tasks"][i], run):
                return
            now = after(0)
            changes, event = self.outcome(job, i, result, code, now)
            line = {"rev": job["rev"] + 1, "at": now, "event": event, "task": job["tasks"][i]["name"], "run": run, "by": self.id}
            update = {"$set": {key: value for key, value in changes.items() if value is not None},
                      "$unset": {key: 1 for key, value in changes.items() if value is None},
                      "$inc": {"rev": 1},
                      "$push": {"log": {"$each": [line | ({"code": code} if code else {})], "$slice": -64}}}
            if self.jobs.update_one({"_id": job_id, "rev": job["rev"]}, {k: v for k, v in update.items() if v}).matched_count:
                return

    @staticmethod
    def outcome(job, i, result, code, now):
        """What changes, by dotted path, and the event. Of recipes with one task: nothing waits for it."""
        task, t = job["tasks"][i], f"tasks.{i}."
        error = {"code": code, "detail": "said in Python"}
        ended = {t + key: value for key, value in END.items()} | {t + "finished_at": now}
        changes, event, stop = ended | {t + "state": "cancelled", t + "error": error}, "cancelled", job.get("stop")
        if code is None:
            changes, event = ended | {t + "state": "succeeded", t + "result": result, t + "error": None}, "succeeded"
        elif stop is None and code == "debug-transient" and task.get("failures", 0) + 1 < task["max_attempts"]:
            changes, event = {t + "state": "queued", t + "failures": task.get("failures", 0) + 1, t + "error": error,
                              t + "lease_until": None, t + "due_at": after((5, 30, 120)[task.get("failures", 0)])}, "retrying"
        elif stop is None and code != "cancelled":
            stop = {"code": code, "by": task["name"], "at": now}
            changes, event = ended | {t + "state": "failed", t + "failures": task.get("failures", 0) + 1, t + "error": error,
                                      "stop": stop}, "failed"
        changes |= {"nudges": None, "alarm_at": now}
        if changes[t + "state"] in ENDED and job.get("simple"):
            state = "succeeded" if stop is None else "cancelled" if stop["code"] in ("cancelled", "project-deleted") else "failed"
            changes |= {"state": state, "finished_at": now, "expires_at": after(3 * 86400), "alarm_at": None}
        return changes, event
