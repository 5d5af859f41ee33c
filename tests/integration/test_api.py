"""The API's contract: what every client may rely on, and what every bad request is answered."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time

import pytest

from stored import fetch
from support.processes import wait_until

HELLO = "/api/v1/debug/hello"
STORE = "/api/v1/media/store"
NO_JOB = "01J9ZZZZZZZZZZZZZZZZZZZZZZ"


def problem(answer, status, code):
    """Checks a problem document; returns it."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert body["type"] == f"/problems/{code}" and body["status"] == status and body["title"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


def encode(part):
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(fleet, header=None, secret=None, **claims):
    now = int(time.time())
    text = encode(header or {"alg": "HS256", "typ": "JWT"}) + "." + encode(
        {"sub": "me", "tenant": "default", "role": "operator", "exp": now + 600} | claims)
    key = (secret or fleet.env["MEDIAFLEET_JWT_SECRET"]).encode()
    return text + "." + encode(hmac.new(key, text.encode(), hashlib.sha256).digest())


# --- paths, methods, headers ---

def test_unknown_path(fleet):
    body = problem(fleet.get("/api/v1/nothing"), 404, "not-found")
    assert body["instance"] == "/api/v1/nothing"


@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "/api/v1/jobs", "GET, HEAD, OPTIONS"),
    ("GET", STORE, "POST, OPTIONS"),
    ("DELETE", "/healthz", "GET, HEAD, OPTIONS"),
])
def test_wrong_method(fleet, method, path, allow):
    answer = fleet.request(method, path)
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == allow


def test_head_is_get_without_body(fleet):
    head, get = fleet.request("HEAD", "/healthz"), fleet.get("/healthz")
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))


@pytest.mark.parametrize("given, kept", [("a.name-of_mine", True), ("x" * 64, True), ("x" * 65, False), ("a b", False),
                                         ("<script>", False), ("", False)])
def test_request_id(fleet, given, kept):
    answer = fleet.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) == kept
    assert answer.headers["X-Request-Id"]


def test_trailing_slash(fleet):
    assert fleet.get("/api/v1/jobs/").status_code == 200


# --- credentials ---

