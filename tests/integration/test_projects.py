"""Projects deleted and cleaned up, with boto3 and pymongo as judges: what is theirs goes, nothing else does."""
import datetime
import secrets
import time

import pytest

import stored
from planted import ULID, cleanups, delete, left, own, put, row, tenant_of
from support.processes import wait_until
from support.source import Source



@pytest.fixture(scope="module", params=["local", "s3"])
def place(request, start_fleet):
    """A fleet whose second cleanups come soon."""
    fleet = start_fleet(f"projects-{request.param}", *(["--s3"] if request.param == "s3" else []),
                        settings={"MEDIAFLEET_TOMBSTONE_S": 2})
    yield fleet
    fleet.check_clean()
    fleet.destroy()


@pytest.fixture
def project():
    return f"p_{secrets.token_hex(6)}"


def cleanup(fleet, project, query="dry_run=false"):
    """Runs it to its end; returns the job."""
    answer = fleet.post(f"/api/v1/debug/cleanup-project/{project}?{query}")
    return fleet.wait_job(fleet.accepted(answer)["task_id"])


def problem(answer):
    return answer.status_code, answer.json()["code"]


def wait_gone(fleet, project):
    """Both passes of its cleanup have ended."""
    def ended():
        states = [job["state"] for job in cleanups(fleet, project)]
        return len(states) >= 2 and set(states) == {"succeeded"}
    wait_until(ended, 60, f"the cleanups of {project}")


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def test_a_stored_project_goes_whole(place, project, clips):
    """Post, store, delete: scene, rows and objects are gone, and it stays so."""
    source = Source(place.source_ports[0])
    try:
        job = place.wait_job(place.store(source.serve_file(clips("small.mp4")), project_id=project)["task_id"], 240)
        assert job["state"] == "succeeded", job
        size = sum(stored.check_sizes(place, job).values())
        assert size > 0
        answer = delete(place, project)
        assert (answer.status_code, answer.content) == (204, b"")
        assert place.get(f"/api/v1/scenes/{job['mongo_db_id']}").status_code == 404
        wait_gone(place, project)
        assert left(place, project) == ([], [])
        assert problem(place.post("/api/v1/media/store", {"url": source.url, "project_id": project})) == (409, "project-deleted")
        assert problem(place.post(f"/api/v1/jobs/{job['id']}/retry")) in [(409, "project-deleted"), (404, "scene-not-found")]
        assert delete(place, project).status_code == 204
        tombstone = place.db.projects.find_one({"project_id": project})
        assert tombstone["_id"] == f"{tombstone['tenant']}/{project}" and tombstone["deleted_at"] and tombstone["deleted_by"]
        result = place.job(tombstone["cleanup_job"])["result"]
        assert without(result, "duration_ms", "jobs_stopped") == {
            "tracked": result["deleted"], "deleted": result["deleted"], "already_missing": 0, "failed": 0, "discovered_by_pattern": 0,
            "records_deleted": result["deleted"], "bytes_freed": size, "used_fallback": False}
    finally:
        source.close()


def test_unknown_projects(place):
    assert problem(delete(place, "nobody-has-it")) == (404, "project-not-found")
    assert problem(delete(place, "a%20b")) == (400, "invalid-id")
    assert problem(delete(place, "nobody-has-it", key=place.viewer_key)) == (403, "forbidden")
    assert problem(place.request("DELETE", "/api/v1/jobs/x")) == (405, "method-not-allowed")


def test_the_short_path(place, project):
    place.db.r2_file_paths.insert_one(row(place, project, own(project, "a")))
    assert place.request("DELETE", f"/projects/{project}").status_code == 204
    wait_gone(place, project)
    assert left(place, project) == ([], [])


def test_another_tenants_project(place, project):
    """It is none of ours, and keeps everything when ours of the same name goes."""
    theirs, ours = own(project, "theirs"), own(project, "ours", f"{ULID}2")
    loose = own(project, "loose", f"{ULID}3")
    put(place, [theirs, ours, loose])
    place.db.r2_file_paths.insert_one(row(place, project, theirs, tenant="somebody"))
    place.db.scenes.insert_one({"project_id": project, "tenant": "somebody", "status": "completed"})
    assert problem(delete(place, project)) == (404, "project-not-found")
    place.db.r2_file_paths.insert_one(row(place, project, ours))
    assert delete(place, project).status_code == 204
    wait_gone(place, project)
    assert sorted(stored.objects(place, f"projects/{project}/")) == sorted([theirs, loose])
    assert [r["tenant"] for r in place.db.r2_file_paths.find({"project_id": project})] == ["somebody"]
    assert place.db.scenes.count_documents({"project_id": project}) == 1
    second = place.db.jobs.find_one({"project_id": project, "recipe": "project.cleanup", "run_at": {"$exists": True}})
    result = place.job(second["_id"])["result"]
    assert (result["used_fallback"], result["fallback_reason"], result["unclear"]) == (True, "nothing was tracked", 1)
    assert result["errors"] == [{"key": loose, "code": "owner-unclear", "detail": "another tenant has a project of that name, too"}]


