"""Tickets that no worker can read, or that came to the wrong one: put aside with the reason, and nothing stops for them."""
import contextlib
import random

import pika
import pytest

from support.processes import wait_until

ULID = "01J00000000000000000000001"
KEPT = 512  # of a message's bytes, in mediafleet.dead

GARBAGE = {
    "random bytes": (random.Random(7).randbytes(150), "invalid-encoding"),
    "a megabyte": (b"x" * (1 << 20), "out-of-range: a ticket of 1048576 bytes"),
    "nothing": (b"", "malformed-json"),
    "half a ticket": (b'{"v":1,"job":', "malformed-json"),
    "another version": (f'{{"v":2,"job":"{ULID}","task":0}}'.encode(), "out-of-range at /v"),
    "no such task": (f'{{"v":1,"job":"{ULID}","task":999}}'.encode(), "out-of-range at /task"),
    "a task below none": (f'{{"v":1,"job":"{ULID}","task":-1}}'.encode(), "out-of-range at /task"),
    "a list": (b"[1,2,3]", "invalid-type"),
    "another shape": (b'{"v":{"job":[]},"job":7,"task":"download"}', "invalid-type at /v"),
    "no job": (b'{"v":1,"task":0}', "missing-field at /job"),
    "a path for a job": (b'{"v":1,"job":"../../../../../../etc/pass","task":0}', "invalid-id"),
}


@pytest.fixture
def channel(rig):
    """To the broker itself, past the proxy."""
    connection = pika.BlockingConnection(pika.URLParameters(rig.fleet.read_services_env()["AMQP_URL"]))
    yield connection.channel()
    with contextlib.suppress(pika.exceptions.AMQPError):
        connection.close()


def publish(channel, body, queue="mediafleet.hello"):
    channel.basic_publish("mediafleet", queue, body, pika.BasicProperties(content_type="application/json", delivery_mode=2))


def take_dead(channel, count):
    """(routing key, headers, body) of what lies in mediafleet.dead, once there is so much; takes it out."""
    taken = []

    def enough():
        method, properties, body = channel.basic_get("mediafleet.dead", auto_ack=True)
        if method is not None:
            taken.append((method.routing_key, properties.headers or {}, body))
        return len(taken) >= count

    wait_until(enough, 60, f"{count} dead messages")
    assert channel.basic_get("mediafleet.dead", auto_ack=True)[0] is None
    return taken


def task(rig, job_id, index=0):
    return rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"][index]


@pytest.mark.fault(26, "garbage instead of a ticket", "bytes of eleven kinds published to the queue")
def test_garbage(rig, channel):
    """each lies in mediafleet.dead with its reason, its queue and at most 512 of its bytes; the worker lives and works on"""
    worker = rig.fleet.pids("hello")
    for body, _ in GARBAGE.values():
        publish(channel, body)
    dead = take_dead(channel, len(GARBAGE))
    for name, (body, reason) in GARBAGE.items():
        found = [headers for key, headers, kept in dead if kept == body[:KEPT] and key == "mediafleet.hello"]
        assert len(found) == 1, name
        assert found[0]["x-mediafleet-reason"].startswith(reason), (name, found[0])
        assert (found[0]["x-mediafleet-queue"], found[0]["x-mediafleet-bytes"]) == ("mediafleet.hello", len(body)), name
        assert ".hello." in found[0]["x-mediafleet-worker"], name
        assert "x-death" not in found[0], name
    assert rig.fleet.wait_job(rig.fleet.hello()["task_id"])["state"] == "succeeded"
    assert rig.fleet.pids("hello") == worker


@pytest.mark.fault(26, "garbage while the broker takes no messages", "rabbitmqctl set_vm_memory_high_watermark")
def test_garbage_while_publishing_is_blocked(rig, channel):
    """the broker itself moves it to mediafleet.dead; acknowledgements go on"""
    rig.fleet.scale("hello", 0)
    publish(channel, b"garbage")
    job_id = rig.fleet.hello()["task_id"]
    wait_until(lambda: channel.queue_declare("mediafleet.hello", passive=True).method.message_count >= 2, 20, "both messages")
    rig.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        rig.fleet.scale("hello", 1)
        assert rig.fleet.wait_job(job_id)["state"] == "succeeded"
        wait_until(lambda: "block" in rig.ctl("list_connections", "state"), 30, "a blocked connection")
        dead = take_dead(channel, 1)
        assert (dead[0][2], dead[0][1]["x-death"][0]["reason"]) == (b"garbage", "rejected")
    finally:
        rig.ctl("set_vm_memory_high_watermark", "0.4")
    # What waited in the publisher's connection comes now, if it was sent at all.
    assert rig.fleet.wait_job(rig.fleet.hello()["task_id"])["state"] == "succeeded"
    while channel.basic_get("mediafleet.dead", auto_ack=True)[0] is not None:
        pass


@pytest.mark.fault(26, "ticket in the queue of another kind", "the ticket of a download published to the hello queue")
def test_ticket_in_the_wrong_queue(rig, channel, clips):
    """dropped: no handler runs another kind's task; the right worker does it"""
    rig.fleet.scale("download", 0)
    try:
        job_id = rig.fleet.store(rig.source.serve_file(clips("small.mp4")))["task_id"]
        publish(channel, f'{{"v":1,"job":"{job_id}","task":0}}'.encode())
        log = rig.fleet.state / "log/hello-1.log"
        wait_until(lambda: "misrouted-ticket" in log.read_text() and job_id in log.read_text(), 30, "the worker's word on it")
        assert (task(rig, job_id)["state"], task(rig, job_id).get("run", 0)) == ("queued", 0)
    finally:
        rig.fleet.scale("download", 1)
    assert rig.fleet.wait_job(job_id, 120)["state"] == "succeeded"
    assert ".download." in task(rig, job_id)["worker"]


@pytest.mark.fault(26, "ticket for a task that its job does not have", "task 100 of a hello job published to the queue")
def test_ticket_for_no_task(rig, channel):
    """acknowledged and dropped; the job is as it was, mediafleet.dead stays empty"""
    job = rig.fleet.wait_job(rig.fleet.hello()["task_id"])
    publish(channel, f'{{"v":1,"job":"{job["id"]}","task":100}}'.encode())
    assert rig.fleet.wait_job(rig.fleet.hello()["task_id"])["state"] == "succeeded"
    wait_until(lambda: queue_length(rig, "mediafleet.hello") == 0, 20, "an empty queue")
    assert rig.fleet.job(job["id"]) == job
    assert channel.basic_get("mediafleet.dead", auto_ack=True)[0] is None


def queue_length(rig, name):
    lines = (line.split() for line in rig.ctl("list_queues", "-q", "--no-table-headers", "name", "messages").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}[name]
