"""How much is stored: the bucket's scan, its cache and its failures, the days, the ledger; boto3 is the judge."""
import concurrent.futures
import datetime
import socket
import urllib.parse

import pytest

import stored
from support.gateway import Gateway
from support.processes import wait_until

PATH = "/api/admin/r2-storage-usage/"
JOB = "01J00000000000000000000000"
FILES = {  # key: (bytes, project, type)
    f"projects/films/scenes/65f000000000000000000001/{JOB}/source/source.mp4": (70_000, "films", "source"),
    f"projects/films/scenes/65f000000000000000000001/{JOB}/hls/master.m3u8": (300, "films", "playlist"),
    f"projects/films/scenes/65f000000000000000000001/{JOB}/hls/v1080/init.mp4": (900, "films", "init"),
    f"projects/films/scenes/65f000000000000000000001/{JOB}/hls/v1080/seg-00001.m4s": (50_000, "films", "segment"),
    f"projects/films/scenes/65f000000000000000000001/{JOB}/thumbnails/small.jpg": (2_000, "films", "thumbnail"),
    "projects/proj_old/scenes/s1/media/film.mp4": (30_000, "old", "source"),
    "audio/proj_old/s1/voice.mp3": (10_000, "old", "source"),
    "proj_proj_flat_s1_media.mp4": (5_000, "flat", "source"),
    "notes.txt": (7, None, "document"),
}


def put(fleet, key, size):
    if fleet.media_root is None:
        stored.s3(fleet).put_object(Bucket=stored.bucket(fleet), Key=key, Body=bytes(size))
        return
    file = fleet.media_root / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))


def remove(fleet, keys):
    for key in keys:
        if fleet.media_root is None:
            stored.s3(fleet).delete_object(Bucket=stored.bucket(fleet), Key=key)
        else:
            (fleet.media_root / key).unlink()


@pytest.fixture(params=["local", "s3"])
def filled(request):
    """A fleet of each backend, with nothing in its bucket but FILES."""
    fleet = request.getfixturevalue("fleet" if request.param == "local" else "fleet_s3")
    remove(fleet, stored.objects(fleet))
    for key, (size, _, _) in FILES.items():
        put(fleet, key, size)
    yield fleet
    remove(fleet, stored.objects(fleet))


def usage(fleet, refresh=True, url=None, **options):
    path = PATH + ("?refresh=true" if refresh else "")
    return fleet.get((url or fleet.url) + path, key=options.pop("key", fleet.admin_key), timeout=90, **options)


def told(fleet, **options):
    answer = usage(fleet, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def sums(column):
    """What must be told by project (1) or type (2), the largest first."""
    found = {}
    for size, *names in FILES.values():
        was = found.get(names[column - 1], (0, 0))
        found[names[column - 1]] = (was[0] + size, was[1] + 1)
    return sorted(found.items(), key=lambda item: -item[1][0])


def test_the_answer_is_exact(filled):
    answer = told(filled)
    sizes = stored.objects(filled)
    total = sum(sizes.values())
    assert total == sum(size for size, _, _ in FILES.values()) and len(sizes) == len(FILES)
    updated = datetime.datetime.fromisoformat(answer.pop("last_updated").replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - updated).total_seconds()) < 120
    assert answer == {
        "success": True, "total_size_bytes": total, "total_size_gb": 0, "object_count": len(FILES),
        "by_file_type": [{"file_type": name, "size_bytes": size, "object_count": count} for name, (size, count) in sums(2)],
        "by_project": [({"project_id": name} if name else {}) | {"size_bytes": size, "object_count": count}
                       for name, (size, count) in sums(1)],
        "estimated_monthly_cost_usd": 0, "multipart_uploads_open": 0}


def test_both_forms_of_the_path_answer_admins_only(filled):
    told(filled)
    for path in (PATH, PATH.rstrip("/")):
        assert filled.get(path, key=filled.admin_key).json()["object_count"] == len(FILES)
        assert filled.get(path).status_code == 403
        assert filled.get(path, key=filled.viewer_key).status_code == 403
        assert filled.get(path, key="").status_code == 401
    answer = filled.get(PATH + "?refresh=perhaps", key=filled.admin_key)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/refresh")


