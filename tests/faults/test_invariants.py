"""The outside check itself: each invariant is broken from outside, and the check must say so. A check that cannot fail proves nothing."""
import datetime
import os
import subprocess
import time
import types

import pytest

import stored
from invariants import Invariants, queues_of, usage_of
from support import clips
from support.fleet import ROOT
from support.processes import wait_until
from watch import Story, Watch, Workers

NOW = datetime.datetime(2026, 1, 1)
WORKER = f"{os.uname().nodename}.hello.{os.getpid()}.1"
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def rig(pool):
    """Without the checks around every other test, which would see what is broken here."""
    return pool.get()


@pytest.fixture
def rig_s3(pool):
    return pool.get("--s3")


def problems(rig, break_it, mend):
    """What a check says about a rig that somebody has broken, and that nothing is wrong afterwards."""
    invariants = Invariants(rig)
    invariants.begin()
    try:
        break_it()
        with pytest.raises(AssertionError) as said:
            invariants.check()
    finally:
        invariants.end()
        mend()
    return str(said.value)


@pytest.fixture
def picture(rig):
    """A media.store job of this test that has ended."""
    url = rig.source.serve_file(clips.clip("picture.jpg"), "picture.jpg", content_type="image/jpeg")
    return rig.fleet.wait_job(rig.fleet.store(url)["task_id"], 120)


def breaking(rig, monkeypatch, break_it, mend):
    """With waits that are short, because they are in vain."""
    monkeypatch.setattr("invariants.QUIET_S", 2)
    monkeypatch.setattr("invariants.ENDED_S", 2)
    monkeypatch.setattr(Invariants.settle, "__defaults__", (2,))  # of QUIET_S
    return problems(rig, break_it, mend)


def test_object_without_row(rig, monkeypatch):
    stray = rig.fleet.media_root / "projects/stray.jpg"
    said = breaking(rig, monkeypatch, lambda: stray.write_bytes(b"x"), stray.unlink)
    assert "I3: no row tells of the object projects/stray.jpg" in said


def test_row_without_object(rig, monkeypatch, picture):
    key = next(iter(stored.objects(rig.fleet, stored.prefix(picture))))
    file = rig.fleet.media_root / key
    content = file.read_bytes()
    said = breaking(rig, monkeypatch, file.unlink, lambda: file.write_bytes(content))
    assert f"I4: there is no object {key}" in said


def test_object_of_other_size(rig, monkeypatch, picture):
    key = next(iter(stored.objects(rig.fleet, stored.prefix(picture))))
    file = rig.fleet.media_root / key
    content = file.read_bytes()
    said = breaking(rig, monkeypatch, lambda: file.write_bytes(content + b"x"), lambda: file.write_bytes(content))
    assert f"I4: {key} has {len(content) + 1} bytes" in said


def test_pending_row(rig, monkeypatch, picture):
    rows, wanted = rig.fleet.db.r2_file_paths, {"job": picture["id"]}
    said = breaking(rig, monkeypatch, lambda: rows.update_one(wanted, {"$set": {"state": "pending"}}),
                    lambda: rows.update_many(wanted, {"$set": {"state": "stored"}}))
    assert "is pending since" in said


def new_job(rig, monkeypatch, change, **hello):
    """The check of a hello job that was changed in the store once it had ended."""
    jobs, ids = rig.fleet.db.jobs, []

    def break_it():
        ids.append(rig.fleet.wait_job(rig.fleet.hello(**hello)["task_id"])["id"])
        time.sleep(0.5)
        change(jobs, ids[0])

    return breaking(rig, monkeypatch, break_it, lambda: jobs.delete_one({"_id": ids[0]}))


def test_terminal_job_changed(rig, monkeypatch):
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one({"_id": job}, {"$set": {"state": "cancelled"}}), sleep_ms=500)
    assert "I11: changed after its end" in said


def test_job_that_does_not_end(rig, monkeypatch):
    later = datetime.datetime.now() + datetime.timedelta(hours=1)
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one(
        {"_id": job}, {"$set": {"state": "queued", "tasks.0.state": "queued", "tasks.0.due_at": later, "alarm_at": later}}))
    assert "I1: job" in said and "does not end in 2 s" in said and "99 %" in said


