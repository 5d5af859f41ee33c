"""The broker goes away, comes back, hangs and takes no messages: jobs are accepted, what runs goes on, what waits comes."""
import socket
import time

import pytest

import amqp
from support.processes import wait_until


def is_listening(rig):
    with socket.socket() as probe:
        return probe.connect_ex(rig.broker.target) == 0


def wait_back(rig):
    amqp.wait_consumers(rig)
    wait_until(lambda: amqp.metric(rig, "mediafleet_publisher_connected") == 1, 30, "the gateway's connection")


@pytest.mark.fault(14, "broker stopped for 10 s", "rabbitmqctl stop_app, start_app")
def test_broker_stopped(rig):
    """Jobs are accepted with queued=false meanwhile; what runs goes on; each job runs once."""
    long = amqp.begun(rig, sleep_ms=14000)
    amqp.stop(rig)
    try:
        assert not is_listening(rig)
        began = time.monotonic()
        answers = [rig.fleet.hello() for _ in range(20)]
        assert [answer["queued"] for answer in answers] == [False] * 20
        ready = rig.fleet.get("/readyz").json()
        assert (ready["ready"], ready["broker"]["ok"]) == (True, False), ready
        time.sleep(max(0, 10 - (time.monotonic() - began)))
    finally:
        amqp.start(rig)
    amqp.wait_all(rig, [long, *(answer["task_id"] for answer in answers)], 60)
    assert rig.fleet.hello()["queued"] is True


@pytest.mark.fault(15, "broker killed", "kill -9 of the node, started again")
def test_broker_killed(rig):
    """Not one confirmed ticket is lost, and none is sent twice."""
    rig.fleet.scale("hello", 0)
    try:
        answers = amqp.post(rig, 300)
        assert all(answer["queued"] for answer in answers)
        amqp.kill(rig)
        wait_until(lambda: not is_listening(rig), 10, "the end of the broker")
        lost = rig.fleet.hello()
        assert lost["queued"] is False
        amqp.revive(rig)
        assert amqp.depth(rig) == (300, 0) or amqp.depth(rig) == (301, 0), "what was confirmed, and what came meanwhile"
    finally:
        amqp.revive(rig)
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, [lost["task_id"], *amqp.promise(rig, answers)], 60)


@pytest.mark.fault(16, "all connections closed by the admin", "rabbitmqctl close_all_connections")
def test_connections_closed(rig):
    """All are back within seconds; what runs goes on."""
    long = amqp.begun(rig, sleep_ms=6000)
    before = rig.broker.accepted
    rig.ctl("close_all_connections", "a test")
    wait_until(lambda: rig.broker.accepted > before, 5, "a new connection")
    wait_back(rig)
    amqp.wait_all(rig, [long, rig.fleet.hello()["task_id"]], 30)


@pytest.mark.fault(17, "broker falls silent", "TCP proxy passes nothing on, heartbeats of 3 s")
def test_broker_silent(rig):
    """Posts are answered with queued=false at once, both ends give the connection up, no thread hangs."""
    with amqp.broker_settings(rig, heartbeat=3):
        wait_back(rig)
        long = amqp.begun(rig, sleep_ms=5000)
        before = rig.broker.accepted
        rig.broker.blackhole()
        began = time.monotonic()
        answers = [rig.fleet.hello() for _ in range(3)]
        assert [answer["queued"] for answer in answers] == [False] * 3
        assert time.monotonic() - began < 15, "a post does not wait for the broker"
        wait_until(lambda: rig.broker.accepted >= before + 2, 60, "the programs giving the connection up")
        wait_until(lambda: amqp.metric(rig, "mediafleet_publisher_connected") == 0, 30, "the gateway's knowing")
        rig.broker.heal()
        assert rig.broker.fired["blackhole"] > 0
        wait_back(rig)
        amqp.wait_all(rig, [long, *(answer["task_id"] for answer in answers)], 60)


ALARMS = [
    pytest.param(("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.6"), id="memory"),
    pytest.param(("set_disk_free_limit", "1000GB"), ("set_disk_free_limit", "50MB"), id="disk"),
]


