"""Jobs as they change, seen from outside while the fault acts: what no look at the end could tell any more.

A thread samples the store itself (never through the proxies), another one the API, which may be away. What must hold between
two sights of a job is said in Story: a terminal state never changes, percent never falls, a result is recorded once, and no run
begins while another one of the same task holds a live lease.
"""
import collections
import datetime
import hashlib
import os
import pathlib
import threading
import time

import bson
import pymongo
import requests

from support import processes
from support.fleet import TERMINAL

STORE_S, API_S = 0.1, 1.0
BUSY_SHARE = 4  # a sample that takes long is followed by a pause four times as long
LOG_MAX = 64  # lines of a job's log: longer ones have lost their beginning
SKEW = datetime.timedelta(seconds=1)  # of two processes' clocks
LIVE = {"state": {"$in": ["queued", "running"]}}
OWN_WORD = {"succeeded", "failed", "retrying", "released", "cancelled"}  # a run ends by its worker's own word, or
DECLARED = {"crashed", "taken-over"}  # by somebody else's


def percent_of(job):
    """As the API shows it."""
    if job["state"] in TERMINAL:
        return 100
    weights = sum(task.get("weight", 0) for task in job["tasks"])
    done = sum(task.get("weight", 0) * task.get("percent", 0) for task in job["tasks"])
    return min(99, done // weights) if weights else 0


def ends_of(job, task):
    """{run: [log lines that ended it]} of a task."""
    ends = collections.defaultdict(list)
    for line in job.get("log", []):
        if line.get("task") == task["name"] and line.get("event") in OWN_WORD | DECLARED and line.get("run"):
            ends[line["run"]].append(line)
    return ends


class Workers:
    """Which processes have been seen as workers, so that a pid that came to somebody else is not taken for alive."""

    def __init__(self):
        self.started = {}

    @staticmethod
    def start_time(pid):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]

    def see(self, worker):
        if worker and worker not in self.started:
            self.started[worker] = self.start_time(worker.rsplit(".", 2)[1])

    def dead(self, worker):
        """A stopped process is not dead, nor is one that nobody has waited for while its threads go on."""
        self.see(worker)
        return self.started[worker] is None or self.start_time(worker.rsplit(".", 2)[1]) != self.started[worker]

    def of_this_host(self, worker):
        return worker.rsplit(".", 3)[0] == os.uname().nodename


class Story:
    """One job from sight to sight."""

    def __init__(self, job, workers, tell):
        self.id, self.workers = job["_id"], workers
        self.tell = lambda what: tell(f"job {job['_id']}: {what}")
        self.leases = {}  # of a task's run: the latest end that was seen
        self.ended = None  # the digest of the terminal document
        self.last = None
        self.see(job)

    def see(self, job):
        if self.ended:
            if hashlib.sha256(bson.encode(job)).hexdigest() != self.ended:
                self.tell(f"I11: changed after its end: rev {job.get('rev')}, {job.get('state')}, last lines {job.get('log', [])[-2:]}")
            return
        if self.last == job:
            return
        if self.last:
            self.compare(self.last, job)
        for i, task in enumerate(job["tasks"]):
            if task["state"] == "running":
                self.workers.see(task.get("worker"))
                self.leases[i, task["run"]] = max(task["lease_until"], self.leases.get((i, task["run"]), task["lease_until"]))
        self.last = job
        if job["state"] in TERMINAL:
            self.ended = hashlib.sha256(bson.encode(job)).hexdigest()
            self.last, self.leases = None, {}

    def compare(self, before, after):
        if after["rev"] < before["rev"]:
            self.tell(f"I11: rev fell from {before['rev']} to {after['rev']}")
        if percent_of(after) < percent_of(before):
            self.tell(f"I11: percent fell from {percent_of(before)} to {percent_of(after)}")
        for i, (old, new) in enumerate(zip(before["tasks"], after["tasks"])):
            self.compare_task(i, old, new, after)

    def compare_task(self, i, old, new, job):
        name = new["name"]
        if new.get("percent", 0) < old.get("percent", 0):
            self.tell(f"I11: percent of {name} fell from {old.get('percent', 0)} to {new.get('percent', 0)}")
        if old["state"] in TERMINAL and new["state"] != old["state"]:
            self.tell(f"I11: {name} was {old['state']} and is {new['state']}")
        if old["state"] in TERMINAL and "result" in old and new.get("result") != old["result"]:
            self.tell(f"I2: the result of {name} was replaced: {old['result']}, then {new.get('result')}")
        if new.get("run", 0) < old.get("run", 0):
            self.tell(f"I10: the run of {name} fell from {old['run']} to {new.get('run', 0)}")
        if old["state"] == "running" and (new["state"] != "running" or new["run"] != old["run"]):
            self.check_end(i, old, job)

    def check_end(self, i, old, job):
        """That run has ended. By its worker's own word; or somebody else said so, who may only when its lease was over or
        its process provably dead: on this host, gone."""
        lines = ends_of(job, old)[old["run"]]
        task = job["tasks"][i]
        if not lines and len(job.get("log", [])) < LOG_MAX and task["state"] not in TERMINAL:
            self.tell(f"I10: run {old['run']} of {old['name']} was not ended, and it is {task['state']} with run {task['run']}")
        for line in lines:
            over = line["at"] + SKEW >= self.leases[i, old["run"]]
            dead = self.workers.of_this_host(old["worker"]) and self.workers.dead(old["worker"])
            if line["event"] in DECLARED and not dead and (line["event"] == "taken-over" or not over):
                self.tell(f"I10: run {old['run']} of {old['name']} was called {line['event']} at {line['at']} while {old['worker']} "
                          f"lived and held it until {self.leases[i, old['run']]}")


