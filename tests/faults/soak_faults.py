"""The soak's faults: each function marked @fault is one kind, fires once, asserts that it has, and puts right what it broke."""
import json
import os
import random
import signal
import time
import uuid

import pika

import s3_faults
from support import processes
from support.processes import wait_until

WORKERS = {"hello": 2, "download": 1, "transcode": 2, "thumbnail": 1, "upload": 2, "cleanup": 1, "storage": 1}
GATEWAYS = 2
LEASE_S = 10
FAULTS = {}  # by name


def fault(function):
    FAULTS[function.__name__] = function
    return function


class Injector:
    """fire(name) returns what the fault did, in words; None if its name says all."""

    def __init__(self, rig, flow, seed):
        self.rig, self.fleet, self.flow = rig, rig.fleet, flow
        self.random = random.Random(f"{seed}-faults")

    def order(self):
        """Without an end; every kind once before any comes again."""
        while True:
            yield from self.random.sample(list(FAULTS), len(FAULTS))

    def fire(self, name):
        try:
            return FAULTS[name](self)
        finally:
            for proxy in self.rig.proxies:
                proxy.heal()

    # --- tools ---

    def some_worker(self):
        """(kind, the process that works), of whatever kind."""
        kind = self.random.choice(list(WORKERS))
        return kind, self.random.choice(wait_until(lambda: self.fleet.pids(kind), 30, f"a process of {kind}"))

    def start_again(self, kind):
        self.fleet.scale(kind, GATEWAYS if kind == "gateway" else WORKERS[kind])

    def ready_messages(self):
        rows = json.loads(self.rig.ctl("list_queues", "-q", "--formatter", "json", "name", "messages_ready"))
        return {row["name"]: row["messages_ready"] for row in rows}

    def alarms(self):
        return self.rig.ctl("eval", "rabbit_alarm:get_alarms().").strip()

    def publish(self, queue, bodies):
        """Past the proxy, each confirmed."""
        with pika.BlockingConnection(pika.URLParameters(self.fleet.read_services_env()["AMQP_URL"])) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("mediafleet", queue, body, pika.BasicProperties(delivery_mode=2), mandatory=True)

    def hold(self, pid, seconds):
        """A process stands still for so long."""
        try:
            processes.stand_still(pid)
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def under_load(self, proxy, name, timeout=20):
        """Waits until a fault of a proxy has met something; jobs that need the bucket come if none is about."""
        before, end = proxy.fired[name], time.monotonic() + timeout
        while proxy is self.rig.s3 and proxy.fired[name] == before and time.monotonic() < end:
            self.flow.add("picture")
            time.sleep(0.5)
        wait_until(lambda: proxy.fired[name] > before, end - time.monotonic(), f"{name} to meet something")

    def seconds(self, least, most):
        return self.random.uniform(least, most)


# --- workers and gateways ---

@fault
def kill_worker(on):
    """SIGKILL of a working process."""
    kind, pid = on.some_worker()
    os.kill(pid, signal.SIGKILL)
    processes.wait_gone([pid])
    wait_until(lambda: on.fleet.pids(kind), 30, f"another process of {kind}")
    return kind


@fault
def kill_supervisor(on):
    """SIGKILL of a worker's parent; its child drains and ends."""
    kind, child = on.some_worker()
    parent = processes.stat(child)[1]
    os.kill(parent, signal.SIGKILL)
    processes.wait_gone([parent, child], 30)
    on.start_again(kind)
    return kind


@fault
def kill_program(on):
    """SIGKILL of both at once."""
    kind, child = on.some_worker()
    parent = processes.stat(child)[1]
    for pid in (parent, child):
        os.kill(pid, signal.SIGKILL)
    processes.wait_gone([parent, child])
    on.start_again(kind)
    return kind


@fault
def stop_worker(on):
    """SIGSTOP for longer than a lease, then SIGCONT: a zombie."""
    kind, pid = on.some_worker()
    on.hold(pid, LEASE_S + on.seconds(2, 5))
    return kind


@fault
def drain_worker(on):
    """SIGTERM, with whatever runs; started again."""
    kind, child = on.some_worker()
    parent = processes.stat(child)[1]
    os.kill(parent, signal.SIGTERM)
    processes.wait_gone([parent, child], 40)
    on.start_again(kind)
    return kind