def test_a_scan_is_good_for_five_minutes_and_for_all_gateways(filled, tmp_path):
    first = told(filled)
    put(filled, "later.txt", 11)
    with Gateway(filled, tmp_path) as other:
        assert told(filled, refresh=False) == first
        assert told(filled, refresh=False, url=other.url) == first
        new = told(filled, url=other.url)
        assert (new["object_count"], new["last_updated"]) > (first["object_count"], first["last_updated"])
        assert told(filled, refresh=False) == new
        five = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=301)
        put(filled, "later-still.txt", 11)
        filled.db.bucket_usage.update_many({}, {"$set": {"scanned_at": five}})
        assert told(filled, refresh=False)["object_count"] == new["object_count"] + 1
    remove(filled, ["later.txt", "later-still.txt"])


def test_more_objects_than_a_page(filled):
    """And more projects than are told."""
    for i in range(2100):
        put(filled, f"projects/p{i % 70:02}/scenes/s/media/{i:04}.m4s", i % 70)
    answer = told(filled)
    sizes = stored.objects(filled)
    assert (answer["object_count"], answer["total_size_bytes"]) == (len(sizes), sum(sizes.values()))
    assert len(answer["by_project"]) == 20
    assert answer["by_project"][0] == {"project_id": "films", "size_bytes": 123_200, "object_count": 5}
    assert {"project_id": "p69", "size_bytes": 30 * 69, "object_count": 30} in answer["by_project"]


def test_what_it_costs(filled, tmp_path):
    """R2's price is the default; a GB is 10^9 bytes where it is paid for, 2^30 where the page says so."""
    filled.db.bucket_usage.update_many({}, {"$set": {"total_size_bytes": 1_234_567_890}})
    told(filled)
    filled.db.bucket_usage.update_many({}, {"$set": {"total_size_bytes": 1_234_567_890}})
    answer = told(filled, refresh=False)
    assert (answer["total_size_gb"], answer["estimated_monthly_cost_usd"]) == (1.15, 0)
    filled.db.bucket_usage.update_many({}, {"$set": {"total_size_bytes": 110_000_000_000}})
    answer = told(filled, refresh=False)
    assert (answer["total_size_gb"], answer["estimated_monthly_cost_usd"]) == (round(110e9 / 2**30, 2), 1.5)
    with Gateway(filled, tmp_path, MEDIAFLEET_STORAGE_PRICE_USD="0.023", MEDIAFLEET_STORAGE_FREE_GB="0") as other:
        assert told(filled, refresh=False, url=other.url)["estimated_monthly_cost_usd"] == 2.53


def test_the_days(filled):
    def history(days, **options):
        return filled.get(f"/api/v1/storage/history{days}", key=options.get("key", filled.admin_key))

    told(filled)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    whose = filled.db.bucket_usage.find_one()["_id"]
    filled.db.bucket_usage_days.delete_many({"scanned_at": {"$lt": datetime.datetime(today.year, today.month, today.day)}})
    for ago in (1, 2, 40, 89, 90, 400):
        day = today - datetime.timedelta(days=ago)
        filled.db.bucket_usage_days.insert_one({"_id": f"{whose}/{day}", "total_size_bytes": ago, "object_count": 1,
                                                "multipart_uploads_open": 0,
                                                "scanned_at": datetime.datetime(day.year, day.month, day.day)})
    answer = history("").json()
    assert set(answer) == {"days"}
    assert [day["total_size_bytes"] for day in answer["days"][:-1]] == [89, 40, 2, 1]
    assert answer["days"][-1] == {
        "day": str(today), "total_size_bytes": sum(size for size, _, _ in FILES.values()), "object_count": len(FILES),
        "multipart_uploads_open": 0,
        "by_file_type": [{"file_type": name, "size_bytes": size, "object_count": count} for name, (size, count) in sums(2)]}
    assert len(history("?days=2").json()["days"]) == 2
    assert len(history("?days=1000").json()["days"]) == 7
    assert history("?days=0").status_code == 422
    assert history("", key=filled.key).status_code == 403
    filled.db.bucket_usage_days.delete_many({})