class Watch:
    """Both threads, from start() to stop(). problems: what did not hold."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.workers, self.stories = Workers(), {}
        self.shown = {}  # id: (state, percent) as the API told last
        self.samples = collections.Counter()
        self.live, self.going = 0, set()  # at the last sample
        self.found = {}  # in their order, each once
        self.stopping = threading.Event()
        self.threads = []

    @property
    def problems(self):
        return list(self.found)

    def tell(self, what):
        self.found.setdefault(what, None)

    def start(self):
        self.client = pymongo.MongoClient(self.fleet.env["MONGODB_URL"], serverSelectionTimeoutMS=1000, socketTimeoutMS=3000)
        self.jobs = self.client.get_default_database().jobs
        for work, pause in ((self.sample_store, STORE_S), (self.sample_api, API_S)):
            thread = threading.Thread(target=self.repeat, args=(work, pause), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(15)
        self.threads.clear()
        self.client.close()

    def repeat(self, work, pause):
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                work()
                self.samples[work.__name__] += 1
            except (pymongo.errors.PyMongoError, requests.RequestException):
                self.samples[work.__name__ + " in vain"] += 1
            self.stopping.wait(max(pause, BUSY_SHARE * (time.monotonic() - began)))

    # --- the store ---

    def sample_store(self):
        """All live jobs, and once more those that were live and are no more."""
        live = {job["_id"]: job for job in self.jobs.find(LIVE)}
        self.live = len(live)
        gone = self.going - live.keys()
        for job in [*live.values(), *self.find(gone)]:
            self.see(job)
        self.going = set(live)

    def find(self, ids):
        """Of thousands all between the first and the last are read: the store is slow to match a long list of ids."""
        wanted = {"$in": list(ids)} if len(ids) < 500 else {"$gte": min(ids), "$lte": max(ids)}
        return (job for job in self.jobs.find({"_id": wanted}) if job["_id"] in ids)

    def see(self, job):
        story = self.stories.get(job["_id"])
        if story:
            story.see(job)
        else:
            self.stories[job["_id"]] = Story(job, self.workers, self.tell)

    # --- the API ---

    def sample_api(self):
        for url in self.fleet.urls:
            with requests.Session() as http:  # no connection stays open: fds are counted
                http.trust_env = False
                answer = http.get(f"{url}/api/v1/jobs?limit=200", timeout=3,
                                  headers={"Authorization": f"Bearer {self.fleet.key}", "Connection": "close"})
            if answer.status_code == 200:
                for job in answer.json()["jobs"]:
                    self.see_shown(job)

    def see_shown(self, job):
        """One sight through the API; also of single jobs that somebody else asked for."""
        state, percent = job["state"], job["percent"]
        was_state, was_percent = self.shown.get(job["id"], (state, percent))
        if was_state in TERMINAL and state != was_state:
            self.tell(f"job {job['id']}: I11: the API showed {was_state} and then {state}")
        if percent < was_percent:
            self.tell(f"job {job['id']}: I11: the API showed {was_percent} % and then {percent} %")
        if (percent == 100) != (state in TERMINAL):
            self.tell(f"job {job['id']}: I1: the API showed {state} with {percent} %")
        self.shown[job["id"]] = state, percent