def test_job_that_is_gone(rig, monkeypatch):
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.delete_one({"_id": job}))
    assert "was promised and is not in the store" in said


def test_vague_error(rig, monkeypatch):
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one(
        {"_id": job}, {"$set": {"tasks.0.error.code": "internal", "stop.code": "internal"}}), fail="permanent")
    assert "is failed with the error {'code': 'internal'" in said


def test_second_result(rig, monkeypatch):
    line = {"event": "succeeded", "task": "hello", "run": 1, "at": NOW}
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one({"_id": job}, {"$push": {"log": line}}))
    assert "I2: run 1 of hello ended 2 times" in said


def test_too_many_failures(rig, monkeypatch):
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one({"_id": job}, {"$set": {"tasks.0.failures": 4}}))
    assert "I9: hello has 4 failures of 3" in said and "its log 0" in said


def test_result_of_an_older_run(rig, monkeypatch):
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one({"_id": job}, {"$set": {"tasks.0.run": 2}}))
    assert "I2: hello succeeded in runs [1] of 2" in said and "1 claims in the log, 2 runs" in said


def test_run_that_never_ended(rig, monkeypatch):
    said = new_job(rig, monkeypatch, lambda jobs, job: jobs.update_one({"_id": job}, {"$set": {"tasks.0.run": 2, "log.2.run": 2}}))
    assert "I10: runs [1] of hello were never ended, and run 2 began" in said


def test_record_that_was_not_told(rig, monkeypatch):
    url = rig.source.serve(b"nothing", status=404)
    jobs, ids = rig.fleet.db.scenes, []

    def break_it():
        ids.append(rig.fleet.wait_job(rig.fleet.store(url)["task_id"])["id"])
        jobs.update_one({"job": ids[0]}, {"$set": {"status": "processing"}})

    said = breaking(rig, monkeypatch, break_it, lambda: jobs.update_one({"job": ids[0]}, {"$set": {"status": "failed"}}))
    assert "its record processing" in said


def test_files_of_a_failed_job(rig, monkeypatch, picture):
    """An object and a row, of a job that has failed: both agree, and should not be there."""
    row = rig.fleet.db.r2_file_paths.find_one({"job": picture["id"]})
    url, key = rig.source.serve(b"nothing", status=404), f"projects/tests/{row['_id']}.jpg"
    file, rows = rig.fleet.media_root / key, rig.fleet.db.r2_file_paths

    def break_it():
        failed = rig.fleet.wait_job(rig.fleet.store(url)["task_id"])["id"]
        file.write_bytes(stored.content(rig.fleet, row["object_key"]))
        rows.insert_one(row | {"_id": "stray", "object_key": key, "job": failed})

    said = breaking(rig, monkeypatch, break_it, lambda: (file.unlink(), rows.delete_one({"_id": "stray"})))
    assert "I5: job" in said and "is failed, uploaded 0 files and has 1 rows" in said


def test_open_upload(rig, monkeypatch):
    file = rig.fleet.media_root / ".tmp/abandoned"
    assert "I6: an upload is open" in breaking(rig, monkeypatch, lambda: file.write_bytes(b"x"), file.unlink)


def test_open_multipart_upload(rig_s3, monkeypatch):
    client, target = stored.s3(rig_s3.fleet), {"Bucket": stored.bucket(rig_s3.fleet), "Key": "projects/x"}
    made = []
    said = breaking(rig_s3, monkeypatch, lambda: made.append(client.create_multipart_upload(**target)["UploadId"]),
                    lambda: client.abort_multipart_upload(**target, UploadId=made[0]))
    assert "I6: an upload is open: projects/x" in said


def test_object_without_row_s3(rig_s3, monkeypatch):
    client, target = stored.s3(rig_s3.fleet), {"Bucket": stored.bucket(rig_s3.fleet), "Key": "projects/stray.jpg"}
    said = breaking(rig_s3, monkeypatch, lambda: client.put_object(**target, Body=b"x"), lambda: client.delete_object(**target))
    assert "I3: no row tells of the object projects/stray.jpg" in said