@pytest.mark.parametrize("header, code", [
    (None, "missing-credentials"),
    ("Basic YTpi", "missing-credentials"),
    ("Bearer wrong", "invalid-credentials"),
    ("Bearer " + "x" * 1000, "invalid-credentials"),
    ("Bearer a.b.c", "invalid-token"),
    ("Bearer " + "a" * 5000 + ".b.c", "invalid-token"),
])
def test_unauthorized(fleet, header, code):
    answer = fleet.get("/api/v1/jobs", key="", headers={"Authorization": header} if header else {})
    problem(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("claims, header, secret, code", [
    ({}, {"alg": "none"}, None, "invalid-token"),
    ({}, {"alg": "RS256"}, None, "invalid-token"),
    ({}, {"alg": "HS512"}, None, "invalid-token"),
    ({}, None, "x" * 40, "invalid-token"),
    ({"exp": 1}, None, None, "token-expired"),
    ({"exp": None}, None, None, "invalid-token"),
    ({"exp": int(time.time()) + 90000}, None, None, "invalid-token"),
    ({"nbf": int(time.time()) + 600}, None, None, "invalid-token"),
    ({"role": "root"}, None, None, "invalid-token"),
])
def test_bad_token(fleet, claims, header, secret, code):
    problem(fleet.get("/api/v1/jobs", key=token(fleet, header, secret, **claims)), 401, code)


def test_wrong_credentials_again_and_again(fleet):
    """Answered 429 when there are too many of one address; right ones from there are not held up."""
    def refused():
        with concurrent.futures.ThreadPoolExecutor(8) as crowd:
            answers = list(crowd.map(lambda _: fetch(f"{fleet.url}/api/v1/jobs", Authorization="Bearer guess"), range(100)))
        assert {answer.status_code for answer in answers} <= {401, 429}
        return [answer for answer in answers if answer.status_code == 429]

    answer = wait_until(refused, 60, "a refusal")[0]
    problem(answer, 429, "rate-limited")
    assert int(answer.headers["Retry-After"]) >= 1 and answer.headers["Connection"] == "close"
    assert fleet.get("/api/v1/jobs").status_code == 200
    time.sleep(1)  # room for the next test's
    problem(fleet.get("/api/v1/jobs", key="guess"), 401, "invalid-credentials")


def test_good_token(fleet):
    assert fleet.get("/api/v1/jobs", key=token(fleet)).status_code == 200
    problem(fleet.post(HELLO, {}, key=token(fleet, role="viewer")), 403, "forbidden")


def test_roles(fleet):
    assert fleet.get("/api/v1/jobs", key=fleet.viewer_key).status_code == 200
    problem(fleet.post(HELLO, {}, key=fleet.viewer_key), 403, "forbidden")
    problem(fleet.get("/metrics", key=""), 401, "missing-credentials")


def test_open_routes(fleet):
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert fleet.get(path, key="").status_code == 200, path


# --- bodies ---

@pytest.mark.parametrize("body, status, code", [
    (b"", 400, "malformed-json"),
    (b'{"sleep_ms":', 400, "malformed-json"),
    (b"{}x", 400, "malformed-json"),
    (b"[" * 10000, 400, "json-too-deep"),
    (b'{"fail":"\xff"}', 400, "invalid-encoding"),
    (b'{"fail":"\\ud800"}', 400, "invalid-encoding"),
    (b'{"fail":"a\\u0000b"}', 400, "invalid-value"),
    (b'{"sleep_ms":1,"sleep_ms":2}', 400, "duplicate-key"),
    (b"7", 400, "invalid-type"),
    (b'{"sleep_ms":1e400}', 422, "out-of-range"),
    (b'{"sleep_ms":1.5}', 422, "out-of-range"),
    (b'{"x":"' + b"a" * 300000 + b'"}', 413, "body-too-large"),
])
def test_bad_body(fleet, body, status, code):
    problem(fleet.post(HELLO, data=body, headers={"Content-Type": "application/json"}), status, code)


def test_content_headers(fleet):
    problem(fleet.post(HELLO, data="{}", headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    problem(fleet.post(HELLO, data="{}"), 415, "unsupported-media-type")
    problem(fleet.post(HELLO, {}, headers={"Content-Encoding": "gzip"}), 415, "unsupported-encoding")
    answer = fleet.post(HELLO, data="{}", headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert answer.status_code == 202


def test_chunked_body(fleet):
    answer = fleet.post(HELLO, data=iter([b'{"sleep', b'_ms":1}']), headers={"Content-Type": "application/json"})
    assert answer.status_code == 202
    problem(fleet.post(HELLO, data=iter([b"a" * 200000, b"a" * 100000]), headers={"Content-Type": "application/json"}),
            413, "body-too-large")


# --- media.store ---

@pytest.mark.parametrize("fields, status, code, pointer", [
    ({"url": None}, 422, "missing-field", "/url"),
    ({"project_id": None}, 422, "missing-field", "/project_id"),
    ({"ulr": "x"}, 422, "unknown-field", "/ulr"),
    ({"url": "ftp://example.com/a"}, 422, "unsupported-scheme", "/url"),
    ({"url": "file:///etc/passwd"}, 422, "unsupported-scheme", "/url"),
    ({"url": "--exec=x"}, 422, "invalid-url", "/url"),
    ({"url": "http://a b/"}, 422, "invalid-url", "/url"),
    ({"url": "http://u:p@example.com/"}, 422, "invalid-url", "/url"),
    ({"url": "http://[::ffff:169.254.169.254]/"}, 422, "forbidden-address", "/url"),
    ({"url": "http://10.0.0.1/"}, 422, "forbidden-address", "/url"),
    ({"url": "http://example.com:22/"}, 422, "forbidden-port", "/url"),
    ({"url": "http://example.com/" + "a" * 9000}, 422, "url-too-long", "/url"),
    ({"project_id": "../x"}, 422, "invalid-format", "/project_id"),
    ({"mongo_db_id": "zz"}, 400, "invalid-id", "/mongo_db_id"),
    ({"mongo_db_id": "0123456789abcdef01234567"}, 404, "scene-not-found", None),
    ({"renditions": "all"}, 400, "invalid-value", "/renditions"),
    ({"metadata": {"$where": 1}}, 422, "invalid-format", "/metadata/$where"),
])
def test_bad_store(fleet, fields, status, code, pointer):
    body = {"url": "http://example.com/a.mp4", "project_id": "p"} | fields
    before = fleet.db.jobs.count_documents({})
    answer = problem(fleet.post(STORE, {name: value for name, value in body.items() if value is not None}), status, code)
    if pointer:
        assert answer["errors"] == [{"pointer": pointer, "code": code}]
    assert fleet.db.jobs.count_documents({}) == before


@pytest.fixture
def stored(fleet):
    """A job that cannot be downloaded and is cancelled afterwards: {task_id, mongo_db_id}."""
    answer = fleet.store(f"http://127.0.0.1:{fleet.source_ports[-1]}/nothing.mp4", "p1", scene_id="s1")
    yield answer
    fleet.post(f"/api/v1/jobs/{answer['task_id']}/cancel")
    fleet.wait_job(answer["task_id"])


def test_scene(fleet, stored):
    scene = fleet.get(f"/api/v1/scenes/{stored['mongo_db_id']}").json()
    assert scene["mongo_db_id"] == stored["mongo_db_id"]
    assert (scene["project_id"], scene["scene_id"], scene["job"]) == ("p1", "s1", stored["task_id"])
    problem(fleet.get(f"/api/v1/scenes/{stored['mongo_db_id']}", key=fleet.other_key), 404, "scene-not-found")
    problem(fleet.get("/api/v1/scenes/0123456789abcdef01234567"), 404, "scene-not-found")
    problem(fleet.get("/api/v1/scenes/xyz"), 400, "invalid-id")


def test_scene_of_another_project(fleet, stored):
    body = {"url": "http://example.com/a.mp4", "project_id": "p2", "mongo_db_id": stored["mongo_db_id"]}
    problem(fleet.post(STORE, body), 409, "scene-conflict")
    problem(fleet.post(STORE, body | {"project_id": "p1"}, key=fleet.other_key), 404, "scene-not-found")


# --- idempotency ---

def test_idempotency(fleet):
    headers = {"Idempotency-Key": f"key-{time.time_ns()}"}
    first = fleet.post(HELLO, {"sleep_ms": 1}, headers=headers).json()
    again = fleet.post(HELLO, {"sleep_ms": 1}, headers=headers)
    assert again.status_code == 202 and again.json()["task_id"] == first["task_id"]
    problem(fleet.post(HELLO, {"sleep_ms": 2}, headers=headers), 422, "idempotency-key-reuse")
    other = fleet.post(HELLO, {"sleep_ms": 1}, headers=headers, key=fleet.other_key).json()
    assert other["task_id"] != first["task_id"]
    fleet.wait_job(first["task_id"])


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\xe4"])
def test_bad_idempotency_key(fleet, key):
    answer = fleet.post(HELLO, {}, headers={"Idempotency-Key": key.encode("latin-1")})
    problem(answer, 400, "invalid-idempotency-key")


# --- jobs ---

@pytest.mark.parametrize("job_id", ["..%2fx", "%00", "x" * 5000, NO_JOB.lower(), NO_JOB[:-1]])
def test_bad_job_id(fleet, job_id):
    problem(fleet.get(f"/api/v1/jobs/{job_id}"), 400, "invalid-id")


def test_another_tenants_job_looks_like_none(fleet):
    job_id = fleet.hello()["task_id"]
    for method, end in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        theirs = problem(fleet.request(method, f"/api/v1/jobs/{job_id}{end}", key=fleet.other_key), 404, "job-not-found")
        none = problem(fleet.request(method, f"/api/v1/jobs/{NO_JOB}{end}", key=fleet.other_key), 404, "job-not-found")
        assert theirs["detail"].replace(job_id, NO_JOB) == none["detail"]
    fleet.wait_job(job_id)


def test_etag(fleet):
    job_id = fleet.hello()["task_id"]
    fleet.wait_job(job_id)
    first = fleet.get(f"/api/v1/jobs/{job_id}")
    again = fleet.get(f"/api/v1/jobs/{job_id}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == first.headers["ETag"]
    assert fleet.get(f"/api/v1/jobs/{job_id}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_list_pages(fleet):
    ids = [fleet.hello()["task_id"] for _ in range(5)]
    for job_id in ids:
        fleet.wait_job(job_id)
    path, seen = "/api/v1/jobs?recipe=hello&state=succeeded&limit=2", []
    page = fleet.get(path).json()
    while len(seen) < 5:
        assert len(page["jobs"]) <= 2
        assert not any("tasks" in job or "log" in job for job in page["jobs"])
        seen += [job["id"] for job in page["jobs"]]
        if "next" not in page:
            break
        page = fleet.get(f"{path}&cursor={page['next']}").json()
    assert seen[:5] == sorted(ids, reverse=True)
    assert fleet.get("/api/v1/jobs", key=fleet.other_key).json()["jobs"] != page["jobs"]


@pytest.mark.parametrize("query, status, code", [
    ("limit=0", 422, "out-of-range"),
    ("limit=1001", 422, "out-of-range"),
    ("limit=abc", 422, "out-of-range"),
    ("cursor=x", 400, "invalid-cursor"),
    ("state=gone", 422, "invalid-format"),
    ("unknown=1", 422, "unknown-field"),
    ("limit=1&limit=2", 400, "duplicate-key"),
])
def test_bad_list(fleet, query, status, code):
    problem(fleet.get(f"/api/v1/jobs?{query}"), status, code)


def test_cancel_and_retry(fleet):
    job_id = fleet.hello(sleep_ms=600000)["task_id"]
    problem(fleet.post(f"/api/v1/jobs/{job_id}/retry"), 409, "job-running")
    answer = fleet.post(f"/api/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 202 and answer.json()["id"] == job_id
    job = fleet.wait_job(job_id)
    assert (job["state"], job["percent"], job["error"]["code"]) == ("cancelled", 100, "cancelled")
    problem(fleet.post(f"/api/v1/jobs/{job_id}/cancel"), 409, "job-finished")
    retry = fleet.post(f"/api/v1/jobs/{job_id}/retry")
    new_id = retry.json()["task_id"]
    assert retry.status_code == 202 and new_id != job_id
    assert retry.headers["Location"] == f"/api/v1/jobs/{new_id}"
    assert fleet.job(new_id)["retry_of"] == job_id
    fleet.post(f"/api/v1/jobs/{new_id}/cancel")
    assert fleet.wait_job(new_id)["state"] == "cancelled"


# --- fleet, health, description ---

def test_workers_and_queues(fleet):
    workers = fleet.get("/api/v1/workers").json()["workers"]
    assert {"hello", "download"} <= {worker["kind"] for worker in workers if worker["state"] == "online"}
    queues = {queue["kind"]: queue for queue in fleet.get("/api/v1/queues").json()["queues"]}
    assert queues["hello"]["queue"] == "mediafleet.hello"
    assert queues["hello"]["known"] and queues["hello"]["consumers"] >= 1


def test_ready(fleet):
    body = fleet.get("/readyz", key="").json()
    assert body["ready"] and all(body[name] == {"ok": True} for name in ("broker", "store", "bucket", "disk"))


def test_metrics(fleet):
    fleet.wait_job(fleet.hello()["task_id"])
    text = fleet.get("/metrics").text
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(samples["mediafleet_jobs_accepted_total"]) >= 1
    assert float(samples['mediafleet_http_requests_total{method="POST",route="/api/v1/debug/hello",status="202"}']) >= 1
    assert float(samples['mediafleet_workers{kind="hello"}']) >= 1
    assert "mediafleet_queue_ready{kind=\"hello\"}" in samples
    assert float(samples["mediafleet_dead_ready"]) == 0
    assert 1 <= float(samples["mediafleet_commit_batch_posts_count"]) <= float(samples["mediafleet_commit_batch_posts_sum"])


def test_openapi(fleet):
    """Every path and schema is there, and every reference leads somewhere."""
    text = fleet.get("/openapi.json", key="").text
    document = json.loads(text)
    assert document["openapi"] == "3.1.0"
    assert {STORE, HELLO, "/api/v1/jobs/{id}", "/media/{grant}/{key}"} <= set(document["paths"])
    schemas = document["components"]["schemas"]
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)
    assert document["paths"]["/healthz"]["get"]["security"] == []
    assert document["paths"][STORE]["post"]["x-role"] == "operator"


# --- limits and origins, with settings of their own ---

def test_origins_and_rate(make_fleet):
    fleet = make_fleet("edge", settings={"MEDIAFLEET_CORS_ORIGINS": "https://app.example", "MEDIAFLEET_RATE_PER_S": 20})
    mine = {"Origin": "https://app.example"}
    asked = mine | {"Access-Control-Request-Method": "POST"}
    answer = fleet.request("OPTIONS", HELLO, key="", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert fleet.get("/api/v1/jobs", headers=mine).headers["Access-Control-Allow-Origin"] == "https://app.example"
    other = fleet.get("/api/v1/jobs", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert other.headers["Vary"] == "Origin" and fleet.get("/healthz", key="").headers["Vary"] == "Origin"
    answers = [fleet.get("/api/v1/jobs?limit=1", key=fleet.viewer_key) for _ in range(60)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    problem(refused[0], 429, "rate-limited")
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert fleet.get("/healthz", key="").status_code == 200
