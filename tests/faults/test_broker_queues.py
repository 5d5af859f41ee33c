"""Queues deleted, purged, full or of the wrong make; a consumer that the broker throws out."""
import time

import pytest
import requests

import amqp
from support.processes import wait_until

RECOVERED_S = 15  # promised; what follows, the test machine's work on it, comes on top
SLACK_S = 15


def management(rig, method, path, **body):
    url = rig.fleet.read_services_env()["MEDIAFLEET_MANAGEMENT_URL"]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(method, f"{url}/api/{path}", json=body or None, timeout=20)
    answer.raise_for_status()


@pytest.mark.fault(20, "queue deleted under load", "rabbitmqctl delete_queue")
def test_queue_deleted(rig):
    """The consumer is told (basic.cancel) and declares the queue anew; tickets that were in it are sent again within 15 s."""
    rig.broker.watch(amqp.BASIC_CANCEL)
    long = [amqp.begun(rig, sleep_ms=5000) for _ in range(3)]
    answers = amqp.post(rig, 400, sleep_ms=700)
    rig.ctl("delete_queue", amqp.QUEUE)
    answers += amqp.post(rig, 100)
    assert rig.broker.seen[amqp.BASIC_CANCEL] > 0
    amqp.wait_all(rig, [*long, *amqp.promise(rig, answers)], RECOVERED_S + SLACK_S)
    assert amqp.depth(rig)[1] == 1


@pytest.mark.fault(20, "ticket that no queue takes", "rabbitmqctl delete_queue, nobody consumes")
def test_ticket_returned(rig):
    """The gateway declares the queue anew (basic.return) and sends the ticket again; its client sees queued=true."""
    rig.broker.watch(amqp.BASIC_RETURN)
    rig.fleet.scale("hello", 0)
    try:
        rig.ctl("delete_queue", amqp.QUEUE)
        assert amqp.depth(rig) is None
        job_id = rig.fleet.hello()["task_id"]
        wait_until(lambda: amqp.depth(rig) == (1, 0), 10, "the queue with its ticket")
        assert rig.broker.seen[amqp.BASIC_RETURN] == 1
    finally:
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, [job_id], 30)


@pytest.mark.fault(21, "queue purged", "rabbitmqctl purge_queue of an old backlog")
def test_queue_purged(rig):
    """Every job whose ticket was thrown away has a new one within 15 s, however long it had waited before."""
    rig.fleet.scale("hello", 0)
    try:
        ids = amqp.promise(rig, amqp.post(rig, 300))
        wait_until(lambda: rig.fleet.db.jobs.count_documents({"_id": {"$in": ids}, "nudges": {"$gte": 2}}) == 300, 60,
                   "the reconciler's second look")
        assert amqp.depth(rig) == (300, 0), "no ticket is repeated while all are there"
        rig.ctl("purge_queue", amqp.QUEUE)
        began = time.monotonic()
        wait_until(lambda: amqp.depth(rig)[0] >= 300, RECOVERED_S, "tickets")
        assert time.monotonic() - began < RECOVERED_S
        time.sleep(3)
        assert amqp.depth(rig) == (300, 0)
    finally:
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, ids, 60)


@pytest.mark.fault(21, "queue purged under load", "rabbitmqctl purge_queue while it is never empty")
def test_queue_purged_under_load(rig):
    """Lost tickets are sent again although other jobs' tickets fill the queue all the time."""
    rig.fleet.scale("hello", 0)
    try:
        lost = amqp.promise(rig, amqp.post(rig, 200))
        rig.ctl("purge_queue", amqp.QUEUE)
        others = amqp.promise(rig, amqp.post(rig, 100))
        wait_until(lambda: amqp.depth(rig)[0] >= 300, RECOVERED_S + SLACK_S, "tickets for all")
    finally:
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, [*lost, *others], 60)