def test_etag_differs(rig_s3, monkeypatch):
    fleet = rig_s3.fleet
    url = rig_s3.source.serve_file(clips.clip("picture.jpg"), "picture.jpg", content_type="image/jpeg")
    job = fleet.wait_job(fleet.store(url)["task_id"], 120)
    key = next(iter(stored.objects(fleet, stored.prefix(job))))
    content = stored.content(fleet, key)
    target = {"Bucket": stored.bucket(fleet), "Key": key}
    said = breaking(rig_s3, monkeypatch, lambda: stored.s3(fleet).put_object(**target, Body=content[:-1] + b"?"),
                    lambda: stored.s3(fleet).put_object(**target, Body=content))
    assert f"I4: {key} has {len(content)} bytes, ETag" in said


def test_directory_left(rig, monkeypatch):
    directory = rig.fleet.workspace / "01ABCDEFGHJKMNPQRSTVWXYZ00/download.1"
    said = breaking(rig, monkeypatch, lambda: directory.mkdir(parents=True), lambda: (directory.rmdir(), directory.parent.rmdir()))
    assert "I7: left in the workspace: 01ABCDEFGHJKMNPQRSTVWXYZ00" in said


def garbage(rig):
    import pika
    with pika.BlockingConnection(pika.URLParameters(rig.fleet.env["AMQP_URL"])) as connection:
        connection.channel().basic_publish("mediafleet", "mediafleet.hello", b"garbage")


def test_dead_message(rig, monkeypatch):
    said = breaking(rig, monkeypatch, lambda: garbage(rig), lambda: rig.ctl("purge_queue", "mediafleet.dead"))
    assert "'mediafleet.dead': 1" in said


def test_dead_message_that_was_announced(rig):
    """It is counted, then it goes."""
    invariants = Invariants(rig)
    invariants.begin()
    rig.expect_dead(1)
    garbage(rig)
    invariants.check()
    invariants.end()
    assert queues_of(rig)["mediafleet.dead"] == 0 and rig.dead == 0


def test_queue_that_holds_a_ticket(rig, monkeypatch):
    def break_it():
        rig.fleet.scale("hello", 0)
        rig.fleet.hello()

    assert "'mediafleet.hello': 1" in breaking(rig, monkeypatch, break_it, lambda: rig.fleet.scale("hello", 1))
    assert queues_of(rig)["mediafleet.dead"] == 0


def test_process_that_grew(rig, monkeypatch):
    """Connections that the gateway must keep open are descriptors like any other."""
    import socket
    host, port = rig.fleet.url.removeprefix("http://").split(":")
    held = []
    said = breaking(rig, monkeypatch, lambda: held.extend(socket.create_connection((host, int(port))) for _ in range(20)),
                    lambda: [one.close() for one in held])
    assert "I12: mediafleet-gateway" in said


def test_process_that_nobody_started(rig, monkeypatch):
    environment = {"FLEET_STATE": str(rig.fleet.state), "PATH": os.environ["PATH"]}
    copy = rig.fleet.state / "mediafleet-stray"
    copy.write_bytes(open("/bin/sleep", "rb").read())
    copy.chmod(0o755)
    started = []
    said = breaking(rig, monkeypatch, lambda: started.append(subprocess.Popen([copy, "60"], env=environment)),
                    lambda: (started[0].kill(), started[0].wait()))
    assert "(mediafleet-stray) has outlived who started it" in said


def test_report_of_a_sanitizer(rig, monkeypatch):
    report = rig.fleet.state / "log/sanitizer.mediafleet-hello.1"
    assert "a sanitizer's report" in breaking(rig, monkeypatch, lambda: report.write_text("ERROR"), report.unlink)


