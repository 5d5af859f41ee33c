"""The store goes down, hangs, is slow, or breaks connections over a write: answers stay true and come in time, no job suffers."""
import concurrent.futures
import os
import signal
import threading
import time
import uuid

import pytest
import requests

import stored
from deaths import said
from support import processes
from support.processes import wait_until

IN_TIME_S = 4  # the promise is 2 s; this machine may be busy
CLIENTS = 50
OUTAGE_S = 12  # longer than a lease


def task(job, name="hello"):
    return next(one for one in job["tasks"] if one["name"] == name)


def history(fleet, job_id, name="hello"):
    """(runs, crashes, failures) of a task."""
    row = task(fleet.db.jobs.find_one({"_id": job_id}), name)
    return row["run"], row.get("crashes", 0), row.get("failures", 0)


def running(fleet, job_id, name="hello"):
    return fleet.wait_job(job_id, 60, until=lambda job: task(job, name)["state"] == "running")


def events(job):
    return [line["event"] for line in job["log"]]


def refused(answer):
    """As every answer must be while the store does not answer."""
    return (answer.status_code == 503 and answer.json()["code"] == "store-unavailable" and
            int(answer.headers["Retry-After"]) >= 1)


class Crowd:
    """CLIENTS requests at once, reads and posts by turns, each on a connection of its own; asked again, they are the same."""

    first_ms = 0

    def __init__(self, fleet):
        self.fleet = fleet
        self.keys = [uuid.uuid4().hex for _ in range(CLIENTS)]
        Crowd.first_ms += CLIENTS  # what a job sleeps tells whose it is
        self.sleep_ms = range(Crowd.first_ms, Crowd.first_ms + CLIENTS)

    def one(self, number):
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {self.fleet.key}"}
        if number % 2:
            answer = requests.get(f"{self.fleet.url}/api/v1/jobs/01J{number:023d}", headers=headers, timeout=20)
        else:
            answer = requests.post(f"{self.fleet.url}/api/v1/debug/hello", json={"sleep_ms": self.sleep_ms[number]},
                                   headers=headers | {"Idempotency-Key": self.keys[number]}, timeout=20)
        return answer, time.monotonic() - began

    def ask(self):
        """[(answer, seconds)]"""
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as threads:
            return list(threads.map(self.one, range(CLIENTS)))

    def check_one_job_each(self, asked):
        """Whatever became of the posts that were asked, the same keys make one job each."""
        again = self.ask()
        ids = [self.fleet.accepted(answer)["task_id"] for answer, _ in again[::2]]
        for (answer, _), job_id in zip(asked[::2], ids):
            assert answer.status_code == 503 or answer.json()["task_id"] == job_id
        for sleep_ms, job_id in zip(self.sleep_ms[::2], ids):
            assert [job["_id"] for job in self.fleet.db.jobs.find({"params.sleep_ms": sleep_ms})] == [job_id]
            assert self.fleet.wait_job(job_id)["state"] == "succeeded"
            assert history(self.fleet, job_id)[1:] == (0, 0)


def check_all_refused_in_time(asked):
    slowest = max(seconds for _, seconds in asked)
    print(f"{len(asked)} requests at once: the slowest answer came after {slowest:.2f} s")
    for answer, _ in asked:
        assert refused(answer), f"{answer.status_code} {answer.headers} {answer.text}"
    assert slowest < IN_TIME_S


def check_not_ready(fleet):
    answer = fleet.get("/readyz", key="", timeout=IN_TIME_S)
    assert answer.status_code == 503, answer.text
    body = answer.json()
    assert body.get("code") == "store-unavailable" or body["store"] == {"ok": False, "why": "store-unavailable"}, body


def wait_normal(fleet, since):
    """Until a job is accepted and read again."""
    def normal():
        answer = fleet.post("/api/v1/debug/hello", {})
        if answer.status_code != 202:
            return None
        fleet.promised.append(answer.json()["task_id"])
        return fleet.get(f"/api/v1/jobs/{answer.json()['task_id']}").status_code == 200

    wait_until(normal, 60, "normal answers")
    print(f"normal answers {time.monotonic() - since:.2f} s after the store's return")
    wait_until(lambda: fleet.get("/readyz", key="").status_code == 200, 10, "readiness, which is looked at once a second")
    assert fleet.get("/readyz", key="").json()["store"] == {"ok": True}