@fault
def drain_worker_twice(on):
    """A second SIGTERM ends it at once."""
    kind, child = on.some_worker()
    parent = processes.stat(child)[1]
    for pause in (0.3, 0):
        if processes.alive(parent):
            os.kill(parent, signal.SIGTERM)
        time.sleep(pause)
    processes.wait_gone([parent, child], 30)
    on.start_again(kind)
    return kind


@fault
def kill_gateway(on):
    pid = on.random.choice(on.fleet.program_pids("gateway"))
    os.kill(pid, signal.SIGKILL)
    processes.wait_gone([pid])
    time.sleep(on.seconds(0, 3))
    on.start_again("gateway")


@fault
def drain_gateway(on):
    pid = on.random.choice(on.fleet.program_pids("gateway"))
    os.kill(pid, signal.SIGTERM)
    processes.wait_gone([pid], 40)
    on.start_again("gateway")


@fault
def stop_gateway(on):
    """SIGSTOP: its clients wait in vain, its reconciler wakes with old knowledge."""
    on.hold(on.random.choice(on.fleet.program_pids("gateway")), on.seconds(3, 12))


# --- the broker ---

@fault
def restart_broker(on):
    before = on.rig.service_pid("rabbitmq")
    on.fleet.services("restart", "rabbitmq")
    assert on.rig.service_pid("rabbitmq") != before


@fault
def stop_broker_app(on):
    """rabbitmqctl stop_app, start_app."""
    accepted = on.rig.broker.accepted
    on.rig.ctl("stop_app")
    time.sleep(on.seconds(2, 10))
    on.rig.ctl("start_app")
    wait_until(lambda: on.rig.broker.accepted > accepted, 30, "new connections")


@fault
def close_connections(on):
    """By the broker's admin."""
    accepted = on.rig.broker.accepted
    on.rig.ctl("close_all_connections", "soak")
    wait_until(lambda: on.rig.broker.accepted > accepted, 30, "new connections")


@fault
def reset_broker(on):
    assert on.rig.broker.reset() > 0


@fault
def blackhole_broker(on):
    """Nothing passes; then everything comes at once, or the connections break."""
    direction = on.random.choice(["up", "down", "both"])
    on.rig.broker.blackhole(direction)
    on.under_load(on.rig.broker, "blackhole")
    time.sleep(on.seconds(3, 14))
    if on.random.random() < 0.5:
        assert on.rig.broker.reset() > 0
    return direction


@fault
def memory_alarm(on):
    on.rig.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        wait_until(lambda: "memory" in on.alarms(), 20, "the alarm")
        time.sleep(on.seconds(2, 8))
    finally:
        on.rig.ctl("set_vm_memory_high_watermark", "0.6")
    wait_until(lambda: on.alarms() == "[]", 20, "the end of the alarm")


@fault
def disk_alarm(on):
    on.rig.ctl("set_disk_free_limit", "1000GB")
    try:
        wait_until(lambda: "disk" in on.alarms(), 20, "the alarm")
        time.sleep(on.seconds(2, 8))
    finally:
        on.rig.ctl("set_disk_free_limit", "50MB")
    wait_until(lambda: on.alarms() == "[]", 20, "the end of the alarm")


@fault
def purge_queue(on):
    """With tickets in it: the worker that would have taken them stands still meanwhile."""
    pids = on.fleet.kill("cleanup", signal.SIGSTOP) + on.fleet.kill("transcode", signal.SIGSTOP)
    try:
        for _ in range(6):
            on.flow.add("picture")
        found = wait_until(lambda: [name for name, ready in on.ready_messages().items()
                                    if ready and name != "mediafleet.dead"], 30, "a queue with tickets")
        for queue in found:
            on.rig.ctl("purge_queue", queue)
    finally:
        for pid in pids:
            if processes.alive(pid):
                os.kill(pid, signal.SIGCONT)
    return ", ".join(found)


@fault
def delete_queue(on):
    """Its consumers are cancelled; it comes back."""
    queue = "mediafleet." + on.random.choice(list(WORKERS))
    on.rig.ctl("delete_queue", queue)
    wait_until(lambda: queue in on.ready_messages(), 30, f"{queue} again")
    return queue