def test_script(rig):
    """As a program, of a fleet that runs."""
    script = [os.sys.executable, ROOT / "tests/faults/invariants.py", "--state", rig.fleet.state]
    rig.fleet.wait_job(rig.fleet.hello()["task_id"])
    done = subprocess.run(script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "every invariant holds" in done.stdout, done.stdout + done.stderr


# --- what only the watch sees ---

def job(state="running", *, run=1, rev=2, percent=0, log=(), task_state="running", lease=10, **task):
    return {"_id": "J", "state": state, "rev": rev, "log": list(log), "tasks": [
        {"name": "hello", "state": task_state, "run": run, "weight": 1, "percent": percent, "worker": WORKER,
         "lease_until": NOW + lease * SECOND, **task}]}


def line(event, at, run=1):
    return {"event": event, "task": "hello", "run": run, "at": NOW + at * SECOND}


def told(*sights, workers=None):
    found = []
    story = Story(sights[0], workers or Workers(), found.append)
    for sight in sights[1:]:
        story.see(sight)
    return "\n".join(found)


def dead_workers():
    workers = Workers()
    workers.started[WORKER] = "0"  # another process had that pid
    return workers


def test_watch_says_nothing_about_a_usual_life():
    retried = job(task_state="queued", log=[line("retrying", 3)])
    again = job(run=2, rev=4, log=[line("retrying", 3)], percent=50)
    over = job("succeeded", run=2, rev=5, percent=100, task_state="succeeded", result={"a": 1},
               log=[line("retrying", 3), line("succeeded", 9, 2)])
    assert told(job(), job(percent=20), retried, again | {"tasks": [again["tasks"][0]]}, over, over) == \
        "job J: I11: percent fell from 20 to 0\njob J: I11: percent of hello fell from 20 to 0"
    assert told(job(), retried, again, over, over) == ""


@pytest.mark.parametrize("event, at, workers, holds", [
    ("crashed", 10, None, True),  # the lease was over
    ("crashed", 4, None, False),  # this process lives
    ("crashed", 4, dead_workers(), True),
    ("taken-over", 4, dead_workers(), True),
    ("taken-over", 12, None, False),  # a lock that is free though its process lives
    ("released", 4, None, True),
])
def test_watch_knows_whose_lease_it_was(event, at, workers, holds):
    said = told(job(), job(run=2, rev=4, log=[line(event, at)]), workers=workers)
    assert ("I10" in said) != holds, said


def test_watch_knows_other_hosts():
    """Of another host nobody can prove a death."""
    worker = WORKER.replace(os.uname().nodename, "elsewhere")
    workers = Workers()
    workers.started[worker] = "0"
    assert "I10" in told(job(worker=worker), job(run=2, log=[line("crashed", 4)], worker=WORKER), workers=workers)
    assert told(job(worker=worker), job(run=2, log=[line("crashed", 10)], worker=WORKER), workers=workers) == ""


def test_watch_sees_a_lease_that_was_renewed():
    assert "I10" in told(job(), job(lease=15), job(run=2, log=[line("crashed", 11)]))


def test_watch_sees_runs_at_once():
    assert "I10: run 1 of hello was not ended" in told(job(), job(run=2))


def test_watch_sees_what_falls():
    assert "I11: rev fell" in told(job(rev=3), job(rev=2))
    ended = job(task_state="failed", percent=100)
    assert "I11: hello was failed and is queued" in told(ended, job(task_state="queued", percent=100))
    done = job(task_state="succeeded", percent=100, result={"a": 1})
    assert "I2: the result of hello was replaced" in told(done, job(task_state="succeeded", percent=100, result={"a": 2}))
    assert told(job(result={"a": 1}), job(result={"a": 2})) == "", "what is saved while the task runs grows"


def test_watch_sees_a_change_after_the_end():
    ended = job("succeeded", task_state="succeeded", percent=100)
    assert "I11: changed after its end" in told(ended, ended | {"rev": 9})


def test_watch_sees_what_the_api_shows():
    watch = Watch(types.SimpleNamespace())
    for state, percent in (("running", 50), ("running", 40), ("succeeded", 100), ("failed", 100), ("running", 100)):
        watch.see_shown({"id": "J", "state": state, "percent": percent})
    said = "\n".join(watch.problems)
    assert "50 % and then 40 %" in said and "showed succeeded and then failed" in said and "running with 100 %" in said


def test_watch_samples(rig):
    """It runs while tests do, and sees jobs before they end."""
    watch = Watch(rig.fleet)
    watch.start()
    job_id = rig.fleet.hello(sleep_ms=600000)["task_id"]
    wait_until(lambda: job_id in watch.stories and watch.stories[job_id].leases, 60, "its lease")
    rig.fleet.post(f"/api/v1/jobs/{job_id}/cancel")
    wait_until(lambda: watch.shown.get(job_id) == ("cancelled", 100), 60, "its end")
    watch.stop()
    assert watch.samples["sample_store"] > 2 and watch.samples["sample_api"] > 0 and watch.problems == []
    assert usage_of(rig.fleet)
