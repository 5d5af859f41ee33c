"""Fixtures for tests of real programs and services: fleets, sources, clips.

`fleet` and `fleet_s3` live for the whole session and are clean when a module begins. A test that wants a fleet of its own,
with other settings, asks `make_fleet`. Tests run in several processes at once (tests/run), each with a session of its own.
"""
import pathlib
import shutil
import tempfile

import pytest
from xdist.scheduler import LoadFileScheduling

from support import clips as clip_files
from support.fleet import Fleet, fleets
from support.source import Source

SPREAD = ("faults/", "integration/test_crashes.py", "integration/test_fleet.py")
DRAIN_S = 10  # sanitized programs are slow, but no test waits longer for them


def pytest_addoption(parser):
    parser.addoption("--build-dir", help="programs to test, from DIR/bin, instead of building with sanitizers")


class ByFile(LoadFileScheduling):
    """A file's tests share what they have stored in their fleet: they run in one process, one after the other. Those of SPREAD
    share nothing."""

    def _split_scope(self, nodeid):
        return nodeid if nodeid.startswith(SPREAD) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


@pytest.fixture(scope="session")
def scratch():
    """A short path: sockets and lock files are below it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="mediafleet-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def start_fleet(request, scratch):
    """start_fleet(name, *options, settings=None) -> Fleet; it is the caller's to destroy."""
    build = request.config.getoption("--build-dir")

    def start(name, *options, settings=None):
        programs = ["--build", build] if build else ["--sanitize"]
        fleet = Fleet(scratch / name, *programs, *options, settings={"MEDIAFLEET_DRAIN_S": DRAIN_S} | (settings or {}))
        fleet.up()
        fleets.append(fleet)
        return fleet

    return start


def destroy(fleet):
    fleets.remove(fleet)
    fleet.down("--now")
    reports = [file.read_text()[:8000] for file in fleet.sanitizer_reports()]
    fleet.destroy()
    assert not reports, "reports of sanitizers:\n" + "\n".join(reports)


@pytest.fixture(scope="session")
def session_fleet(start_fleet):
    fleet = start_fleet("local")
    yield fleet
    destroy(fleet)


@pytest.fixture(scope="session")
def session_fleet_s3(start_fleet):
    fleet = start_fleet("s3", "--s3")
    yield fleet
    destroy(fleet)


@pytest.fixture(scope="module")
def fleet(session_fleet):
    """One of each program, media in a local directory. After the module nothing may be left over."""
    session_fleet.up()
    yield session_fleet
    session_fleet.check_clean()


@pytest.fixture(scope="module")
def fleet_s3(session_fleet_s3):
    """The same with media in an S3 server."""
    session_fleet_s3.up()
    yield session_fleet_s3
    session_fleet_s3.check_clean()


@pytest.fixture
def make_fleet(start_fleet):
    """make_fleet(name, *options, settings=None): a fleet that ends with the test."""
    made = []

    def make(name, *options, settings=None):
        made.append(start_fleet(name, *options, settings=settings))
        return made[-1]

    yield make
    for fleet in made:
        destroy(fleet)


@pytest.fixture(scope="module")
def source(fleet):
    """A scriptable web server on a port that the fleet may fetch from."""
    server = Source(fleet.source_ports[0])
    yield server
    server.close()


@pytest.fixture(scope="module")
def source_s3(fleet_s3):
    """The same for fleet_s3."""
    server = Source(fleet_s3.source_ports[0])
    yield server
    server.close()


@pytest.fixture(scope="session")
def clips():
    """clips("small.mp4") -> path; the names are in support/clips.py."""
    return clip_files.clip


@pytest.fixture(scope="session")
def footage():
    """footage("big-buck-bunny-480p-30s.mp4") -> path of real footage; skips where there is none."""
    return clip_files.footage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Failed tests show the ends of the logs of the fleets that they used."""
    report = yield
    if report.failed:
        used = [value for value in item.funcargs.values() if isinstance(value, Fleet)]
        for fleet in used or fleets:
            report.sections.append((f"logs of {fleet.state.name}", fleet.tail()))
    return report