# --- the ledger ---

@pytest.fixture
def ledger(fleet):
    """Rows of two tenants; what is being deleted does not count."""
    tenant = fleet.db.jobs.find_one({"_id": fleet.hello()["task_id"]})["tenant"]
    rows = [("a", "u1", "segment", "stored", 1000), ("a", "u1", "source", "pending", 500), ("a", "u2", "segment", "stored", 30),
            ("a", None, "playlist", "stored", 4), ("a", "u1", "segment", "deleting", 77), ("b", "u2", "source", "stored", 2 << 40)]
    documents = [{"_id": f"usage-{i}", "object_key": f"usage/{i}", "backend": "local", "tenant": tenant, "project_id": f"usage-{project}",
                  "file_type": kind, "state": state, "size_bytes": size} | ({"user_id": user} if user else {})
                 for i, (project, user, kind, state, size) in enumerate(rows)]
    documents.append(documents[0] | {"_id": "usage-other", "object_key": "usage/other", "tenant": "somebody-else"})
    fleet.db.r2_file_paths.delete_many({})
    fleet.db.r2_file_paths.insert_many(documents)
    yield fleet
    fleet.db.r2_file_paths.delete_many({"_id": {"$regex": "^usage-"}})


def row(key, size, count):
    return ({"key": key} if key else {}) | {"size_bytes": size, "object_count": count}


