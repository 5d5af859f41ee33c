"""The broker seen by the tests themselves, past the proxy: queues, raw tickets, restarts. And the jobs to load it with."""
import contextlib
import http.client
import json
import os
import signal
import threading
import time
import urllib.parse

import pika

from support import processes
from support.processes import wait_until

QUEUE = "mediafleet.hello"
DEAD = "mediafleet.dead"
ENDED = ["succeeded", "failed", "cancelled"]

# What a frame of that method holds: its class and its number.
CONNECTION_BLOCKED = b"\x00\x0a\x00\x3c"
CHANNEL_CLOSE = b"\x00\x14\x00\x28"
BASIC_RETURN = b"\x00\x3c\x00\x32\x01\x38\x08NO_ROUTE"
BASIC_CANCEL = b"\x00\x3c\x00\x1e\x07tickets"
BASIC_NACK = b"\x00\x3c\x00\x78"
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


@contextlib.contextmanager
def channel(rig):
    connection = pika.BlockingConnection(pika.URLParameters(rig.fleet.read_services_env()["AMQP_URL"]))
    try:
        yield connection.channel()
    finally:
        connection.close()


def send(rig, *bodies, queue=QUEUE):
    """Tickets, or what claims to be some."""
    with channel(rig) as mine:
        for body in bodies:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            mine.basic_publish("mediafleet", queue, body, pika.BasicProperties(delivery_mode=2))


def depth(rig, queue=QUEUE):
    """(ready messages, consumers); None if there is no such queue."""
    with channel(rig) as mine:
        try:
            declared = mine.queue_declare(queue, passive=True).method
            return declared.message_count, declared.consumer_count
        except pika.exceptions.ChannelClosedByBroker as closed:
            assert closed.reply_code == 404
            return None


def messages(rig, queue=QUEUE):
    """(ready, delivered and not acknowledged), as the broker counts them."""
    rows = json.loads(rig.ctl("list_queues", "-q", "--formatter", "json", "name", "messages_ready", "messages_unacknowledged"))
    return next((row["messages_ready"], row["messages_unacknowledged"]) for row in rows if row["name"] == queue)


def evaluate(rig, expression):
    return rig.ctl("eval", expression).strip()


@contextlib.contextmanager
def broker_settings(rig, **values):
    """Settings of the running broker; both ends begin anew with them and again with the old ones."""
    before = {name: evaluate(rig, f"{{ok, V}} = application:get_env(rabbit, {name}), V.") for name in values}
    try:
        for name, value in values.items():
            evaluate(rig, f"application:set_env(rabbit, {name}, {value}).")
        reconnect(rig)
        yield
    finally:
        for name, value in before.items():
            evaluate(rig, f"application:set_env(rabbit, {name}, {value}).")
        reconnect(rig)


def reconnect(rig):
    """Cuts all connections and waits for the worker's consumer."""
    assert rig.broker.reset() > 0
    wait_consumers(rig)


def wait_consumers(rig, timeout=60):
    wait_until(lambda: (depth(rig) or (0, 0))[1] > 0, timeout, "a consumer")


def stop(rig):
    rig.ctl("stop_app")


def start(rig):
    rig.ctl("start_app", timeout=120)


def kill(rig):
    """kill -9 of the whole node; returns when nothing is left of it."""
    pid = rig.service_pid("rabbitmq")
    family = [pid, *processes.children(pid)]
    os.kill(pid, signal.SIGKILL)
    processes.wait_gone([pid])
    for helper in family[1:]:
        if processes.alive(helper):
            with contextlib.suppress(ProcessLookupError):
                os.kill(helper, signal.SIGKILL)


def revive(rig):
    rig.fleet.services("up", "rabbitmq", timeout=180)


# --- jobs ---

def post(rig, count, threads=8, urls=None, **fields):
    """Posts that many hello jobs over kept connections, again where the store had no time; returns the answers."""
    answers, problems, lock = [], [], threading.Lock()

    def work(share, url):
        try:
            mine = list(post_in_turn(rig, share, url, fields))
            with lock:
                answers.extend(mine)
        except Exception as problem:  # told by the caller's thread
            problems.append(problem)

    urls = urls or rig.fleet.urls
    shares = [count // threads + (i < count % threads) for i in range(threads)]
    workers = [threading.Thread(target=work, args=(share, urls[i % len(urls)])) for i, share in enumerate(shares)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert not problems, problems
    assert len(answers) == count
    return answers


def post_in_turn(rig, count, url, fields):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {rig.fleet.key}", "Content-Type": "application/json"}
    body = json.dumps(fields)
    while count > 0:
        connection.request("POST", "/api/v1/debug/hello", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 503 and b"store-unavailable" in text:
            time.sleep(0.2)
            continue
        assert answer.status == 202, (answer.status, text)
        count -= 1
        yield json.loads(text)
    connection.close()


def promise(rig, answers):
    """The ids of accepted jobs, which from now on must keep the suite's promises."""
    ids = [answer["task_id"] for answer in answers]
    rig.fleet.promised.extend(ids)
    return ids


def unfinished(rig, ids):
    """How many; the store is asked for all live jobs, because a list of 20,000 ids would be slow to match."""
    return len(set(ids).intersection(rig.fleet.live_jobs()))


def wait_all(rig, ids, timeout):
    """Waits for the end of all; every one succeeded in its first run, which began once and ended once."""
    try:
        wait_until(lambda: unfinished(rig, ids) == 0, timeout, f"the end of {len(ids)} jobs")
    except AssertionError as error:
        some = rig.fleet.db.jobs.find_one({"state": {"$nin": ENDED}, **between(ids)})
        raise AssertionError(f"{error}: {unfinished(rig, ids)} are left, such as {some}; {QUEUE} {depth(rig)}") from None
    check_single(rig, ids)


def between(ids):
    """A filter for them and all that was posted meanwhile."""
    return {"_id": {"$gte": min(ids), "$lte": max(ids)}}


def check_single(rig, ids):
    found = {job["_id"]: job for job in rig.fleet.db.jobs.find(between(ids))}
    for job_id in ids:
        job = found[job_id]
        events = [line["event"] for line in job["log"]]
        task = job["tasks"][0]
        assert job["state"] == "succeeded", job
        assert (task["run"], task.get("crashes", 0), task.get("failures", 0)) == (1, 0, 0), job
        assert events.count("claimed") == events.count("succeeded") == 1, job


def begun(rig, **fields):
    """A hello job that is running; its id."""
    job_id = rig.fleet.hello(**fields)["task_id"]
    rig.fleet.wait_job(job_id, 60, until=lambda job: job["state"] == "running")
    return job_id


def metric(rig, name, url=None):
    text = rig.fleet.get(f"{url or ''}/metrics", key=rig.fleet.admin_key).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)
