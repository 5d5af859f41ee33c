"""storage migrate and duplicates: objects change their backend, verified, resumed, read meanwhile; equal ones are counted."""
import hashlib
import json
import os
import signal
import subprocess
import threading

import pytest
import requests

import stored
from conftest import destroy
from support.processes import wait_until
from support.source import Source
from test_reconcile import backend, clear, ctl, put, row

FILES = 60


@pytest.fixture(scope="module")
def both(start_fleet, scratch):
    """A fleet that knows two places, new media going to S3."""
    fleet = start_fleet("both", "--s3", settings={"MEDIA_ROOT": scratch / "media", "MEDIAFLEET_LEASE_S": 5})
    fleet.media = scratch / "media"
    yield fleet
    try:
        fleet.check_clean()
    finally:
        destroy(fleet)


@pytest.fixture
def bare(both):
    both.db.r2_file_paths.delete_many({})
    clear(both)
    for file in sorted(both.media.rglob("*"), reverse=True) if both.media.exists() else []:
        if file.parent == both.media and file.name == ".tmp":
            continue
        file.unlink() if file.is_file() else file.rmdir()
    both.db.audit.delete_many({})
    return both


def local_row(fleet, key, data, **fields):
    file = fleet.media / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    row(fleet, key, len(data), backend="local", sha256=hashlib.sha256(data).hexdigest(),
        **{"_id": hashlib.sha256(f"local\n{key}".encode()).hexdigest()} | fields)


def files(fleet):
    """What lies in the directory."""
    found = (file for file in fleet.media.rglob("*") if file.is_file() and not file.name.startswith(".w"))
    return {str(file.relative_to(fleet.media)) for file in found}


def migrate(fleet, *arguments, code=0):
    job = json.loads(ctl(fleet, "storage", "migrate", "--json", *arguments, code=code).stdout)
    return dict.fromkeys(("copied", "switched", "deleted", "failed", "living"), 0) | job.get("result", {})


def some_files(fleet, count=FILES, size=20_000, project="p"):
    made = {}
    for i in range(count):
        key = f"projects/{project}/scenes/s/01J0000000000000000000{i:04}/hls/v{i}.m4s"
        made[key] = os.urandom(size)
        local_row(fleet, key, made[key], project_id=project, job=f"01J0000000000000000000{i:04}", tenant="main")
    return made


def check_in_s3(fleet, made):
    """As somebody else's client reads it: every object there and whole, each with one row, none in the directory."""
    assert files(fleet) == set()
    assert set(stored.objects(fleet)) == set(made)
    for key, data in made.items():
        assert stored.content(fleet, key) == data, key
    rows = list(fleet.db.r2_file_paths.find())
    assert {row["object_key"] for row in rows} == set(made) and len(rows) == len(made)
    for found in rows:
        assert (found["backend"], found["state"], found["bucket"]) == ("s3", "stored", stored.bucket(fleet))
        assert found["_id"] == hashlib.sha256(f"s3\n{found['object_key']}".encode()).hexdigest()
        assert found["sha256"] == hashlib.sha256(made[found["object_key"]]).hexdigest() and found["etag"]


def test_there_and_back(bare):
    made = some_files(bare)
    found = migrate(bare, "--from", "local", "--to", "s3")
    assert (found["copied"], found["switched"], found["deleted"], found["failed"]) == (FILES, FILES, FILES, 0)
    check_in_s3(bare, made)
    assert bare.db.audit.count_documents({"action": "storage.migrate"}) >= 1
    assert migrate(bare, "--from", "local", "--to", "s3")["copied"] == 0
    found = migrate(bare, "--from", "s3", "--to", "local")
    assert (found["copied"], found["deleted"]) == (FILES, FILES)
    assert files(bare) == set(made) and stored.objects(bare) == {}
    for key, data in made.items():
        assert (bare.media / key).read_bytes() == data
    assert {found["backend"] for found in bare.db.r2_file_paths.find()} == {"local"}


def test_one_project(bare):
    ours, others = some_files(bare, 3, project="a"), some_files(bare, 3, project="b")
    assert migrate(bare, "--from", "local", "--to", "s3", "--project", "a")["copied"] == 3
    assert set(stored.objects(bare)) == set(ours) and files(bare) == set(others)


def test_what_is_not_as_its_row_says_stays(bare):
    """Another checksum, another size, no file: each is told, none is deleted, none leaves anything in the target."""
    made = some_files(bare, 5)
    keys = sorted(made)
    (bare.media / keys[0]).write_bytes(b"x" * len(made[keys[0]]))
    (bare.media / keys[1]).write_bytes(b"short")
    (bare.media / keys[2]).unlink()
    found = migrate(bare, "--from", "local", "--to", "s3", code=1)
    assert (found["copied"], found["failed"]) == (2, 3)
    assert {item["key"] for item in found["failed_list"]} == set(keys[:3])
    assert set(stored.objects(bare)) == set(keys[3:]) and files(bare) == set(keys[:2])
    assert {row["backend"] for row in bare.db.r2_file_paths.find({"object_key": {"$in": keys[:3]}})} == {"local"}