@fault
def duplicate_tickets(on):
    """A hundred tickets of jobs that live, and of some that have ended."""
    jobs = [(job["_id"], i, task["kind"]) for job in on.fleet.db.jobs.find({}).sort("_id", -1).limit(40)
            for i, task in enumerate(job["tasks"])]
    for job, task, kind in on.random.sample(jobs, min(20, len(jobs))):
        on.publish(f"mediafleet.{kind}", [json.dumps({"v": 1, "job": job, "task": task}).encode()] * 5)
    return f"{5 * min(20, len(jobs))} tickets"


@fault
def garbage_tickets(on):
    """What is no ticket goes to mediafleet.dead."""
    bodies = [b"", b"garbage", b'{"v":2}', os.urandom(1000), json.dumps({"v": 1, "job": uuid.uuid4().hex, "task": 0}).encode()]
    dead = on.ready_messages()["mediafleet.dead"]
    on.publish("mediafleet." + on.random.choice(list(WORKERS)), bodies)
    on.rig.expect_dead(on.rig.dead + len(bodies))
    wait_until(lambda: on.ready_messages()["mediafleet.dead"] == dead + len(bodies), 60, "all of it in mediafleet.dead")


# --- the store ---

@fault
def hang_store(on):
    """SIGSTOP."""
    seconds = on.seconds(2, 14)
    on.hold(on.rig.service_pid("store"), seconds)
    return f"{seconds:.1f} s"


@fault
def restart_store(on):
    """SIGTERM; its data stays."""
    before = on.rig.service_pid("store")
    on.fleet.services("restart", "store")
    assert on.rig.service_pid("store") != before


@fault
def reset_store(on):
    assert on.rig.store.reset() > 0


@fault
def cut_store(on):
    """In the middle of writes: the request may have come, the answer is lost."""
    word = on.random.choice([b"insert", b"update", b"findAndModify"])
    forward = on.random.random() < 0.7
    on.rig.store.cut("up", match=word, forward=forward, times=on.random.randrange(1, 6))
    on.under_load(on.rig.store, "cut")
    return f"{word.decode()}, {'answers' if forward else 'requests'} lost"


@fault
def slow_store(on):
    on.rig.store.latency(on.seconds(0.3, 2), "down")
    on.under_load(on.rig.store, "latency")
    time.sleep(on.seconds(3, 8))


@fault
def refuse_store(on):
    """Every connection is reset, and all new ones."""
    on.rig.store.refuse()
    assert on.rig.store.reset() > 0
    on.under_load(on.rig.store, "refuse")
    time.sleep(on.seconds(1, 12))


# --- the bucket ---

@fault
def hang_s3(on):
    on.flow.add("picture")
    on.hold(on.rig.service_pid("s3"), on.seconds(2, 10))


@fault
def restart_s3(on):
    before = on.rig.service_pid("s3")
    on.fleet.services("restart", "s3")
    assert on.rig.service_pid("s3") != before


@fault
def cut_s3(on):
    """In the middle of an object, or of an answer."""
    direction = on.random.choice(["up", "down"])
    after = on.random.randrange(1, 8000 if direction == "up" else 300)
    on.rig.s3.cut(direction, after=after, forward=True, times=on.random.randrange(1, 6))
    on.under_load(on.rig.s3, "cut", 60)
    return f"{direction}, after {after} bytes"


@fault
def refuse_s3(on):
    on.rig.s3.refuse()
    on.rig.s3.reset()
    on.under_load(on.rig.s3, "refuse", 60)
    time.sleep(on.seconds(1, 6))


@fault
def spoil_s3(on):
    """Requests answered with errors, three in ten; or their answers lost."""
    action, what = on.random.choice([(s3_faults.SLOW_DOWN, "SlowDown"), (s3_faults.INTERNAL, "InternalError"),
                                       (s3_faults.Lose(), "answers lost"), (s3_faults.Flip(), "bytes flipped")])
    rule = on.rig.s3.rule(action, op="put", chance=0.3, seed=on.random.random())
    on.flow.add("picture")
    wait_until(lambda: rule.fired or not on.flow.add("picture"), 60, "a request to be spoiled")
    time.sleep(on.seconds(1, 6))
    return f"{what}, {rule.fired} times"


# --- the network between all of them ---

@fault
def cut_everything(on):
    """Every connection to every service, at once."""
    assert all([proxy.reset() or proxy is on.rig.s3 for proxy in on.rig.proxies])
