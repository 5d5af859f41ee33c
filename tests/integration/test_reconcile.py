"""storage reconcile: bucket and ledger side by side, on S3 and on files; what it tells, adopts, deletes and forgets."""
import hashlib
import json
import os
import random
import subprocess
import time

import pytest

import stored

DAY_S = 86400
OLD_FORMS = {  # keys of the forms before rows: (project, scene)
    "projects/proj_old/scenes/s1/media/film.mp4": ("old", "s1"),
    "audio/proj_old/s2/voice.mp3": ("old", "s2"),
    "proj_proj_old_s3_media.mp4": ("old", "s3"),
}


@pytest.fixture(scope="module", params=["local", "s3"])
def place(request):
    """A fleet with either backend."""
    return request.getfixturevalue("fleet" if request.param == "local" else "fleet_s3")


@pytest.fixture
def bare(place):
    """Nothing in the bucket and no row, before and after."""
    clear(place)
    yield place
    clear(place)


def clear(fleet):
    for key in stored.objects(fleet):
        remove(fleet, key)
    fleet.db.r2_file_paths.delete_many({})
    fleet.db.projects.delete_many({})


def put(fleet, key, data=b"data", age_s=0):
    """age_s: files only; S3 says itself when an object came."""
    if fleet.media_root is None:
        stored.s3(fleet).put_object(Bucket=stored.bucket(fleet), Key=key, Body=data)
        return
    file = fleet.media_root / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (time.time() - age_s,) * 2)


def remove(fleet, key):
    if fleet.media_root is None:
        stored.s3(fleet).delete_object(Bucket=stored.bucket(fleet), Key=key)
    else:
        (fleet.media_root / key).unlink()


def backend(fleet):
    return "local" if fleet.media_root else "s3"


def row(fleet, key, size=4, **fields):
    now = fleet.db.command("isMaster")["localTime"]
    identity = hashlib.sha256(f"{backend(fleet)}\n{key}".encode()).hexdigest()
    made = {"_id": identity, "object_key": key, "size_bytes": size, "state": "stored", "tenant": "main", "project_id": "p",
            "backend": backend(fleet), "created_at": now, "updated_at": now} | fields
    fleet.db.r2_file_paths.insert_one(made)