@pytest.mark.fault(18, "broker's memory alarm", "rabbitmqctl set_vm_memory_high_watermark")
@pytest.mark.fault(19, "broker's disk alarm", "rabbitmqctl set_disk_free_limit")
@pytest.mark.parametrize("alarm, reset", ALARMS)
def test_broker_alarm(rig, alarm, reset):
    """The gateway is told (connection.blocked) and says so; jobs are accepted, workers still acknowledge, all is well after."""
    rig.broker.watch(amqp.CONNECTION_BLOCKED)
    rig.fleet.scale("hello", 0)
    rig.fleet.scale("hello", 1)  # consumes before it has anything to say
    wait_back(rig)
    long = [amqp.begun(rig, sleep_ms=8000) for _ in range(3)]
    rig.ctl(*alarm)
    try:
        answers = []

        def is_blocked():
            answers.append(rig.fleet.hello())
            return amqp.metric(rig, "mediafleet_publisher_blocked") == 1

        wait_until(is_blocked, 30, "connection.blocked")
        answers += [rig.fleet.hello() for _ in range(3)]
        assert [answer["queued"] for answer in answers[-3:]] == [False] * 3
        assert "blocked" in rig.fleet.get("/readyz").json()["broker"]["why"]
        amqp.wait_all(rig, long, 60)
        wait_until(lambda: amqp.messages(rig)[1] == 0, 30, "the acknowledgement of what ended")
    finally:
        rig.ctl(*reset)
    assert rig.broker.seen[amqp.CONNECTION_BLOCKED] > 0
    amqp.wait_all(rig, [answer["task_id"] for answer in answers], 60)
    assert rig.fleet.hello()["queued"] is True


@pytest.mark.fault(18, "broker takes no tickets of a worker", "alarm under a media.store job")
def test_alarm_holds_up_no_acknowledgement(rig, clips):
    """A worker whose own tickets nobody takes acknowledges as ever: publishing has a connection of its own."""
    url = rig.source.serve_file(clips("small.mp4"))
    rig.fleet.wait_job(rig.fleet.store(url)["task_id"], 120)  # so that every worker has published once
    rig.fleet.scale("download", 0)
    jobs = [rig.fleet.store(url)["task_id"] for _ in range(3)]
    wait_until(lambda: amqp.depth(rig, "mediafleet.download")[0] == 3, 30, "three tickets")
    rig.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        rig.fleet.scale("download", 1)
        for job_id in jobs:
            rig.fleet.wait_job(job_id, 60, until=lambda job: job["tasks"][0]["state"] == "succeeded")
        wait_until(lambda: amqp.messages(rig, "mediafleet.download") == (0, 0), 30, "the acknowledgement of the downloads")
        states = {task["state"] for job_id in jobs for task in rig.fleet.job(job_id)["tasks"][1:]}
        assert states <= {"queued", "waiting"}, f"their next tickets are held up: {states}"
    finally:
        rig.ctl("set_vm_memory_high_watermark", "0.6")
    for job_id in jobs:
        job = rig.fleet.wait_job(job_id, 120)
        assert job["state"] == "succeeded", job


def connections(rig):
    """How many were ever made, once everybody is back: nobody waits for longer than 6 s before he tries again."""
    for _ in range(10):
        made = rig.broker.accepted
        time.sleep(7)
        if rig.broker.accepted == made:
            return made
    raise AssertionError("connections are made again and again")


@pytest.mark.fault(17, "a task longer than many heartbeats", "heartbeats of 2 s, a task of 14 s")
def test_heartbeats_under_a_task(rig):
    """Both ends hear of each other while a handler is busy: no connection is lost, the task runs once."""
    with amqp.broker_settings(rig, heartbeat=2):
        wait_back(rig)
        before = connections(rig)
        rig.broker.watch(amqp.HEARTBEAT)
        long = amqp.begun(rig, sleep_ms=14000)
        amqp.wait_all(rig, [long], 60)
        assert rig.broker.seen[amqp.HEARTBEAT] >= 2 * 7
        assert rig.broker.accepted == before, "a connection was lost"
