"""Tickets are hints: repeated, old, false or missing ones change nothing, and a backlog is not sent twice."""
import datetime
import threading
import time

import pytest

import amqp
from support.processes import wait_until

BACKLOG = 20_000


def ticket(job_id, task=0):
    return {"v": 1, "job": job_id, "task": task}


def dropped(rig):
    """By the workers that live; told by their beats."""
    return amqp.metric(rig, "mediafleet_worker_dropped_total")


@pytest.mark.fault(24, "the same ticket 100 times", "published past the fleet")
def test_duplicates(rig):
    """One run; 99 tickets are acknowledged and dropped, whichever of two workers gets them."""
    rig.fleet.scale("hello", 0)
    try:
        job_id = rig.fleet.hello(sleep_ms=3000)["task_id"]
        amqp.send(rig, *[ticket(job_id)] * 99)
        wait_until(lambda: amqp.depth(rig) == (100, 0), 10, "100 tickets")
        rig.fleet.scale("hello", 2)
        amqp.wait_all(rig, [job_id], 60)
        wait_until(lambda: amqp.messages(rig) == (0, 0), 30, "their acknowledgement")
        wait_until(lambda: dropped(rig) >= 99, 30, "99 dropped")
    finally:
        rig.fleet.scale("hello", 1)


@pytest.mark.fault(25, "tickets out of date", "published past the fleet")
def test_out_of_date(rig):
    """Of jobs that ended, wait, or are unknown, and of tasks that do not exist: acknowledged, counted, without effect."""
    done = rig.fleet.wait_job(rig.fleet.hello()["task_id"])["id"]
    cancelled = amqp.begun(rig, sleep_ms=60000)
    rig.fleet.post(f"/api/v1/jobs/{cancelled}/cancel")
    rig.fleet.wait_job(cancelled, 30)
    running = amqp.begun(rig, sleep_ms=8000)
    retrying = rig.fleet.hello(fail="transient")["task_id"]
    rig.fleet.wait_job(retrying, 30, until=lambda job: job["phase"] == "retrying" and job["tasks"][0]["attempt"] >= 2)
    known = [done, cancelled, running, retrying]
    before = {job["_id"]: job["rev"] for job in rig.fleet.db.jobs.find({"_id": {"$in": known}})}
    was = dropped(rig)
    amqp.send(rig, *[ticket(job_id) for job_id in known] * 3, ticket("01JD3ZZZZZ0123456789ABCDEF"), ticket(done, 5),
              ticket(done, 127))
    wait_until(lambda: dropped(rig) >= was + 15, 30, "their counter")
    after = {job["_id"]: job["rev"] for job in rig.fleet.db.jobs.find({"_id": {"$in": known}})}
    assert after == before
    assert amqp.depth(rig, amqp.DEAD)[0] == 0, "an old ticket is no garbage"
    rig.fleet.post(f"/api/v1/jobs/{retrying}/cancel")
    amqp.wait_all(rig, [running], 30)
    wait_until(lambda: amqp.messages(rig) == (0, 0), 30, "their acknowledgement")


class Depths:
    """The greatest number of tickets that the queue ever held."""

    def __init__(self, rig):
        self.rig, self.greatest, self.stop = rig, 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def look(self):
        with amqp.channel(self.rig) as mine:
            while not self.stop.wait(0.2):
                self.greatest = max(self.greatest, mine.queue_declare(amqp.QUEUE, passive=True).method.message_count)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@pytest.mark.timeout(600)
@pytest.mark.fault(14, "20,000 jobs wait, half of them posted without a broker", "rabbitmqctl stop_app, no worker, two gateways")
def test_backlog_is_not_sent_twice(rig):
    """Each has one ticket, however often reconcilers look at it; then each runs once."""
    jobs = rig.fleet.db.jobs
    first = rig.fleet.wait_job(rig.fleet.hello()["task_id"])["id"]
    rig.fleet.scale("gateway", 2)
    rig.fleet.scale("hello", 0)
    try:
        answers = amqp.post(rig, BACKLOG // 2)
        assert sum(answer["queued"] for answer in answers) > BACKLOG // 4, "some confirms may take longer than the answer"
        amqp.stop(rig)
        try:
            away = amqp.post(rig, BACKLOG // 2)
        finally:
            amqp.start(rig)
        assert not any(answer["queued"] for answer in away)
        ids = [answer["task_id"] for answer in answers + away]
        mine = {"_id": {"$gt": first}}
        stored = jobs.count_documents(mine)
        assert stored >= BACKLOG, "more only where the store was so late that the post was answered with 503"
        with Depths(rig) as depths:
            wait_until(lambda: amqp.depth(rig)[0] >= stored, 60, "a ticket for each")
            wait_until(lambda: jobs.count_documents({"nudges": {"$gte": 2}, **mine}) == stored, 90, "their second alarms")
            # As after hours.
            hours = {"nudges": 9, "alarm_at": datetime.datetime.now(datetime.UTC)}
            jobs.update_many(mine, {"$set": hours, "$inc": {"rev": 1}})
            wait_until(lambda: jobs.count_documents({"nudges": {"$gte": 10}, **mine}) == stored, 150, "many more")
            time.sleep(2)
        assert depths.greatest == stored
        rig.fleet.scale("hello", 2)
        amqp.wait_all(rig, ids, 120)
    finally:
        rig.fleet.scale("hello", 1)
        rig.fleet.scale("gateway", 1)