def ctl(fleet, *arguments, code=0, key=None):
    env = {"MEDIAFLEET_URL": fleet.url, "MEDIAFLEET_API_KEY": key or fleet.admin_key}
    done = subprocess.run([fleet.bin / "mediafleetctl", *arguments], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def reconcile(fleet, *arguments, code=0):
    """The job's result, with zeros for what is not told."""
    job = json.loads(ctl(fleet, "storage", "reconcile", "--json", *arguments, code=code).stdout)
    counts = dict.fromkeys(("objects", "rows", "orphans", "ghosts", "mismatches", "living", "adopted", "deleted", "forgotten",
                            "failed"), 0)
    lists = {name: [] for name in ("orphan_list", "ghost_list", "mismatch_list")}
    return counts | lists | job.get("result", {})


def keys(items):
    return [item["key"] for item in items]


def test_both_directions(bare):
    for name in "abc":
        put(bare, f"x/{name}")
        row(bare, f"x/{name}")
    put(bare, "x/orphan", b"12345")
    row(bare, "x/ghost", 7)
    put(bare, "x/other", b"123")
    row(bare, "x/other", 9)
    found = reconcile(bare)
    assert (found["objects"], found["rows"], found["orphans"], found["ghosts"], found["mismatches"]) == (5, 5, 1, 1, 1)
    assert found["orphan_list"] == [{"key": "x/orphan", "size_bytes": 5}]
    assert found["ghost_list"] == [{"key": "x/ghost", "size_bytes": 7}]
    assert found["mismatch_list"] == [{"key": "x/other", "size_bytes": 3, "row_bytes": 9}]
    assert len(stored.objects(bare)) == 5 and len(stored.rows(bare)) == 5
    text = ctl(bare, "storage", "reconcile").stdout
    assert "orphans        1" in text and "x/orphan" in text and "its row says 9" in text


def test_prefix(bare):
    for key in ("a/1", "b/1", "ba/1"):
        put(bare, key)
        row(bare, key.replace("1", "2"))
    found = reconcile(bare, "--prefix", "b/")
    assert (keys(found["orphan_list"]), keys(found["ghost_list"])) == (["b/1"], ["b/2"])


def awkward_keys(fleet):
    """Keys that sort otherwise by letters, by words or by directories than by bytes."""
    some = ["a-b", "a.b", "a/b-c/d", "a/b.c", "a/b/c", "a0", "A/b", "Z/z", "_/a", "a_b", "ab", "aB", "a-/b", "a.-", "b/A", "b/a", "b/B",
            "0/1", "00", "10", "2"]  # none is the directory of another: both backends keep files
    if fleet.media_root is None:  # what only others write there; the development store puts 😀 before U+FFEE, MongoDB does not
        some += ["é/1", "e/1", "ü", "漢/字", "a b/c", "a+b", "a%b", "😀"]
    return some


def test_order_of_both_sides_is_the_same(bare):
    """Bytes of UTF-8: else one side would seem to lack what the other has."""
    some = awkward_keys(bare)
    random.Random(1).shuffle(some)
    for key in some:
        put(bare, key)
        row(bare, key)
    found = reconcile(bare)
    assert (found["objects"], found["rows"]) == (len(some), len(some))
    assert (found["orphans"], found["ghosts"]) == (0, 0), found
    for key in some[::3]:
        remove(bare, key)
    for key in some[1::3]:
        bare.db.r2_file_paths.delete_one({"object_key": key})
    found = reconcile(bare)
    by_bytes = lambda key: key.encode()  # noqa: E731
    assert keys(found["ghost_list"]) == sorted(some[::3], key=by_bytes)
    assert keys(found["orphan_list"]) == sorted(some[1::3], key=by_bytes)


def test_many_pages(bare):
    """More than a page of each, with gaps on both sides."""
    rows = []
    for i in range(2300):
        if i % 7:
            put(bare, f"m/{i:05}")
        if i % 11:
            rows.append(i)
    for i in rows:
        row(bare, f"m/{i:05}")
    found = reconcile(bare)
    ghosts = [i for i in rows if i % 7 == 0]
    orphans = [i for i in range(2300) if i % 7 and i % 11 == 0]
    assert (found["orphans"], found["ghosts"], found["mismatches"]) == (len(orphans), len(ghosts), 0)
    assert keys(found["orphan_list"]) == [f"m/{i:05}" for i in orphans][:100]
    assert keys(found["ghost_list"]) == [f"m/{i:05}" for i in ghosts][:100]


def test_adopt(bare):
    """Rows as the keys tell, in today's form and the three old ones; a second time finds nothing to do."""
    job = "01J00000000000000000000000"
    put(bare, f"projects/new/scenes/s/{job}/hls/master.m3u8", b"#EXTM3U\n")
    for key in OLD_FORMS:
        put(bare, key)
    put(bare, "who/knows")
    assert reconcile(bare, "--adopt", "--dry-run")["adopted"] == 4 and stored.rows(bare) == {}
    found = reconcile(bare, "--adopt")
    assert (found["orphans"], found["adopted"]) == (5, 4)
    rows = stored.rows(bare)
    assert "who/knows" not in rows
    for key, (project, scene) in OLD_FORMS.items():
        got = rows[key]
        assert (got["project_id"], got["scene_id"], got["file_type"], got["tenant"]) == (project, scene, "source", "main")
        assert got["_id"] == hashlib.sha256(f"{got['backend']}\n{key}".encode()).hexdigest()
        assert (got["state"], got["size_bytes"]) == ("stored", 4)
    got = rows[f"projects/new/scenes/s/{job}/hls/master.m3u8"]
    assert (got["project_id"], got["scene_id"], got["job"], got["file_type"]) == ("new", "s", job, "playlist")
    again = reconcile(bare, "--adopt")
    assert (again["orphans"], again["adopted"]) == (1, 0)


def test_adopt_takes_no_other_tenants_project(bare):
    """A project of which all rows are another tenant's stays theirs; a deleted one stays deleted."""
    row(bare, "projects/theirs/scenes/s/01J00000000000000000000000/a.mp4", tenant="other", project_id="theirs")
    put(bare, "projects/theirs/scenes/s/01J00000000000000000000000/a.mp4")
    put(bare, "audio/proj_theirs/s/b.mp3")
    put(bare, "audio/proj_gone/s/b.mp3")
    bare.db.projects.insert_one({"_id": "main/gone", "tenant": "main", "project_id": "gone",
                                 "deleted_at": bare.db.command("isMaster")["localTime"]})
    found = reconcile(bare, "--adopt")
    assert (found["orphans"], found["adopted"]) == (2, 0)


def test_delete_orphans_by_age(bare):
    """S3 says itself when an object came: there the age is a second, for files days."""
    age = "1s" if bare.media_root is None else "2d"
    put(bare, "old/1", age_s=3 * DAY_S)
    put(bare, "old/2", age_s=3 * DAY_S)
    put(bare, "kept/1", age_s=3 * DAY_S)
    row(bare, "kept/1")
    if bare.media_root is None:
        time.sleep(2.5)
        assert reconcile(bare, "--delete-orphans")["deleted"] == 0  # a day is the least that is not asked for
    put(bare, "young/1")
    assert reconcile(bare, "--delete-orphans", "--older-than", age, "--dry-run")["deleted"] >= 2
    assert len(stored.objects(bare)) == 4
    if bare.media_root is None:
        remove(bare, "young/1")
    found = reconcile(bare, "--delete-orphans", "--older-than", age)
    assert (found["deleted"], found["failed"]) == (2, 0)
    assert {"old/1", "old/2"} & set(stored.objects(bare)) == set() and "kept/1" in stored.objects(bare)
    assert bare.media_root is None or "young/1" in stored.objects(bare)
    lines = list(bare.db.audit.find({"action": "storage.delete-orphans"}).sort("_id", -1).limit(1))
    assert lines and lines[0]["subject"] == "old/1 … old/2" and lines[0]["counts"]["orphans"] == 2


def test_forget_ghosts(bare):
    put(bare, "x/1")
    row(bare, "x/1")
    row(bare, "x/gone")
    found = reconcile(bare, "--forget-ghosts", "--dry-run")
    assert (found["forgotten"], len(stored.rows(bare))) == (1, 2)
    assert reconcile(bare, "--forget-ghosts")["forgotten"] == 1
    assert set(stored.rows(bare)) == {"x/1"}


def test_an_empty_bucket_forgets_nothing(bare):
    """More likely the wrong bucket."""
    row(bare, "x/gone")
    done = ctl(bare, "storage", "reconcile", "--forget-ghosts", code=1)
    assert "object-not-found" in done.stderr and len(stored.rows(bare)) == 1


def test_what_a_living_job_writes_is_no_finding(bare):
    """Neither its objects without a row, nor its rows without an object; once it has ended they are."""
    job = bare.hello(sleep_ms=60000)["task_id"]
    put(bare, f"projects/p/scenes/s/{job}/hls/a.m4s", age_s=3 * DAY_S)
    row(bare, f"projects/p/scenes/s/{job}/hls/b.m4s", state="pending", job=job)
    found = reconcile(bare, "--adopt", "--delete-orphans", "--older-than", "1s", "--forget-ghosts")
    assert (found["orphans"], found["ghosts"], found["living"]) == (0, 0, 2)
    assert (found["adopted"], found["deleted"], found["forgotten"]) == (0, 0, 0)
    bare.post(f"/api/v1/jobs/{job}/cancel")
    bare.wait_job(job)
    found = reconcile(bare)
    assert (found["orphans"], found["ghosts"], found["living"]) == (1, 1, 0)


def test_what_is_being_deleted_is_no_ghost(bare):
    row(bare, "x/leaving", state="deleting")
    found = reconcile(bare)
    assert (found["ghosts"], found["living"]) == (0, 1)


def test_only_for_administrators(place):
    assert place.post("/api/v1/storage/reconcile", {}).status_code == 403
    job = place.post("/api/v1/storage/reconcile", {"prefix": "nothing/"}, key=place.admin_key).json()["task_id"]
    place.wait_job(job)
    assert place.post(f"/api/v1/jobs/{job}/retry").status_code == 403
    again = place.post(f"/api/v1/jobs/{job}/retry", key=place.admin_key)
    assert again.status_code == 202
    place.wait_job(again.json()["task_id"])


@pytest.mark.parametrize("arguments", [["--prefix", "/a"], ["--prefix", ""], ["--older-than", "x"], ["--older-than", "0"],
                                       ["--older-than", "1w"], ["--adopt=yes"], ["--project", "p"], ["extra"]])
def test_wrong_usage(place, arguments):
    done = ctl(place, "storage", "reconcile", *arguments, code=2)
    assert done.stderr and not done.stdout
