"""The gateway's edge over raw sockets: framing, deadlines, pipelines, media files, drain."""
import json
import os
import resource
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest

from support.processes import wait_until

HOST = b"Host: a\r\n"


def talk(fleet, *pieces, timeout=15):
    """Sends the pieces, returns everything until the gateway closes."""
    address = urlsplit(fleet.url)
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.01)
        answer = b""
        while data := connection.recv(1 << 16):
            answer += data
    return answer


def parse(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), body


POST = b"POST /api/v1/debug/hello HTTP/1.1\r\n" + HOST


@pytest.mark.parametrize("request_bytes", [
    POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    POST + b"Content-Length: +2\r\n\r\n{}",
    POST + b"Content-Length : 2\r\n\r\n{}",
    POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}ZZ",
    POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
    b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 40\r\n\r\nGET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}",
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    b"GET /healthz HTTP/1.1\nHost: a\n\n",
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n folded\r\n\r\n",
    b"GET http://a/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //a:b/ HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 65536 + b"\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 1000 + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
])
def test_bad_framing(fleet, request_bytes):
    """400 and the connection is closed, so that what was smuggled behind is dropped."""
    try:
        status, head, body = parse(talk(fleet, request_bytes))
    except (ConnectionResetError, BrokenPipeError):
        return  # closed before everything was sent: the answer may be lost with it
    assert status == 400 and b"connection: close" in head
    problem = json.loads(body)
    assert problem["code"] == "bad-framing" and "instance" not in problem or problem["instance"].startswith("/api/")


@pytest.mark.parametrize("request_bytes, status, code", [
    (b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method-not-allowed"),
    (POST + b"Expect: tea\r\nContent-Length: 2\r\n\r\n{}", 417, "expectation-failed"),
    (POST + b"Content-Length: 10000000\r\n\r\n", 413, "body-too-large"),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n50000\r\n", 413, "body-too-large"),
])
def test_refused_at_the_edge(fleet, request_bytes, status, code):
    is_status, head, body = parse(talk(fleet, request_bytes))
    assert (is_status, json.loads(body)["code"]) == (status, code)
    assert b"connection: close" in head


def test_pipeline_is_answered_in_order(fleet):
    """What is refused is answered after what came before it."""
    get = b"GET %s HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = talk(fleet, get % b"/healthz" + get % b"/readyz" + get % b"/nothing" + get % b"/a b" + get % b"/healthz")
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 200, 404, 400]


def test_pieces(fleet):
    """A request may come byte by byte."""
    body = b'{"sleep_ms":1}'
    authorized = POST + b"Authorization: Bearer " + fleet.key.encode() + b"\r\nContent-Type: application/json\r\n"
    whole = authorized + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + body[:5] + b"\r\n9\r\n" + body[5:]
    whole += b"\r\n0\r\n\r\n"
    status, _, answer = parse(talk(fleet, *[whole[i:i + 3] for i in range(0, len(whole), 3)]))
    assert status == 202
    fleet.wait_job(json.loads(answer)["task_id"])


def test_expect_continue(fleet):
    """Who waits for 100 Continue before the body gets it."""
    authorized = POST + b"Authorization: Bearer " + fleet.key.encode() + b"\r\nContent-Type: application/json\r\n"
    address = urlsplit(fleet.url)
    with socket.create_connection((address.hostname, address.port), timeout=15) as connection:
        connection.sendall(authorized + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        answer = b""
        while data := connection.recv(1 << 16):
            answer += data
    assert answer.startswith(b"HTTP/1.1 202 ")
    fleet.wait_job(json.loads(answer.rpartition(b"\r\n\r\n")[2])["task_id"])


def test_deadline_caps_and_drain(make_fleet):
    """Slow heads are cut off, too many connections turned away, and SIGTERM waits for answers."""
    fleet = make_fleet("edge-limits", settings={"MEDIAFLEET_HEADER_TIMEOUT_S": 1,
                                                "MEDIAFLEET_MAX_CONNECTIONS_PER_ADDRESS": 20})
    assert talk(fleet, b"GET /heal") == b""
    assert talk(fleet) == b""
    address = urlsplit(fleet.url)
    held = [socket.create_connection((address.hostname, address.port)) for _ in range(20)]
    try:
        for connection in held:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        turned_away = talk(fleet)
        assert turned_away.startswith(b"HTTP/1.1 503") and b"overloaded" in turned_away
    finally:
        for connection in held:
            connection.close()
    wait_until(lambda: parse(talk(fleet, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"))[0] == 200,
               10, "room for connections")
    pids = fleet.pids("gateway")
    fleet.kill("gateway", signal.SIGTERM)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/fd") and os.listdir(f"/proc/{pid}/fd") for pid in pids), 20,
               "the gateway's end")


def test_out_of_descriptors(make_fleet):
    """Connections that cannot be accepted wait; nothing spins, nothing falls over."""
    fleet = make_fleet("edge-descriptors")
    pid, = fleet.pids("gateway")
    address = urlsplit(fleet.url)
    assert fleet.get("/healthz", headers={"Connection": "close"}).status_code == 200
    room = len(os.listdir(f"/proc/{pid}/fd")) + 8
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (room, room))
    held = [socket.create_connection((address.hostname, address.port)) for _ in range(30)]
    time.sleep(0.5)
    before = cpu_s(pid)
    time.sleep(1)
    assert cpu_s(pid) - before < 0.5
    for connection in held:
        connection.close()
    assert fleet.get("/healthz", headers={"Connection": "close"}).status_code == 200


def cpu_s(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
