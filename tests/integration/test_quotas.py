"""Quotas of projects and users: refused at the post, and at the upload when only that knows the size; the bucket is the judge."""
import secrets

import pytest

import stored
from support.source import Source

USER_QUOTA = 50_000_000
PROJECT_QUOTA = 60_000_000


@pytest.fixture(scope="module", params=["local", "s3"])
def place(request, start_fleet):
    fleet = start_fleet(f"quotas-{request.param}", *(["--s3"] if request.param == "s3" else []),
                        settings={"MEDIAFLEET_QUOTA_USER_BYTES": USER_QUOTA, "MEDIAFLEET_QUOTA_PROJECT_BYTES": PROJECT_QUOTA,
                                  "MEDIAFLEET_TOMBSTONE_S": 1})
    yield fleet
    fleet.check_clean()
    fleet.destroy()


@pytest.fixture(scope="module")
def clip(place, clips):
    source = Source(place.source_ports[0])
    yield source.serve_file(clips("silent.mp4"))
    source.close()


@pytest.fixture
def project():
    return f"p_{secrets.token_hex(6)}"


def path(project):
    return f"/api/v1/projects/{project}/quota"


def put(fleet, project, quota, **options):
    return fleet.request("PUT", path(project), json={"quota_bytes": quota}, key=options.pop("key", fleet.admin_key), **options)


def used(fleet, project):
    return fleet.get(path(project)).json()["used_bytes"]


def ledger_row(fleet, size, state="stored", **fields):
    """A row of something that lies elsewhere."""
    tenant = fleet.db.jobs.find_one({"_id": fleet.hello()["task_id"]})["tenant"]
    name = secrets.token_hex(8)
    row = {"_id": name, "object_key": f"elsewhere/{name}", "backend": "elsewhere", "tenant": tenant, "state": state,
           "size_bytes": size, **fields}
    fleet.db.r2_file_paths.insert_one(row)
    return row


def refused(answer):
    body = answer.json()
    assert (answer.status_code, body["code"], body["type"]) == (422, "quota-exceeded", "/problems/quota-exceeded"), answer.text
    return body["detail"]


def post(fleet, url, project, **fields):
    return fleet.post("/api/v1/media/store", {"url": url, "project_id": project, **fields})


def store(fleet, url, project, **fields):
    return fleet.wait_job(fleet.store(url, project_id=project, **fields)["task_id"], 240)


def test_quota_is_an_admins(place, project):
    default = {"project_id": project, "quota_bytes": PROJECT_QUOTA, "used_bytes": 0, "is_default": True}
    assert place.get(path(project), key=place.viewer_key).json() == default
    assert put(place, project, 5, key=place.key).status_code == 403
    assert put(place, project, 5, key="").status_code == 401
    answer = put(place, project, 1 << 40)
    own = default | {"quota_bytes": 1 << 40, "is_default": False}
    assert (answer.status_code, answer.json()) == (200, own)
    assert put(place, project, 7).json() == place.get(path(project)).json() == own | {"quota_bytes": 7}
    assert place.get(path(project), key=place.other_key).json() == default
    assert [line["subject"] for line in place.db.audit.find({"action": "project.quota", "subject": project})] == [project] * 2
    assert put(place, project, 0).json() == place.get(path(project)).json() == default
    assert put(place, f"{project}x", 0).json()["is_default"] and not place.db.projects.find_one({"project_id": f"{project}x"})
    record = place.db.projects.find_one({"project_id": project})
    assert "quota_bytes" not in record and record["_id"].endswith(f"/{project}")


def test_what_is_no_quota(place, project):
    for body, code in (({"quota_bytes": -1}, "out-of-range"), ({"quota_bytes": "5"}, "invalid-type"), ({}, "missing-field"),
                       ({"quota_bytes": 5, "x": 1}, "unknown-field")):
        answer = place.request("PUT", path(project), json=body, key=place.admin_key)
        assert (answer.status_code, answer.json()["code"]) == (422, code), body
    assert place.request("PUT", path("a%2Fb"), json={"quota_bytes": 1}, key=place.admin_key).status_code == 400
    answer = place.request("PATCH", path(project), key=place.admin_key)
    assert answer.status_code == 405 and "PUT" in answer.headers["Allow"]