def test_the_ledger_by_anything(ledger):
    def ask(query, **options):
        answer = ledger.get("/api/v1/storage/usage" + query, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    total = {"total_size_bytes": (2 << 40) + 1534, "object_count": 5}
    assert ask("") == ask("", key=ledger.viewer_key) == total | {"rows": [], "more": False}
    assert ask("?by=project") == total | {"rows": [row("usage-b", 2 << 40, 1), row("usage-a", 1534, 4)], "more": False}
    assert ask("?by=user") == total | {"rows": [row("u2", (2 << 40) + 30, 2), row("u1", 1500, 2), row(None, 4, 1)], "more": False}
    assert ask("?by=file_type") == total | {
        "rows": [row("source", (2 << 40) + 500, 2), row("segment", 1030, 2), row("playlist", 4, 1)], "more": False}
    assert ask("?by=file_type&project_id=usage-a&limit=2") == {
        "total_size_bytes": 1534, "object_count": 4, "rows": [row("segment", 1030, 2), row("source", 500, 1)], "more": True}
    assert ask("?project_id=nothing&by=user") == {"total_size_bytes": 0, "object_count": 0, "rows": [], "more": False}
    assert ask("?by=user", key=ledger.other_key)["object_count"] == 0
    assert ledger.get("/api/v1/storage/usage?by=colour").status_code == 422
    assert ledger.get("/api/v1/storage/usage?project_id=a%2Fb").status_code == 422


# --- what can be wrong ---

def failed(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code), answer.text
    assert set(body) == {"success", "code", "detail"}
    return body


def test_storage_that_is_switched_off(fleet, tmp_path):
    with Gateway(fleet, tmp_path, MEDIA_STORAGE_BACKEND="none") as gateway:
        failed(usage(fleet, url=gateway.url), 409, "storage-disabled")
        failed(usage(fleet, url=gateway.url, refresh=False), 409, "storage-disabled")
        assert fleet.get(gateway.url + "/api/v1/storage/history", key=fleet.admin_key).status_code == 409


def test_wrong_credentials(fleet_s3, tmp_path):
    with Gateway(fleet_s3, tmp_path, AWS_SECRET_ACCESS_KEY="not-the-secret") as gateway:
        body = failed(usage(fleet_s3, url=gateway.url), 502, "storage-permission-denied")
        assert "not-the-secret" not in body["detail"]


def test_no_such_bucket(fleet_s3, tmp_path):
    with Gateway(fleet_s3, tmp_path, AWS_STORAGE_BUCKET_NAME="not-there") as gateway:
        failed(usage(fleet_s3, url=gateway.url), 502, "storage-bucket-missing")


def leased(fleet):
    return fleet.db.leases.find_one({"_id": {"$regex": "^bucket-usage/"}, "until": {"$gt": datetime.datetime(2000, 1, 1)}})


def test_a_bucket_that_hangs(fleet_s3):
    """Says so in time; nobody else waits meanwhile; the next one is told."""
    before = told(fleet_s3)
    with stored.Stopped(stored.s3_pid(fleet_s3)), concurrent.futures.ThreadPoolExecutor(1) as pool:
        waits = pool.submit(usage, fleet_s3)
        wait_until(lambda: leased(fleet_s3) or waits.done(), 30, "the lease")
        assert not waits.done(), waits.result().text
        assert told(fleet_s3, refresh=False) == before
        assert fleet_s3.get("/api/v1/jobs").status_code == 200
        failed(waits.result(120), 504, "storage-timeout")
    assert told(fleet_s3)["last_updated"] > before["last_updated"]


def test_one_scan_answers_all_who_wait(fleet_s3, tmp_path):
    """Of two gateways, with more who ask than either has threads."""
    asked = 40
    with Gateway(fleet_s3, tmp_path) as other, concurrent.futures.ThreadPoolExecutor(asked) as pool:
        with stored.Stopped(stored.s3_pid(fleet_s3)):
            first = pool.submit(usage, fleet_s3)
            wait_until(lambda: leased(fleet_s3), 30, "the lease")
            rest = [pool.submit(usage, fleet_s3, url=url) for url in [fleet_s3.url, other.url] * (asked // 2)]
        answers = [one.result(120) for one in [first, *rest]]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert len({answer.json()["last_updated"] for answer in answers}) <= 3


def test_a_gateway_that_leaves_says_so(fleet_s3, tmp_path):
    """Who waits for a scan gets an answer, and the lease is free again."""
    with Gateway(fleet_s3, tmp_path) as other, concurrent.futures.ThreadPoolExecutor(1) as pool:
        with stored.Stopped(stored.s3_pid(fleet_s3)):
            waits = pool.submit(usage, fleet_s3, url=other.url)
            wait_until(lambda: leased(fleet_s3), 30, "the lease")
            other.process.terminate()
            assert waits.result(60).status_code == 503
    told(fleet_s3)


def test_a_gateway_that_dies_keeps_nobody_waiting(fleet_s3, tmp_path):
    """Another one scans when the dead one's lease has ended."""
    before = told(fleet_s3)
    with Gateway(fleet_s3, tmp_path) as other, concurrent.futures.ThreadPoolExecutor(2) as pool:
        with stored.Stopped(stored.s3_pid(fleet_s3)):
            first = pool.submit(usage, fleet_s3, url=other.url)
            wait_until(lambda: leased(fleet_s3) or first.done(), 30, "the lease")
            assert not first.done(), first.result().text
            waits = pool.submit(usage, fleet_s3)
            other.kill()
        answer = waits.result(120)
    assert (answer.status_code, answer.json()["last_updated"] > before["last_updated"]) == (200, True)


def test_a_client_that_leaves_harms_nobody(fleet_s3):
    """Its request is answered into nothing."""
    host = urllib.parse.urlsplit(fleet_s3.url)
    with stored.Stopped(stored.s3_pid(fleet_s3)):
        for _ in range(5):
            with socket.create_connection((host.hostname, host.port), 10) as link:
                link.sendall(f"GET {PATH}?refresh=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {fleet_s3.admin_key}\r\n\r\n".encode())
                wait_until(lambda: leased(fleet_s3), 30, "the lease")
    assert told(fleet_s3)["success"]
