"""Fixtures of the fault tests: rigs. After every test everything is put right and the invariants are asserted from outside.

`rig` (media in a directory) and `rig_s3` (media in an S3 server) serve many tests, one after the other; a test that fails leaves
none behind. `make_rig` makes one of the test's own, with other settings.
"""
import pytest

from invariants import Invariants
from rig import open_rig
from support.fleet import fleets


@pytest.fixture(scope="session")
def start_rig(request, scratch):
    """start_rig(name, *options, settings=None) -> Rig; the caller ends it with end_rig."""
    build = request.config.getoption("--build-dir")

    def start(name, *options, settings=None):
        rig = open_rig(scratch / name, *options, build=build, settings=settings)
        fleets.append(rig.fleet)
        return rig

    return start


def end_rig(rig):
    fleets.remove(rig.fleet)
    rig.fleet.down("--now")
    reports = [file.read_text()[:8000] for file in rig.fleet.sanitizer_reports()]
    rig.close()
    rig.fleet.destroy()
    assert not reports, "reports of sanitizers:\n" + "\n".join(reports)


class Pool:
    """At most one rig of each make; a rig that a test has spoiled is thrown away."""

    def __init__(self, start_rig):
        self.start_rig, self.rigs = start_rig, {}

    def get(self, *options):
        if options not in self.rigs:
            self.rigs[options] = self.start_rig("-".join(["rig", *options]).replace("--", ""), *options)
        return self.rigs[options]

    def drop(self, rig):
        self.rigs = {options: one for options, one in self.rigs.items() if one is not rig}
        end_rig(rig)


@pytest.fixture(scope="session")
def pool(start_rig):
    made = Pool(start_rig)
    yield made
    for rig in list(made.rigs.values()):
        made.drop(rig)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.call_failed = report.failed
    return report


def guarded(request, rig, resources=True):
    """The test between two looks at the rig. A failed test's rig is not asked for its invariants: it is thrown away."""
    invariants = Invariants(rig, resources)
    invariants.begin()
    yield rig
    try:
        if not getattr(request.node, "call_failed", True):
            rig.restore()
            invariants.check()
    finally:
        invariants.end()


def pooled(request, pool, *options):
    rig = pool.get(*options)
    try:
        yield from guarded(request, rig)
    except BaseException:
        request.node.call_failed = True
        raise
    finally:
        if getattr(request.node, "call_failed", True):
            pool.drop(rig)


@pytest.fixture
def rig(request, pool):
    yield from pooled(request, pool)


@pytest.fixture
def rig_s3(request, pool):
    yield from pooled(request, pool, "--s3")


@pytest.fixture
def make_rig(request, start_rig):
    """make_rig(name, *options, settings=None): ends with the test, after the same checks."""
    made = []

    def make(name, *options, settings=None):
        rig = start_rig(name, *options, settings=settings)
        guard = guarded(request, rig, resources=False)  # it has not yet done everything once
        made.append((rig, guard))
        return next(guard)

    yield make
    problems = []
    for rig, guard in made:
        try:
            next(guard, None)
        except AssertionError as problem:
            problems.append(str(problem))
        finally:
            end_rig(rig)
    assert not problems, "\n".join(problems)