@pytest.mark.fault(22, "exchange deleted", "management API, under a running fleet and before a start")
def test_exchange_deleted(rig):
    """Who connects declares what is missing; who is connected connects anew."""
    management(rig, "DELETE", "exchanges/%2f/mediafleet")
    with pytest.raises(requests.HTTPError):
        management(rig, "GET", "exchanges/%2f/mediafleet")
    job_id = rig.fleet.hello()["task_id"]
    amqp.wait_all(rig, [job_id], 30)
    rig.fleet.scale("hello", 0)
    rig.fleet.scale("gateway", 0)
    try:
        management(rig, "DELETE", "exchanges/%2f/mediafleet")
        management(rig, "DELETE", f"queues/%2f/{amqp.QUEUE}")
    finally:
        rig.fleet.scale("gateway", 1)
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, [rig.fleet.hello()["task_id"]], 30)


@pytest.mark.fault(22, "queue of other arguments at the start", "management API")
def test_queue_of_other_arguments(rig):
    """A worker says so and ends with 78; a gateway says so and answers /readyz with 503, until the queue is right."""
    rig.fleet.scale("hello", 0)
    rig.ctl("delete_queue", amqp.QUEUE)
    management(rig, "PUT", f"queues/%2f/{amqp.QUEUE}", durable=True, arguments={"x-max-length": 7})
    try:
        worker = rig.start("hello")
        assert worker.wait(30) == 78
        fatal = next(line for line in worker.log().splitlines() if "broker-refuses" in line)
        assert '"level":"error"' in fatal and "PRECONDITION_FAILED" in fatal and amqp.QUEUE in fatal
        gateway = rig.start("gateway")

        def readiness():
            """Status, whether it is ready, and what is wrong with the broker."""
            try:
                answer = rig.fleet.get(f"{gateway.url}/readyz")
            except requests.ConnectionError:
                return None
            return answer.status_code, answer.json()["ready"], answer.json()["broker"].get("why")

        wait_until(lambda: readiness() == (503, False, "the broker refuses our queues' arguments"), 30, "why")
        wait_until(lambda: "broker-refuses" in gateway.log(), 5, "the gateway's word")
        assert "PRECONDITION_FAILED" in gateway.log()
        rig.ctl("delete_queue", amqp.QUEUE)
        wait_until(lambda: readiness() == (200, True, None), 30, "the gateway's recovery")
    finally:
        if amqp.depth(rig) is not None:
            rig.ctl("delete_queue", amqp.QUEUE)
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, [rig.fleet.hello()["task_id"]], 30)


@pytest.mark.fault(23, "consumer timeout", "consumer_timeout of 3 s, tasks of 12 s")
def test_consumer_timeout(rig):
    """The channel is opened again; tasks go on under their leases, tickets that come again are acknowledged."""
    with amqp.broker_settings(rig, consumer_timeout=3000, channel_tick_interval=1000):
        rig.broker.watch(b"delivery acknowledgement on channel")
        before = rig.broker.accepted
        long = [amqp.begun(rig, sleep_ms=12000) for _ in range(3)]
        amqp.wait_all(rig, [*long, *(rig.fleet.hello()["task_id"] for _ in range(5))], 60)
        assert rig.broker.seen[b"delivery acknowledgement on channel"] > 0
        wait_until(lambda: amqp.messages(rig) == (0, 0), 30, "the acknowledgement of all")
        assert rig.broker.accepted == before, "a new channel is enough"


@pytest.mark.fault(27, "confirm refused", "policy max-length 1, overflow reject-publish")
def test_publish_refused(rig):
    """Jobs that the broker nacks are accepted with queued=false and sent again later."""
    rig.broker.watch(amqp.BASIC_NACK)
    rig.fleet.scale("hello", 0)
    rig.ctl("set_policy", "--apply-to", "queues", "full", "^mediafleet\\.hello$",
            '{"max-length": 1, "overflow": "reject-publish"}')
    try:
        wait_until(lambda: rig.fleet.hello()["queued"] is False, 30, "a nack")
        assert rig.broker.seen[amqp.BASIC_NACK] > 0
        answers = amqp.post(rig, 20)
        assert not any(answer["queued"] for answer in answers)
        time.sleep(12)  # the reconciler tries, in vain
        assert amqp.depth(rig)[0] <= 2
    finally:
        rig.ctl("clear_policy", "full")
        rig.fleet.scale("hello", 1)
    amqp.wait_all(rig, amqp.promise(rig, answers), 60)
