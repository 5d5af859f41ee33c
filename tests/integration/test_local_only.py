"""MEDIA_STORAGE_BACKEND=none: nothing is uploaded, media stays in MEDIA_ROOT; the ledger agrees with the disk."""
import stored
from support.processes import wait_until
from support.source import Source


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def check_kept(fleet, job):
    """The same layout as in a bucket, a row for each file, and it plays from here."""
    assert job["state"] == "succeeded", job
    assert job["result"]["storage"] == "local_only"
    found = stored.check_rows(fleet, job)
    assert found and {row["backend"] for row in found.values()} == {"none"}
    assert f"{stored.prefix(job)}hls/master.m3u8" in found
    scene = stored.scene(fleet, job)
    assert (scene["status"], scene["storage"]) == ("completed", "local_only")
    assert scene["storage_key"] in found
    stored.play(scene["playlist_url"])
    assert stored.fetch(scene["thumbnails"]["small"]).status_code == 200
    assert not (fleet.workspace / job["id"]).exists()
    assert {(fleet.media_root / key).stat().st_nlink for key in found} == {1}, "the workspace's names are gone"


def check_failed(fleet, answer):
    """Some files were taken over, then it failed: nothing of it stays, and in the end no row."""
    job = fleet.wait_job(answer["task_id"], 240)
    assert (job["state"], job["error"]["task"]) == ("failed", "upload"), job
    (fleet.media_root / f"{stored.prefix(job)}hls").unlink(missing_ok=True)
    wait_until(lambda: not stored.rows(fleet, job=job["id"]), 120, "the second cleanup")
    assert stored.objects(fleet, stored.prefix(job)) == {}


def test_local_only(make_fleet, clips):
    fleet = make_fleet("local-only", settings={"MEDIA_STORAGE_BACKEND": "none", "MEDIAFLEET_TOMBSTONE_S": "1"})
    source = Source(fleet.source_ports[0])
    try:
        url = source.serve_file(clips("small.mp4"))
        kept = fleet.wait_job(fleet.store(url, "kept")["task_id"], 240)
        check_kept(fleet, kept)
        answer = fleet.store(url, "failing")
        blocked = fleet.media_root / f"projects/failing/scenes/{answer['mongo_db_id']}/{answer['task_id']}/hls"
        blocked.parent.mkdir(parents=True)
        blocked.write_text("no directory can be made here")
        check_failed(fleet, answer)
    finally:
        source.close()
    stored.check_sizes(fleet, kept)
    assert files_below(fleet.media_root / ".tmp") == []
    assert set(stored.objects(fleet, "projects/")) == set(stored.rows(fleet))
    answer = fleet.request("DELETE", "/api/v1/projects/kept")
    assert answer.status_code in (200, 202, 204), answer.text
    wait_until(lambda: not stored.rows(fleet) and not stored.objects(fleet, "projects/"), 120, "the end of the project")