@pytest.mark.fault(28, "store stopped for 10 s", "SIGTERM, restarted with its data")
def test_store_restart(make_rig):
    """Requests get 503 within 2 s, running tasks go on, one that ends meanwhile is settled afterwards; nothing runs twice."""
    rig = make_rig("restart", "--store", "h2", settings={"MEDIAFLEET_LEASE_S": 60})
    fleet = rig.fleet
    ends_meanwhile, goes_on = fleet.hello(sleep_ms=5000)["task_id"], fleet.hello(sleep_ms=25000)["task_id"]
    for job_id in (ends_meanwhile, goes_on):
        running(fleet, job_id)
    time.sleep(2)  # the development store writes once a second
    pid, crowd = rig.service_pid("store"), Crowd(fleet)
    fleet.services("down", "store")
    assert not processes.alive(pid), "the store is down"
    asked = crowd.ask()
    check_all_refused_in_time(asked)
    check_not_ready(fleet)
    time.sleep(8)
    fleet.services("up", "store")
    wait_normal(fleet, time.monotonic())
    for job_id in (ends_meanwhile, goes_on):
        job = fleet.wait_job(job_id, 90)
        assert job["state"] == "succeeded" and events(job).count("claimed") == 1, job
        assert history(fleet, job_id) == (1, 0, 0)
    crowd.check_one_job_each(asked)


@pytest.mark.fault(29, "store hangs", "SIGSTOP")
def test_store_hangs(rig):
    """50 requests at once, reads and posts, get 503 store-unavailable within 2 s; their keys make one job each afterwards."""
    fleet, crowd = rig.fleet, Crowd(rig.fleet)
    job_id = fleet.hello(sleep_ms=4000)["task_id"]
    running(fleet, job_id)
    pid = rig.service_pid("store")
    processes.stand_still(pid)
    asked = crowd.ask()
    check_all_refused_in_time(asked)
    check_all_refused_in_time(Crowd(fleet).ask())
    check_not_ready(fleet)
    assert processes.threads_stand(pid), "it still hangs"
    os.kill(pid, signal.SIGCONT)
    wait_normal(fleet, time.monotonic())
    crowd.check_one_job_each(asked)
    assert fleet.wait_job(job_id, 90)["state"] == "succeeded"
    assert history(fleet, job_id)[1:] == (0, 0)


@pytest.mark.fault(28, "three outages of the store, each longer than a lease", "connections reset and refused")
def test_three_outages_poison_nothing(rig):
    """A task that loses its lease to each of three outages is handed back: no crash and no failure is counted."""
    fleet = rig.fleet
    job_id = fleet.hello(sleep_ms=15000)["task_id"]
    for outage in range(3):
        running(fleet, job_id)
        rig.store.refuse()
        assert rig.store.reset() > 0
        time.sleep(OUTAGE_S)
        assert rig.store.fired["refuse"] > 0
        assert refused(fleet.get(f"/api/v1/jobs/{job_id}"))
        rig.store.heal()
        wait_until(lambda: history(fleet, job_id)[0] == outage + 2, 60, "the next run")
    job = fleet.wait_job(job_id, 60)
    assert job["state"] == "succeeded" and job["percent"] == 100
    assert history(fleet, job_id) == (4, 0, 0)


@pytest.mark.fault(30, "store slow", "2 s more for every request to it")
def test_store_slow(rig):
    """Answers come within 2 s all the same; leases are renewed, so that a task longer than a lease runs once."""
    fleet, crowd = rig.fleet, Crowd(rig.fleet)
    job_id = fleet.hello(sleep_ms=16000)["task_id"]
    running(fleet, job_id)
    rig.store.latency(2, "up")
    asked = []
    for _ in range(3):
        asked = crowd.ask()
        slowest = sorted(seconds for _, seconds in asked)
        print(f"{len(slowest)} requests at once: {slowest[len(slowest) // 2]:.2f} s in the middle, at most {slowest[-1]:.2f} s")
        assert slowest[-1] < IN_TIME_S
        assert all(answer.status_code in (202, 404) or refused(answer) for answer, _ in asked)
    time.sleep(10)
    assert rig.store.fired["latency"] > 0
    rig.store.heal()
    wait_normal(fleet, time.monotonic())
    assert fleet.wait_job(job_id, 60)["state"] == "succeeded"
    assert history(fleet, job_id) == (1, 0, 0), "it never lost its lease"
    crowd.check_one_job_each(asked)