def test_a_deleted_project_has_none(place, project):
    put(place, project, 10)
    ledger_row(place, 5, project_id=project)
    assert place.request("DELETE", f"/api/v1/projects/{project}").status_code == 204
    assert put(place, project, 20).json()["code"] == place.get(path(project)).json()["code"] == "project-deleted"
    place.db.r2_file_paths.delete_many({"backend": "elsewhere"})


def test_a_full_project_takes_no_more(place, clip, project):
    """Exactly at its quota it is full; a byte below, the post goes in and the upload refuses it, with nothing stored."""
    key = secrets.token_hex(8)
    first = place.post("/api/v1/media/store", {"url": clip, "project_id": project}, headers={"Idempotency-Key": key})
    job = place.wait_job(place.accepted(first)["task_id"], 240)
    assert job["state"] == "succeeded", job
    objects = stored.objects(place, f"projects/{project}/")
    total = sum(objects.values())
    assert used(place, project) == total > 0
    put(place, project, total)
    assert refused(post(place, clip, project)) == f"the project {project} uses {total} of {total} bytes"
    again = place.post("/api/v1/media/store", {"url": clip, "project_id": project}, headers={"Idempotency-Key": key})
    assert (again.status_code, again.json()["task_id"]) == (202, job["id"]), "an answer that was given stays"
    assert post(place, clip, f"{project}x").status_code == 202
    put(place, project, total + 1)
    late = store(place, clip, project)
    assert (late["state"], late["error"]["code"], late["error"]["task"]) == ("failed", "quota-exceeded", "upload")
    assert late["error"]["detail"].startswith(f"the project {project} uses {total} of {total + 1} bytes")
    assert next(task for task in late["tasks"] if task["name"] == "upload")["attempt"] == 1
    stored.check_gone(place, late)
    assert stored.objects(place, f"projects/{project}/") == objects
    put(place, project, 3 * total)
    assert store(place, clip, project)["state"] == "succeeded"
    assert total < used(place, project) == sum(stored.objects(place, f"projects/{project}/").values())


def test_what_is_on_its_way_counts_and_what_goes_does_not(place, clip, project):
    ledger_row(place, 400, project_id=project, state="pending")
    ledger_row(place, 700, project_id=project, state="deleting")
    ledger_row(place, 900, project_id=project, tenant="somebody-else")
    assert used(place, project) == 400
    put(place, project, 400)
    refused(post(place, clip, project))
    place.db.r2_file_paths.delete_many({"backend": "elsewhere"})


def test_the_default_is_for_all_others(place, clip, project):
    ledger_row(place, PROJECT_QUOTA, project_id=project)
    refused(post(place, clip, project))
    put(place, project, 2 * PROJECT_QUOTA)
    assert store(place, clip, project)["state"] == "succeeded"
    place.db.r2_file_paths.delete_many({"backend": "elsewhere"})


def test_a_user_has_a_quota_over_all_projects(place, clip, project):
    user, full = f"{project}.u", f"{project}.full"
    ledger_row(place, USER_QUOTA - 1, user_id=user, project_id=f"{project}a")
    ledger_row(place, USER_QUOTA, user_id=full, project_id=f"{project}b")
    assert refused(post(place, clip, project, user_id=full)).startswith(f"the user {full} uses")
    late = store(place, clip, project, user_id=user)
    assert (late["state"], late["error"]["code"]) == ("failed", "quota-exceeded")
    stored.check_gone(place, late)
    assert store(place, clip, project, user_id=f"{project}.other")["state"] == "succeeded"
    place.db.r2_file_paths.delete_many({"backend": "elsewhere"})