def test_jobs_that_live_are_left_alone(bare):
    job = bare.hello(sleep_ms=60000)["task_id"]
    key = f"projects/p/scenes/s/{job}/hls/a.m4s"
    local_row(bare, key, b"1234", job=job)
    found = migrate(bare, "--from", "local", "--to", "s3")
    assert (found["copied"], found["living"]) == (0, 1) and files(bare) == {key}
    bare.post(f"/api/v1/jobs/{job}/cancel")
    bare.wait_job(job)


@pytest.mark.parametrize("death_at", [1, 20, 45])
def test_killed_and_resumed(bare, death_at):
    """SIGKILL in the middle: while it is away each object has a row, and afterwards all have moved."""
    made = some_files(bare, size=200_000)
    body = {"from": "local", "to": "s3", "rate_bytes": 4_000_000}
    job = bare.post("/api/v1/storage/migrate", body, key=bare.admin_key).json()["task_id"]
    wait_until(lambda: len(stored.objects(bare)) >= death_at, 60, "some copies")
    bare.kill("storage", signal.SIGKILL)
    places = [("local", key) for key in files(bare)] + [("s3", key) for key in stored.objects(bare)]
    told = {(row["backend"], row["object_key"]) for row in bare.db.r2_file_paths.find()}
    assert set(places) <= told | {place for place in places if place[1].startswith("mediafleet-check/")}
    ended = bare.wait_job(job, 180)
    assert ended["state"] == "succeeded", ended
    check_in_s3(bare, made)


def test_read_meanwhile(bare, clips):
    """A film plays by its signed URLs before, during and after its way from the directory to S3 and back."""
    source = Source(bare.source_ports[0])
    try:
        accepted = bare.store(source.serve_file(clips("small.mp4")), project_id="film")
        job = bare.wait_job(accepted["task_id"], 240)
        assert job["state"] == "succeeded", job
    finally:
        source.close()
    scene = stored.scene(bare, job)
    urls = [scene["playlist_url"], *scene["thumbnails"].values()]
    base = scene["playlist_url"].rsplit("hls/", 1)[0]
    keys = sorted(stored.rows(bare, job=job["id"]))
    urls += [base + key.split(f"{job['id']}/")[1] for key in keys if key.endswith(".m4s")]
    wrong, done = [], threading.Event()

    def read():
        with requests.Session() as session:
            session.trust_env = False
            while not done.is_set():
                for url in urls:
                    answer = session.get(url, timeout=30)
                    if answer.status_code != 200:
                        wrong.append((url, answer.status_code, answer.text[:200]))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        there = migrate(bare, "--from", "s3", "--to", "local")
        back = migrate(bare, "--from", "local", "--to", "s3")
    finally:
        done.set()
        reader.join(60)
    assert (there["copied"], there["deleted"]) == (back["copied"], back["deleted"]) == (len(keys), len(keys))
    assert wrong == []
    assert {row["backend"] for row in stored.rows(bare, job=job["id"]).values()} == {"s3"}


def test_wrong_backends(bare):
    for body, code in (({"from": "s3", "to": "s3"}, "invalid-value"),
                       ({"from": "local", "to": "minio"}, "invalid-configuration"), ({"from": "local"}, "missing-field"),
                       ({"from": "local", "to": "tape"}, "invalid-value")):
        answer = bare.post("/api/v1/storage/migrate", body, key=bare.admin_key)
        assert answer.json()["code"] == code, answer.text
    assert bare.post("/api/v1/storage/migrate", {"from": "local", "to": "s3"}).status_code == 403
    same = bare.post("/api/v1/storage/migrate", {"from": "local", "to": "none"}, key=bare.admin_key)  # the same directory
    ended = bare.wait_job(same.json()["task_id"])
    assert (ended["state"], ended["error"]["code"]) == ("failed", "invalid-configuration"), ended
    done = subprocess.run([bare.bin / "mediafleetctl", "storage", "migrate", "--from", "local"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "needs --to" in done.stderr


def test_duplicates(bare):
    """Groups by checksum, the most wasteful first; more of them than a page of rows."""
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a", "b", "c")}
    for name, count, size in (("a", 3, 1000), ("b", 2, 5000), ("c", 1, 9000)):
        for i in range(count):
            row(bare, f"{name}/{i}", size, sha256=sums[name], project_id=f"p{i}")
    row(bare, "no/checksum", 7)
    row(bare, "leaving", 1000, sha256=sums["a"], state="deleting")
    many = [{"_id": f"{i:064x}", "object_key": f"many/{i}", "size_bytes": 1, "state": "stored", "tenant": "main", "project_id": "m",
             "backend": backend(bare), "sha256": f"{i // 2:064x}"} for i in range(2501)]
    bare.db.r2_file_paths.insert_many(many)
    job = json.loads(ctl(bare, "storage", "duplicates", "--json").stdout)
    found = job["result"]
    assert (found["groups"], found["duplicates"], found["saved_bytes"]) == (1252, 1250 + 3, 1250 + 2000 + 5000)
    first, second = found["group_list"][:2]
    assert first == {"sha256": sums["b"], "objects": 2, "size_bytes": 5000, "saved_bytes": 5000}
    assert second == {"sha256": sums["a"], "objects": 3, "size_bytes": 1000, "saved_bytes": 2000}
    assert len(found["group_list"]) == 100
    assert "duplicates     1253" in ctl(bare, "storage", "duplicates").stdout
    assert "duplicates     0" in ctl(bare, "storage", "duplicates", "--project", "p1").stdout
