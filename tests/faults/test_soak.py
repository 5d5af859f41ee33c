"""The soak's own tools: the seed decides, and what is wrong is told."""
import itertools
import subprocess
import sys
import types

from soak import Soak
from soak_faults import FAULTS, Injector
from soak_flow import SORTS, Flow
from support.fleet import ROOT


class Collection:
    """As much of one as is asked for."""

    def __init__(self, jobs):
        self.jobs = jobs

    def find(self, wanted, _):
        return [job for job in self.jobs if not wanted or job["recipe"] in wanted["recipe"]["$in"]]


def bare_flow(jobs=()):
    fleet = types.SimpleNamespace(db=types.SimpleNamespace(jobs=Collection(jobs)), promised=[], key="", urls=[])
    source = types.SimpleNamespace(serve=lambda *_, **__: "http://x/", serve_file=lambda *_, **__: "http://x/")
    return Flow(types.SimpleNamespace(fleet=fleet, source=source), 1, 1)


def first(seed, count):
    return list(itertools.islice(Injector(types.SimpleNamespace(fleet=None), None, seed).order(), count))


def test_the_seed_decides():
    assert first(1, 50) == first(1, 50) != first(2, 50)
    assert set(first(1, len(FAULTS))) == set(FAULTS) and len(FAULTS) >= 12


def test_every_sort_makes_a_request():
    flow = bare_flow()
    for sort in [*SORTS, "crash"]:
        post = getattr(flow, sort)()
        assert post.path.startswith("/api/v1/") and post.ends and len(post.key) == 32


def test_wrong_ends_are_told():
    flow = bare_flow([{"_id": "A", "recipe": "hello", "state": "succeeded"},
                      {"_id": "B", "recipe": "hello", "state": "failed", "stop": {"code": "debug-transient"}},
                      {"_id": "C", "recipe": "hello", "state": "succeeded"}])
    for job, sort in (("A", "hello"), ("B", "permanent"), ("D", "sleep")):
        post = getattr(flow, sort)()
        post.job = job
        flow.posts.append(post)
    table, wrong = flow.outcomes()
    assert table["hello"] == {"succeeded": 1} and table["permanent"] == {"debug-transient": 1}
    assert wrong == ["job B (permanent) ended as debug-transient", "job D (sleep) ended as gone",
                     "jobs that nobody has an answer about: ['C']"]


def test_a_fault_that_does_not_fire_fails_the_soak(capsys):
    """It is told, everything is put right, and the next one comes."""
    done = []

    def fire(name):
        if name == "reset_store":
            raise AssertionError("nothing was reset")

    soak = Soak.__new__(Soak)
    Soak.prepare(soak, types.SimpleNamespace(only=["reset_store", "hang_s3"], seed=1))
    soak.rig = types.SimpleNamespace(restore=lambda: done.append("restored"), s3=types.SimpleNamespace(requests=[]))
    soak.injector = types.SimpleNamespace(fire=fire)
    soak.invariants = types.SimpleNamespace(meet=lambda: done.append("met"), watch=types.SimpleNamespace(live=0))
    soak.recover = lambda: soak.recovered.append(1)
    soak.pause = lambda: None
    soak.fire_all(float("inf"))
    assert soak.problems == ["reset_store: AssertionError nothing was reset"] and soak.fired == {"hang_s3": 1}
    assert done == ["restored", "met", "met"] and "reset_store FAILED" in capsys.readouterr().out


def test_unknown_faults_are_refused():
    done = subprocess.run([sys.executable, ROOT / "tests/faults/soak.py", "--only", "earthquake"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no such faults: {'earthquake'}" in done.stderr
