"""What a task costs the store: one round trip for its claim and one for its settle; short tasks share them."""
import urllib.parse

import pytest

import stored
from conftest import destroy
from store_tap import Tap
from support.processes import wait_until
from support.source import Source

MANY = 256


@pytest.fixture(scope="module")
def tapped(start_fleet):
    """A fleet whose workers reach the store through a tap."""
    fleet = start_fleet("tapped")
    store = urllib.parse.urlsplit(fleet.env["MONGODB_URL"])
    tap = Tap(store.hostname, store.port)
    fleet.down()
    url = store._replace(netloc=f"127.0.0.1:{tap.port}").geturl()
    fleet.up("--env", f"MONGODB_URL={url}")
    wait_until(lambda: len(beats(fleet)) >= 6, 30, "the workers' beats")
    yield fleet, tap
    destroy(fleet)
    tap.close()


def beats(fleet):
    return {beat["kind"]: beat for beat in fleet.db.workers.find()}


def about_jobs(commands):
    return [one for one in commands if one.collection == "jobs"]


def sort_out(commands):
    """Claims, settles and pulses among the commands about jobs: (claims, settles, pulses, others)."""
    claims, settles, pulses, others = [], [], [], []
    for one in about_jobs(commands):
        if one.name in ("findAndModify", "findandmodify"):
            claims.append(one)
        elif one.name == "update" and all("rev" in names for names in one.updates()):
            settles.append(one)
        elif one.name == "update" and all(any(name.endswith(".lease_until") for name in names) for names in one.updates()):
            pulses.append(one)
        else:
            others.append(one)
    return claims, settles, pulses, others


def changes_by_others(commands, kind):
    """How often anybody else changed a job while that kind of task may have run, pulses apart, which need no reading."""
    claims, settles, _, _ = sort_out([one for one in commands if one.kind not in (kind, "download", "upload", "gateway")])
    return len(claims) + len(settles)


def test_a_long_task_costs_two_round_trips(tapped, clips):
    """Claim and settle, and nothing else about the job; a pulse a second if it lasts that long."""
    fleet, tap = tapped
    source = Source(fleet.source_ports[0])
    start, jobs = len(tap.commands), 4
    try:
        for _ in range(jobs):
            job = fleet.wait_job(fleet.store(source.serve_file(clips("silent.mp4")))["task_id"], 120)
            assert job["state"] == "succeeded", job
    finally:
        source.close()
    claims, settles, _, others = sort_out(tap.of("download", start))
    assert (len(claims), len(settles), others) == (jobs, jobs, [])
    for kind in ("transcode", "thumbnail"):  # they run at once: whose job somebody else changed reads it and settles again
        claims, settles, _, others = sort_out(tap.of(kind, start))
        conflicts = len(settles) - jobs
        assert len(claims) == jobs and 0 <= conflicts <= changes_by_others(tap.commands[start:], kind), kind
        assert [one.name for one in others] == ["find"] * conflicts, kind


def test_a_single_short_task_costs_two_round_trips(tapped):
    """One after the other there is nothing to share."""
    fleet, tap = tapped
    start = len(tap.commands)
    for _ in range(10):
        fleet.wait_job(fleet.hello()["task_id"])
    claims, settles, pulses, others = sort_out(tap.of("hello", start))
    assert (len(claims), len(settles), pulses, others) == (10, 10, [], [])


def test_many_short_tasks_share_their_round_trips(tapped):
    """What waits is claimed in batches of at most 64 and settled by group commit: at most one round trip for four
    tasks, claim and settle together, even where neighbours take the processors away and tasks end one by one."""
    fleet, tap = tapped
    fleet.scale("hello", 0)
    ids = [fleet.hello()["task_id"] for _ in range(MANY)]
    start = len(tap.commands)
    fleet.scale("hello", 1)
    for job_id in ids:
        assert fleet.wait_job(job_id)["state"] == "succeeded"
    claims, settles, _, others = sort_out(tap.of("hello", start))  # pulses come by the second, not by the task
    commands = claims + settles + others
    updated = [len(one.documents) for one in commands if one.name == "update"]
    assert max(updated) <= 64
    assert len(commands) <= MANY // 4, f"{len(commands)} round trips for {MANY} tasks"
    assert {job["tasks"][0]["run"] for job in fleet.db.jobs.find({"_id": {"$in": ids}})} == {1}


def test_the_counter_tells_the_truth(tapped):
    """store_commands of a worker's beat is what the store saw."""
    fleet, tap = tapped
    first = beats(fleet)["hello"]
    for _ in range(20):
        fleet.wait_job(fleet.hello()["task_id"])

    def later():
        beat = beats(fleet)["hello"]
        return beat if beat.get("store_commands", 0) - first.get("store_commands", 0) >= 40 else None

    last = wait_until(later, 30, "a beat after the jobs")
    seen = [one for one in tap.commands if one.who == first["_id"] and not one.name.lower().startswith("ismaster")]
    assert last["store_commands"] == pytest.approx(len(seen), abs=2 + len(seen) // 20)


def test_rows_are_written_in_batches(tapped, clips):
    """All rows of a job cost two round trips for the media and two for the playlists, not two for each object."""
    fleet, tap = tapped
    source = Source(fleet.source_ports[0])
    start = len(tap.commands)
    try:
        job = fleet.wait_job(fleet.store(source.serve_file(clips("hd.mp4")))["task_id"], 240)
    finally:
        source.close()
    assert job["state"] == "succeeded", job
    writes = [one for one in tap.of("upload", start) if one.collection == "r2_file_paths" and one.name == "update"]
    ranks = 3  # segments and pictures, media playlists, the master playlist
    assert len(writes) == 2 * ranks
    assert sum(len(one.documents) for one in writes) == 2 * len(stored.rows(fleet, job=job["id"]))