def test_list_files(place, project):
    """Exactly what is tracked, page by page in the order of the keys."""
    assert place.get(f"/api/v1/debug/r2-file-paths/{project}").json() == {
        "project_id": project, "count": 0, "total_size_bytes": 0, "files": []}
    keys = sorted(own(project, f"hls/{i:03}.m4s") for i in range(7))
    place.db.r2_file_paths.insert_many([row(place, project, key, size=10 + i, scene_id="s1", user_id="u1", file_type="segment",
                                            content_type="video/iso.segment", metadata={"a": 1}) for i, key in enumerate(keys)])
    place.db.r2_file_paths.insert_one(row(place, f"{project}0", own(f"{project}0", "x")))
    seen, cursor = [], ""
    for count in (3, 3, 1):
        page = place.get(f"/api/v1/debug/r2-file-paths/{project}?limit=3{cursor}", key=place.viewer_key).json()
        assert (page["count"], page["total_size_bytes"], len(page["files"])) == (7, sum(range(10, 17)), count)
        seen += page["files"]
        cursor = f"&cursor={page.get('next')}"
    assert "next" not in page
    assert seen == [{"id": row(place, project, key)["_id"], "object_key": key, "scene_id": "s1", "file_type": "segment", "user_id": "u1",
                     "size_bytes": 10 + i, "content_type": "video/iso.segment", "metadata": {"a": 1}, "state": "stored"}
                    for i, key in enumerate(keys)]
    assert place.get(f"/api/v1/debug/r2-file-paths/{project}", key=place.other_key).json()["count"] == 0
    place.db.r2_file_paths.delete_many({"project_id": {"$in": [project, f"{project}0"]}})


def test_dry_run_is_the_default_and_touches_nothing(place, project):
    tracked, loose = own(project, "a.m4s"), f"audio/proj_{project}/s/a.mp3"
    put(place, [tracked, loose])
    place.db.r2_file_paths.insert_one(row(place, project, tracked))
    answer = place.post(f"/api/v1/debug/cleanup-project/{project}")
    assert answer.status_code == 200
    assert answer.json() == {
        "project_id": project, "dry_run": True, "delete_records_only": False, "tracked": 1, "tracked_bytes": 5, "keys": [tracked],
        "discovered_by_pattern": 1, "discovered_bytes": 5, "discovered_keys": [loose]}
    assert left(place, project) == ([tracked], [tracked])
    assert stored.objects(place, loose) == {loose: 5}
    assert problem(place.post(f"/api/v1/debug/cleanup-project/{project}?dry_run=maybe")) == (422, "invalid-format")
    assert problem(place.post(f"/api/v1/debug/cleanup-project/{project}", key=place.viewer_key)) == (403, "forbidden")


def test_cleanup_leaves_no_tombstone(place, project):
    """Rows exactly, missing ones told apart, and a project that goes on."""
    keys = [own(project, f"{i}.m4s") for i in range(4)]
    put(place, keys[:3])
    place.db.r2_file_paths.insert_many([row(place, project, key) for key in keys])
    job = cleanup(place, project)
    assert job["state"] == "succeeded", job
    assert without(job["result"], "duration_ms") == {
        "tracked": 4, "deleted": 3, "already_missing": 1, "failed": 0, "discovered_by_pattern": 0, "records_deleted": 4, "bytes_freed": 15,
        "used_fallback": False}
    assert left(place, project) == ([], [])
    assert place.db.projects.count_documents({"project_id": project}) == 0
    line = place.db.audit.find_one({"subject": project})
    assert (line["action"], line["job"], line["counts"]["deleted"]) == ("project.cleanup", job["id"], 3)


def test_records_only(place, project):
    key = own(project, "a.m4s")
    put(place, [key])
    place.db.r2_file_paths.insert_one(row(place, project, key))
    result = cleanup(place, project, "dry_run=false&delete_records_only=true")["result"]
    assert without(result, "duration_ms") == {
        "tracked": 1, "deleted": 0, "already_missing": 0, "failed": 0, "discovered_by_pattern": 0, "records_deleted": 1, "bytes_freed": 0,
        "used_fallback": False}
    assert left(place, project) == ([key], [])