# --- connections that break around one write ---

ARRIVES = pytest.mark.parametrize("arrives", [True, False], ids=["answer-lost", "request-lost"])


def cut(rig, *match, arrives):
    """The next request with these words breaks its connection, before or after the store has seen it."""
    before = rig.store.fired["cut"]
    rig.store.cut("up", match=[word.encode() for word in match], forward=arrives)
    return lambda: rig.store.fired["cut"] > before


@ARRIVES
@pytest.mark.parametrize("collection", ["jobs", "idempotency"])
@pytest.mark.fault(31, "connection breaks in an insert", "reset before or after the store has seen it")
def test_reset_in_an_insert(rig, collection, arrives):
    """The post is answered 202 or 503; the same Idempotency-Key again makes the same job, and there is one."""
    fleet, key = rig.fleet, uuid.uuid4().hex
    fired = cut(rig, "insert", collection, arrives=arrives)
    before = fleet.db.jobs.count_documents({})
    answers = [fleet.post("/api/v1/debug/hello", {"sleep_ms": 7}, headers={"Idempotency-Key": key}) for _ in range(2)]
    assert fired()
    assert answers[0].status_code == 202 or refused(answers[0])
    job_id = fleet.accepted(answers[1])["task_id"]
    assert answers[0].status_code == 503 or answers[0].json()["task_id"] == job_id
    assert fleet.wait_job(job_id)["state"] == "succeeded"
    assert fleet.db.jobs.count_documents({}) == before + 1
    assert history(fleet, job_id) == (1, 0, 0)


@pytest.mark.fault(31, "every connection breaks in an insert, twice in a row", "reset after the store has seen it")
def test_reset_in_an_insert_and_in_its_repetition(rig):
    """The post is answered 503: nobody knows; the same Idempotency-Key finds the job that was made."""
    fleet, key = rig.fleet, uuid.uuid4().hex
    before = fleet.db.jobs.count_documents({})
    cuts = rig.store.fired["cut"]
    rig.store.cut("up", match=[b"insert", b"jobs"], times=2)
    first = fleet.post("/api/v1/debug/hello", {"sleep_ms": 7}, headers={"Idempotency-Key": key})
    assert rig.store.fired["cut"] == cuts + 2 and refused(first), f"{rig.store.fired} {first.text}"
    again = fleet.accepted(fleet.post("/api/v1/debug/hello", {"sleep_ms": 7}, headers={"Idempotency-Key": key}))
    assert fleet.wait_job(again["task_id"])["state"] == "succeeded"
    assert fleet.db.jobs.count_documents({}) == before + 1
    assert history(fleet, again["task_id"]) == (1, 0, 0)


@ARRIVES
@pytest.mark.fault(31, "connection breaks in a claim", "reset before or after the store has seen it")
def test_reset_in_a_claim(rig, arrives):
    """Whoever claimed knows it afterwards: the task runs once."""
    fleet = rig.fleet
    fired = cut(rig, "findAndModify", "jobs", arrives=arrives)
    job_id = fleet.hello(sleep_ms=50)["task_id"]
    job = fleet.wait_job(job_id)
    assert fired()
    assert job["state"] == "succeeded" and history(fleet, job_id) == (1, 0, 0)


@ARRIVES
@pytest.mark.fault(31, "connection breaks in a settle", "reset before or after the store has seen it")
def test_reset_in_a_settle(rig, arrives):
    """The result is recorded once, by the run that had it, which knows that it was."""
    fleet = rig.fleet
    job_id = fleet.hello(sleep_ms=3000)["task_id"]
    running(fleet, job_id)
    fired = cut(rig, "update", "succeeded", arrives=arrives)
    job = fleet.wait_job(job_id)
    assert fired()
    assert job["state"] == "succeeded" and events(job).count("succeeded") == 1
    assert history(fleet, job_id) == (1, 0, 0)
    wait_until(lambda: said(fleet, "task", job=job_id, state="succeeded"), 20, "its worker's word")
    assert not said(fleet, "task-lost", job=job_id)


