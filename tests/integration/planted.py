"""Objects and rows that no job made: planted in bucket and store, for tests of what deletes them."""
import concurrent.futures
import hashlib

import stored

SCENE = "0123456789abcdef01234567"
ULID = "01J0000000000000000000000"  # and a digit


def own(project, name, job=f"{ULID}1"):
    """A key in the fleet's own form."""
    return f"projects/{project}/scenes/{SCENE}/{job}/{name}"


def put(fleet, keys, data=b"12345"):
    if fleet.media_root is not None:
        for key in keys:
            path = fleet.media_root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return
    s3, bucket = stored.s3(fleet), stored.bucket(fleet)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=data), keys))


def row(fleet, project, key, tenant=None, size=5, **fields):
    backend = "s3" if fleet.media_root is None else "local"
    return {"_id": hashlib.sha256(f"{backend}\n{key}".encode()).hexdigest(), "project_id": project, "object_key": key, "size_bytes": size,
            "tenant": tenant or tenant_of(fleet), "backend": backend, "state": "stored", **fields}


def track(fleet, project, keys, **fields):
    fleet.db.r2_file_paths.insert_many([row(fleet, project, key, **fields) for key in keys])


def tenant_of(fleet):
    """Of the fleet's operator: that of its jobs."""
    if not hasattr(fleet, "tenant"):
        job = fleet.hello()["task_id"]
        fleet.wait_job(job)
        fleet.tenant = fleet.db.jobs.find_one({"_id": job})["tenant"]
    return fleet.tenant


def delete(fleet, project, **options):
    return fleet.request("DELETE", f"/api/v1/projects/{project}", **options)


def cleanups(fleet, project):
    """Its project.cleanup jobs as the store has them, the oldest first."""
    return list(fleet.db.jobs.find({"project_id": project, "recipe": "project.cleanup"}).sort("_id", 1))


def left(fleet, project):
    """Keys and rows of a project, in its own form."""
    return (sorted(stored.objects(fleet, f"projects/{project}/")),
            sorted(stored.rows(fleet, project_id=project, tenant=tenant_of(fleet))))
