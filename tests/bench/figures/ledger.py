"""Work over a whole bucket: 100,000 objects in a versitygw of the fleet's own, and their rows. Time and peak memory."""
import datetime
import hashlib
import pathlib
import time

import usage
from table import number

PER_JOB = 100
CHUNK = 5000
SIZE = 512
PROJECT = "bench"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TIMEOUT_S = 1800


def ulid(number):
    """A ULID of that number, which no living job has."""
    digits = ""
    for _ in range(24):
        digits = ALPHABET[number % 32] + digits
        number //= 32
    return "01" + digits


def key_of(number):
    return f"projects/{PROJECT}/scenes/s{number // 1000:04}/{ulid(number // PER_JOB)}/hls/v1080/seg_{number % PER_JOB:05}.m4s"


class Ledger:
    def __init__(self, fleet, count):
        self.fleet, self.count = fleet, count
        self.bucket = fleet.state / "services/s3/objects" / fleet.env["AWS_STORAGE_BUCKET_NAME"]
        self.lines = []  # what, units, seconds, peak MB

    def make_objects(self):
        """As files: versitygw keeps its objects so."""
        content = b"x" * SIZE
        for number in range(self.count):
            file = self.bucket / key_of(number)
            if number % PER_JOB == 0:
                file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def make_rows(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for begin in range(0, self.count, CHUNK):
            self.fleet.db.r2_file_paths.insert_many([self.row(number, now) for number in range(begin, min(begin + CHUNK, self.count))],
                                                    ordered=False)

    def row(self, number, now):
        key = key_of(number)
        return {"_id": hashlib.sha256(f"s3\n{key}".encode()).hexdigest(), "object_key": key, "project_id": PROJECT,
                "scene_id": f"s{number // 1000:04}", "file_type": "segment", "size_bytes": SIZE, "content_type": "video/iso.segment",
                "created_at": now, "updated_at": now, "tenant": "main", "job": ulid(number // PER_JOB), "backend": "s3",
                "bucket": self.bucket.name, "sha256": hashlib.sha256(str(number // 2).encode()).hexdigest(), "state": "stored"}

    def measure(self, what, kind, work):
        """work() returns a check of what came of it, told when it is not true."""
        meter = usage.Meter(self.fleet.program_pids(kind))
        began = time.monotonic()
        wrong = work()
        took = time.monotonic() - began
        peak = max(usage.memory_mb(pid, "VmHWM") for pid in usage.family(meter.roots))
        assert not wrong, f"{what}: {wrong}"
        self.lines.append([what, self.count, took, peak])
        print(f"{what}: {took:.1f} s, {peak:.0f} MB", flush=True)

    def ended(self, job_id):
        """The job as the store has it: asking costs the fleet nothing."""
        end = time.monotonic() + TIMEOUT_S
        while (job := self.fleet.db.jobs.find_one({"_id": job_id}))["state"] not in ("succeeded", "failed", "cancelled"):
            assert time.monotonic() < end, job
            time.sleep(0.2)
        return job

    def work(self, path, body, **expected):
        """Runs a storage job; what differs from what was expected."""
        answer = self.fleet.post(path, body, key=self.fleet.admin_key)
        assert answer.status_code == 202, answer.text
        job = self.ended(answer.json()["task_id"])
        result = job["tasks"][0].get("result", {})
        return {} if job["state"] == "succeeded" and all(result.get(name, 0) == value for name, value in expected.items()) else job

    def refresh(self):
        answer = self.fleet.get("/api/admin/r2-storage-usage/?refresh=true", key=self.fleet.admin_key, timeout=TIMEOUT_S)
        return {} if answer.status_code == 200 and answer.json()["object_count"] == self.count else answer.text

    def delete(self):
        answer = self.fleet.request("DELETE", f"/api/v1/projects/{PROJECT}", key=self.fleet.admin_key)
        assert answer.status_code in (200, 202, 204), answer.text
        job = self.fleet.db.projects.find_one({"_id": f"main/{PROJECT}"})["cleanup_job"]
        ended = self.ended(job)
        left = sum(1 for path in pathlib.Path(self.bucket).rglob("*") if path.is_file())
        return {} if ended["state"] == "succeeded" and left == 0 else (ended, left)

    def run(self):
        reconcile = "/api/v1/storage/reconcile"
        self.make_objects()
        self.make_rows()
        self.measure("reconcile: all agree", "storage", lambda: self.work(
            reconcile, {}, objects=self.count, rows=self.count, orphans=0, ghosts=0, mismatches=0))
        self.measure("duplicates", "storage", lambda: self.work(
            "/api/v1/storage/duplicates", {}, objects=self.count, groups=self.count // 2))
        self.measure("usage: scan of the bucket", "gateway", self.refresh)
        self.measure("deletion of the project", "cleanup", self.delete)
        self.fleet.db.projects.delete_many({})  # else nothing of it would be adopted
        self.make_objects()
        self.measure("reconcile: adopt all", "storage", lambda: self.work(
            reconcile, {"adopt": True}, objects=self.count, orphans=self.count, adopted=self.count))
        return self.lines


def ledger(bench):
    """A fleet of its own, with an S3 server; there is no peer that does this."""
    with bench.fleet_with("ledger", "--s3") as fleet:
        lines = Ledger(fleet, bench.asked.objects).run()
    rows = [[what, f"{units:,}", f"{seconds:.1f}", number(units / seconds), number(peak)] for what, units, seconds, peak in lines]
    bench.table("Work over a whole bucket", ["ledger", "objects", "s", "objects/s", "peak MB"], rows)
