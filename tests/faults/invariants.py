#!/usr/bin/env python3
"""What must be true after every fault, seen from outside: over the API, in MongoDB, the bucket, the queues, files and processes.

    tests/faults/invariants.py --state DIR      of a fleet that deploy/fleet started: all its jobs, once

The numbers are those of the list of invariants in README.md. Links none of the fleet's code, asks the services directly.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import pathlib
import re
import sys

if __name__ == "__main__":
    tests = pathlib.Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(tests), str(tests / "integration")]

import requests

import stored
from sights import KINDS, age_s, fds_of, listing, name_of, open_uploads, queues_of, reader, strays, usage_of
from support import clips
from support.fleet import TERMINAL, Fleet
from support.processes import wait_until
from watch import LOG_MAX, Watch, ends_of

ENDED_S = 120  # after everything was put right: retries, alarms, leases
QUIET_S = 30  # then until tombstones, files and tickets are gone
CRASHES_MAX = 3
VAGUE = {"", "internal", "none", None}  # codes that say nothing
QUEUES = {f"mediafleet.{kind}" for kind in (*KINDS, "dead")}
FDS, THREADS, RSS = 12, 2, 96 << 20  # how much more a process may have than at the beginning
GROWN_UP_S = 60  # a program that is older has done everything once
HELLO_SLOTS = 64
SHOWN, TRACED, LINES = 30, 3, 60  # in a report: problems, jobs of which the logs are shown, lines of them


class Invariants:
    """begin() before the fault, check() after everything was put right, end() always.

    rig         has fleet and ctl(); dead: how many messages the test let die (rig.expect_dead)
    resources   whether the processes' fds, threads and memory are compared (I12)
    """

    def __init__(self, rig, resources=True):
        self.rig, self.fleet, self.resources = rig, rig.fleet, resources
        self.watch = None
        self.before, self.known, self.first = {}, set(), 0
        self.problems = []
        self.ended_s = ENDED_S

    # --- the three calls ---

    def begin(self):
        if self.resources and not getattr(self.rig, "warm", False):
            warm_up(self.rig)
        self.known = {job["_id"] for job in self.fleet.db.jobs.find({}, {"_id": 1})}
        self.first = len(self.fleet.promised)
        self.before = usage_of(self.fleet)
        self.watch = Watch(self.fleet)
        self.watch.start()

    def check(self):
        """Everything; raises one AssertionError that tells all that does not hold."""
        promised = self.fleet.promised[self.first:]
        self.wait_ended()
        if self.watch:
            self.watch.sample_store()
        jobs = [job for job in self.fleet.db.jobs.find({}) if job["_id"] not in self.known]
        self.check_promises(promised, jobs)
        for job in jobs:
            self.check_job(job)
        self.check_bucket(jobs)
        self.check_deleted()
        self.check_workspace()
        self.check_queues()
        if self.resources:
            self.check_processes()
        self.check_reports()
        if self.watch:
            self.watch.stop()
            for job in jobs:  # what ended must be as it ended
                self.watch.see(job)
            self.problems += self.watch.problems
        if self.problems:
            more = f"\n… and {len(self.problems) - SHOWN} more" if len(self.problems) > SHOWN else ""
            raise AssertionError("invariants:\n" + "\n".join(self.problems[:SHOWN]) + more + self.traces())

    def meet(self):
        """Programs that were started meanwhile are compared with now, once they are old enough to have warmed up."""
        for key, usage in usage_of(self.fleet).items():
            if key not in self.before and age_s(key) > GROWN_UP_S:
                self.before[key] = usage

    def end(self):
        if self.watch:
            self.watch.stop()

    def tell(self, what):
        self.problems.append(what)

    def traces(self):
        """What the programs said about the first of the jobs."""
        ids = list(dict.fromkeys(re.findall(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "\n".join(self.problems))))[:TRACED]
        lines = [f"{file.name}: {line}" for file in sorted((self.fleet.state / "log").glob("*.log"))
                 for line in file.read_text(errors="replace").splitlines() if any(job_id in line for job_id in ids)]
        return "\n".join(["", *lines[-LINES:]])

    def settle(self, condition, what, timeout=QUIET_S):
        """Waits for what takes a moment; tells it if it does not come."""
        try:
            wait_until(condition, timeout, what)
        except AssertionError as problem:
            self.tell(str(problem))

    # --- I1, I2, I9: jobs ---

    def wait_ended(self):
        try:
            wait_until(lambda: not self.fleet.live_jobs(), self.ended_s, "the end of all jobs")
        except AssertionError:
            for job in self.fleet.db.jobs.find({"state": {"$in": ["queued", "running"]}}).limit(5):
                tasks = [{key: task.get(key) for key in ("name", "state", "run", "due_at", "worker", "lease_until")} for task in job["tasks"]]
                self.tell(f"I1: job {job['_id']} does not end in {self.ended_s} s: {job['recipe']}, alarm {job.get('alarm_at')}, "
                          f"nudges {job.get('nudges', 0)}, {tasks}, last lines {job['log'][-3:]}")

    def check_promises(self, promised, jobs):
        """What was answered with 202 is told as ended by the API, as the store has it."""
        inside = {job["_id"]: job for job in jobs}
        keys = {"main": self.fleet.key, "other": self.fleet.other_key}
        for job_id in dict.fromkeys(promised):
            if job_id not in inside:
                self.tell(f"I1: job {job_id} was promised and is not in the store")
                continue
            answer = self.fleet.get(f"/api/v1/jobs/{job_id}", key=keys[inside[job_id]["tenant"]])
            if answer.status_code != 200:
                self.tell(f"I1: GET of job {job_id} is answered {answer.status_code} {answer.text[:200]}")
                continue
            shown = answer.json()
            if shown["state"] not in TERMINAL or shown["percent"] != 100:
                self.tell(f"I1: job {job_id} is {shown['state']} at {shown['percent']} %")
            if shown["state"] != inside[job_id]["state"]:
                self.tell(f"I11: job {job_id} is {shown['state']} for the API, {inside[job_id]['state']} in the store")
            code = shown.get("error", {}).get("code")
            if shown["state"] == "failed" and code in VAGUE or shown["state"] == "cancelled" and code not in ("cancelled", "project-deleted"):
                self.tell(f"I1: job {job_id} is {shown['state']} with the error {shown.get('error')}")
            if shown["state"] == "succeeded" and "error" in shown:
                self.tell(f"I1: job {job_id} succeeded with the error {shown['error']}")

    def check_job(self, job):
        tell = lambda what: self.tell(f"job {job['_id']} ({job['recipe']}): {what}")
        log = job.get("log", [])
        if [line["event"] for line in log].count("finished") > 1:
            tell("I2: finished more than once")
        for task in job["tasks"]:
            if task.get("failures", 0) > task["max_attempts"] or task.get("crashes", 0) > CRASHES_MAX:
                tell(f"I9: {task['name']} has {task.get('failures', 0)} failures of {task['max_attempts']}, {task.get('crashes', 0)} crashes")
            if job["state"] in TERMINAL and task["state"] not in TERMINAL:
                tell(f"I1: has ended, and {task['name']} is {task['state']}")
            self.check_runs(job, task, tell)
        claims = sum(line["event"] in ("claimed", "taken-over") for line in log)
        runs = sum(task.get("run", 0) for task in job["tasks"])
        if len(log) < LOG_MAX and claims != runs:
            tell(f"I2: {claims} claims in the log, {runs} runs")
        if job["state"] in TERMINAL and job.get("scene"):
            self.check_scene(job, tell)

    def check_runs(self, job, task, tell):
        """Each run ended once, at most one of them with success, the last one; the counters say what the log says."""
        ends = ends_of(job, task)
        whole = len(job.get("log", [])) < LOG_MAX
        words = collections.Counter(line["event"] for lines in ends.values() for line in lines)
        for run, lines in ends.items():
            if len(lines) > 1:
                tell(f"I2: run {run} of {task['name']} ended {len(lines)} times: {[line['event'] for line in lines]}")
        won = [run for run, lines in ends.items() for line in lines if line["event"] == "succeeded"]
        if won not in ([], [task.get("run")]):
            tell(f"I2: {task['name']} succeeded in runs {won} of {task.get('run')}")
        if whole and words["crashed"] + words["taken-over"] != task.get("crashes", 0):
            tell(f"I9: {task['name']} has {task.get('crashes', 0)} crashes, its log {words['crashed'] + words['taken-over']}")
        if whole and words["retrying"] + words["failed"] != task.get("failures", 0):
            tell(f"I9: {task['name']} has {task.get('failures', 0)} failures, its log {words['retrying'] + words['failed']}")
        missing = [run for run in range(1, task.get("run", 0)) if run not in ends]
        if whole and missing:
            tell(f"I10: runs {missing} of {task['name']} were never ended, and run {task['run']} began")

    def check_scene(self, job, tell):
        """The record of a job that has ended tells it, unless a later job has taken it over."""
        scene = self.fleet.db.scenes.find_one({"_id": job["scene"]})
        if self.is_deleted(job):
            return  # check_deleted
        want = "completed" if job["state"] == "succeeded" else "failed"
        if scene is None or (scene["job"] == job["_id"] and scene["status"] != want):
            tell(f"I1: is {job['state']}, its record {scene and scene['status']}")

    # --- I3 to I6: the bucket ---

    def check_bucket(self, jobs):
        rows = self.fleet.db.r2_file_paths
        self.settle(lambda: not rows.count_documents({"state": {"$ne": "stored"}}), "rows that are neither stored nor gone")
        for row in rows.find({"state": {"$ne": "stored"}}).limit(5):
            self.tell(f"I4: {row['object_key']} is {row['state']} since {row['updated_at']}")
        objects = listing(self.fleet)
        tracked = {row["object_key"]: row for row in rows.find({"state": "stored"})}
        for key in sorted(objects.keys() - tracked.keys())[:10]:
            self.tell(f"I3: no row tells of the object {key}")
        for key in sorted(tracked.keys() - objects.keys())[:10]:
            self.tell(f"I4: there is no object {key}, its row says stored")
        for key in tracked.keys() & objects.keys():
            size, etag = objects[key]
            if size != tracked[key]["size_bytes"] or etag not in (None, tracked[key].get("etag", "").strip('"')):
                self.tell(f"I4: {key} has {size} bytes, ETag {etag}; its row {tracked[key]['size_bytes']}, {tracked[key].get('etag')}")
        read = reader(self.fleet)
        by_job = collections.defaultdict(list)
        for row in tracked.values():
            by_job[row["job"]].append(row)
        for job in jobs:
            self.check_files(job, by_job[job["_id"]], objects, read)
        for upload in open_uploads(self.fleet):
            self.tell(f"I6: an upload is open: {upload}")

    def check_files(self, job, rows, objects, read):
        """I5: a job that succeeded has the files of its winning run, whole; any other one has none."""
        upload = next((task for task in job["tasks"] if task["name"] == "upload"), {})
        stays = job["state"] == "succeeded" and not self.is_deleted(job)
        files = upload.get("result", {}).get("files", 0) if stays else 0
        if len(rows) != files:
            self.tell(f"I5: job {job['_id']} is {job['state']}, uploaded {files} files and has {len(rows)} rows")
        for row in rows:
            if row["object_key"] in objects and hashlib.sha256(read(row["object_key"])).hexdigest() != row["sha256"]:
                self.tell(f"I4: {row['object_key']} has not the content that its row tells of")

    # --- I13: deleted projects ---

    def is_deleted(self, job):
        project = self.fleet.db.projects.find_one({"_id": f"{job['tenant']}/{job.get('project_id')}"}) or {}
        return "deleted_at" in project

    def check_deleted(self):
        """Of a deleted project nothing is left: no scene, no row, no object, no job that runs."""
        db = self.fleet.db
        for project in db.projects.find({"deleted_at": {"$exists": True}}):
            mine = {"tenant": project["tenant"], "project_id": project["project_id"]}
            self.settle(lambda: not db.scenes.count_documents(mine) and not db.r2_file_paths.count_documents(mine),
                        f"the end of the scenes and rows of {project['_id']} (I13)")
            theirs = {row["object_key"] for row in db.r2_file_paths.find({"project_id": project["project_id"]})}
            left = [key for key in listing(self.fleet) if key.startswith(f"projects/{project['project_id']}/") and key not in theirs]
            if left:
                self.tell(f"I13: {project['_id']} was deleted and has {len(left)} objects: {left[:5]}")

    # --- I7, I8: files and queues ---

    def check_workspace(self):
        self.settle(lambda: not self.fleet.job_directories(), "an empty workspace (I7)")
        for name in self.fleet.job_directories()[:5]:
            job = self.fleet.db.jobs.find_one({"_id": name}) or {}
            files = [str(file.relative_to(self.fleet.workspace)) for file in (self.fleet.workspace / name).rglob("*")]
            self.tell(f"I7: left in the workspace: {name} of a job that is {job.get('state')}: {files[:10]}")
        strange = [entry.name for entry in self.fleet.workspace.iterdir() if entry.name.startswith(".") and entry.name != ".workers"]
        locks = self.fleet.workspace / ".workers"
        strange += [entry.name for entry in locks.iterdir() if not re.fullmatch(r".+\.[a-z]+\.\d+\.[0-9a-f]+", entry.name)] if locks.exists() else []
        if strange:
            self.tell(f"I7: nobody knows what these are for: {strange}")

    def check_queues(self):
        want = {name: 0 for name in QUEUES} | {"mediafleet.dead": getattr(self.rig, "dead", 0)}
        try:
            wait_until(lambda: queues_of(self.rig) == want, QUIET_S, "queues")
        except AssertionError:
            self.tell(f"I8: queues hold (ready and unacknowledged) {queues_of(self.rig)} instead of {want}")
        if want["mediafleet.dead"]:
            self.rig.ctl("purge_queue", "mediafleet.dead")
            self.rig.dead = 0

    # --- I12: processes ---

    def check_processes(self):
        """Who lived through it has no more than before; and nobody lives whom nobody started."""
        self.settle(lambda: not self.grown(), "fds, threads and memory as before")
        self.problems += self.grown()
        ours = {pid for pid, _ in usage_of(self.fleet)}
        for pid in strays(self.fleet, ours):
            self.tell(f"I12: process {pid} ({name_of(pid)}) has outlived who started it")

    def growth(self):
        """The most that one process has more than before: (fds, threads, bytes)."""
        both = [(self.before[key], now) for key, now in usage_of(self.fleet).items() if key in self.before]
        return tuple(max((now[i] - was[i] for was, now in both), default=0) for i in range(3))

    def grown(self):
        found = []
        for key, now in usage_of(self.fleet).items():
            was = self.before.get(key)
            if was and any(n > w + slack for n, w, slack in zip(now, was, (FDS, THREADS, RSS))):
                found.append(f"I12: {name_of(key[0])} {key[0]} had (fds, threads, bytes) {was}, has {now}: {fds_of(key[0])}")
        return found

    def check_reports(self):
        for file in self.fleet.sanitizer_reports():
            self.tell(f"a sanitizer's report, {file.name}:\n{file.read_text(errors='replace')[:4000]}")


def warm_up(rig):
    """First uses fill caches, pools and the stacks of threads: they must not count as leaks. Of hello, every slot is used."""
    fleet = rig.fleet
    urls = [rig.source.serve_file(clips.clip("small.mp4")), rig.source.serve_file(clips.clip("picture.jpg"), "picture.jpg", content_type="image/jpeg")]
    ids = [*(fleet.hello(sleep_ms=1000)["task_id"] for _ in range(HELLO_SLOTS)), *(fleet.store(url)["task_id"] for url in urls)]
    for job_id in ids:
        fleet.wait_job(job_id, 120)
    with concurrent.futures.ThreadPoolExecutor(32) as threads:  # every API thread's connections and directories
        list(threads.map(lambda _: requests.get(f"{fleet.url}/readyz", timeout=30), range(96)))
    rig.warm = True


class Standing:
    """A fleet that somebody else has started."""

    def __init__(self, state):
        self.fleet = Fleet(state).look()

    def ctl(self, *arguments):
        return self.fleet.services("ctl", *arguments)


def main():
    parser = argparse.ArgumentParser(description="Checks what must be true of a fleet that was started by deploy/fleet.")
    parser.add_argument("--state", required=True, type=pathlib.Path, help="its state directory")
    standing = Standing(parser.parse_args().state.resolve())
    invariants = Invariants(standing, resources=False)
    jobs = [job["_id"] for job in standing.fleet.db.jobs.find({}, {"_id": 1})]
    standing.fleet.promised += jobs
    try:
        invariants.check()
    except AssertionError as problem:
        print(problem)
        return 1
    print(f"{len(jobs)} jobs: every invariant holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