def test_old_forms_and_names_that_begin_alike(place):
    """p and p0, p and p_x, x and proj_x: only what is surely the project's goes."""
    p = f"q{secrets.token_hex(4)}"
    mine = [f"proj_proj_{p}_s1_media.mp4", f"projects/proj_{p}/scenes/s1/media/a.mp4", f"audio/proj_{p}/s1/a.mp3", f"projects/{p}/loose.txt"]
    others = [f"proj_proj_{p}0_s1_media.mp4", f"projects/proj_{p}0/scenes/s1/media/a.mp4", f"audio/proj_{p}0/s1/a.mp3",
              f"projects/{p}0/loose.txt", f"proj_proj_{p}_s1_other.mp4", f"proj_proj_{p}_x_s1_media.mp4"]
    unclear = f"proj_proj_{p}_x_s2_media.mp4"
    put(place, [*mine, *others, unclear])
    place.db.scenes.insert_one({"project_id": f"{p}_x", "scene_id": "s1", "tenant": tenant_of(place), "status": "completed"})
    result = cleanup(place, p)["result"]
    assert without(result, "duration_ms") == {
        "tracked": 0, "deleted": 0, "already_missing": 0, "failed": 0, "discovered_by_pattern": 4, "records_deleted": 0, "bytes_freed": 20,
        "used_fallback": True, "fallback_reason": "nothing was tracked", "unclear": 1,
        "errors": [{"key": unclear, "code": "owner-unclear", "detail": "it may be another project's, whose name begins alike"}]}
    found = stored.objects(place)
    assert [key for key in mine if key in found] == []
    assert [key for key in [*others, unclear] if key not in found] == []


def test_open_uploads_are_aborted(place, project):
    if place.media_root is not None:
        pytest.skip("a local directory has none")
    s3, bucket = stored.s3(place), stored.bucket(place)
    ours, theirs = own(project, "a.mp4"), own(f"{project}0", "a.mp4")
    for key in (ours, theirs):
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x")
    cleanup(place, project)
    assert [upload["Key"] for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])] == [theirs]
    s3.abort_multipart_upload(Bucket=bucket, Key=theirs, UploadId=upload)


def test_a_deleted_project_stops_its_jobs(place, project):
    """Many at once, more than a page: the answer comes within 2 s, and every job ends as cancelled."""
    source = Source(place.source_ports[0])
    try:
        place.scale("download", 0)
        url = f"{source.url}/never"
        jobs = [place.store(url, project_id=project)["task_id"] for _ in range(150)]
        begun = time.monotonic()
        assert delete(place, project).status_code == 204
        assert time.monotonic() - begun < 10  # the gateway itself promises 2 s, and says 503 where it cannot
        wait_gone(place, project)
        wait_until(lambda: place.db.jobs.count_documents({"_id": {"$in": jobs}, "state": "cancelled"}) == len(jobs), 60, "their end")
        assert place.db.scenes.count_documents({"project_id": project}) == 0
        assert {place.db.jobs.find_one({"_id": job})["stop"]["code"] for job in jobs[::50]} == {"project-deleted"}
    finally:
        place.scale("download", 1)
        source.close()


def test_a_repetition_mends_what_was_left_undone(place, project):
    """The tombstone alone, as a gateway killed right after it leaves it; then a cleanup that was cancelled."""
    key = own(project, "a.m4s")
    put(place, [key])
    place.db.r2_file_paths.insert_one(row(place, project, key))
    tenant = tenant_of(place)
    first = f"{ULID}7"
    place.db.jobs.delete_one({"_id": first})
    place.db.projects.insert_one({"_id": f"{tenant}/{project}", "tenant": tenant, "project_id": project, "cleanup_job": first,
                                  "deleted_at": datetime.datetime.now(datetime.timezone.utc), "deleted_by": "x"})
    assert delete(place, project).status_code == 204
    assert place.wait_job(first)["state"] == "succeeded"
    wait_gone(place, project)
    assert left(place, project) == ([], [])
    put(place, [key])
    place.db.r2_file_paths.insert_one(row(place, project, key))
    place.db.jobs.update_one({"_id": first}, {"$set": {"state": "cancelled"}})
    before = {job["_id"] for job in place.db.jobs.find({"project_id": project})}
    for _ in range(2):
        assert delete(place, project).status_code == 204
    made = [job for job in place.db.jobs.find({"project_id": project}) if job["_id"] not in before and "run_at" not in job]
    assert len(made) == 1 and place.wait_job(made[0]["_id"])["state"] == "succeeded"
    assert left(place, project) == ([], [])


def test_an_upload_that_slipped_in_stores_nothing(place, project, clips):
    """The job was accepted before the tombstone, its stop got lost: the upload asks again."""
    source = Source(place.source_ports[0])
    try:
        place.scale("upload", 0)
        job = place.store(source.serve_file(clips("small.mp4")), project_id=project)["task_id"]
        place.wait_job(job, 240, until=lambda job: [t["state"] for t in job["tasks"] if t["name"] == "upload"] == ["queued"])
        tenant = tenant_of(place)
        place.db.projects.insert_one({"_id": f"{tenant}/{project}", "tenant": tenant, "project_id": project,
                                      "deleted_at": datetime.datetime.now(datetime.timezone.utc)})
        place.scale("upload", 1)
        done = place.wait_job(job, 60)
        assert done["tasks"][3]["error"]["code"] == "project-deleted", done
        assert left(place, project) == ([], [])
    finally:
        place.scale("upload", 1)
        source.close()