@ARRIVES
@pytest.mark.fault(31, "connection breaks in a pulse", "reset before or after the store has seen it")
def test_reset_in_a_pulse(rig, arrives):
    """The lease is renewed by the next one: the task goes on."""
    fleet = rig.fleet
    job_id = fleet.hello(sleep_ms=12000)["task_id"]  # longer than a lease
    running(fleet, job_id)
    fired = cut(rig, "update", "tasks.0.lease_until", "rev", arrives=arrives)
    wait_until(fired, 20, "a pulse")
    job = fleet.wait_job(job_id)
    assert job["state"] == "succeeded" and history(fleet, job_id) == (1, 0, 0)


@ARRIVES
@pytest.mark.fault(31, "connection breaks over the rows of an upload", "reset before or after the store has seen it")
def test_reset_in_an_insert_of_rows(rig, clips, arrives):
    """Every object has its row and every row its object."""
    fleet = rig.fleet
    fired = cut(rig, "r2_file_paths", "pending", arrives=arrives)
    job_id = fleet.store(rig.source.serve_file(clips("small.mp4")))["task_id"]
    job = fleet.wait_job(job_id, 240)
    assert fired()
    assert job["state"] == "succeeded", job
    stored.check_rows(fleet, job)
    assert history(fleet, job_id, "upload")[1] == 0


# --- many writers ---

def swap(fleet, job_id, ended):
    """Does what any transition does: raises rev where it is as read. Returns how often it was saved."""
    saved = 0
    while not ended.is_set():
        rev = fleet.db.jobs.find_one({"_id": job_id}, {"rev": 1})["rev"]
        done = fleet.db.jobs.update_one({"_id": job_id, "rev": rev, "state": "running"}, {"$inc": {"rev": 1}})
        saved += done.modified_count
        time.sleep(0.002)
    return saved


def write_stale(fleet, job_id, ended):
    """Says that the task has succeeded, as of a rev that has passed. Returns how often it was believed."""
    believed = 0
    while not ended.is_set():
        done = fleet.db.jobs.update_one({"_id": job_id, "rev": 0}, {"$set": {"tasks.0.state": "succeeded"}, "$inc": {"rev": 1}})
        believed += done.modified_count
        time.sleep(0.002)
    return believed


def cancel(fleet, job_id, url):
    headers = {"Authorization": f"Bearer {fleet.key}"}
    return requests.post(f"{url}/api/v1/jobs/{job_id}/cancel", headers=headers, timeout=20).status_code


@pytest.mark.fault(32, "eight writers on one job", "swaps and stale writes in a loop, cancels by two gateways, the worker's pulses")
def test_writers_on_one_job(rig):
    """The cancel is never lost, a stale write never saved, the job is told to stop once and ends as cancelled."""
    fleet = rig.fleet
    fleet.scale("gateway", 2)
    try:
        for _ in range(5):
            job_id, ended = fleet.hello(sleep_ms=20000)["task_id"], threading.Event()
            running(fleet, job_id)
            time.sleep(1.2)  # so that it is pulsed
            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                swaps = [threads.submit(swap, fleet, job_id, ended) for _ in range(2)]
                stale = [threads.submit(write_stale, fleet, job_id, ended) for _ in range(2)]
                cancels = [threads.submit(cancel, fleet, job_id, url) for url in fleet.urls * 2]
                try:
                    statuses = [one.result() for one in cancels]
                    job = fleet.wait_job(job_id, 30)
                finally:
                    ended.set()
            assert sum(one.result() for one in swaps) > 0 and sum(one.result() for one in stale) == 0
            assert 202 in statuses and set(statuses) <= {202, 409, 503}, statuses
            assert (job["state"], job["percent"], job["tasks"][0]["state"]) == ("cancelled", 100, "cancelled"), job
            assert events(job).count("stopped") == 1 and "succeeded" not in events(job)
            assert history(fleet, job_id)[0] == 1
    finally:
        fleet.scale("gateway", 1)
