"""Names that do not exist, and name servers that fail: told apart, because only one of them mends itself."""
import pytest

from support.names import NXDOMAIN, SERVFAIL, Names
from support.processes import wait_until
from test_sources_faults import check_failed, check_kept, task

HOST = "films.example"


@pytest.fixture(scope="module")
def film(clips):
    return clips("small.mp4").read_bytes()


@pytest.fixture
def names(tmp_path):
    try:
        server = Names(tmp_path)
    except PermissionError as refused:
        pytest.skip(f"a name server cannot listen here: {refused}")
    yield server
    server.close()


@pytest.fixture
def post(rig, names):
    """post(url): a job that fetches the URL from HOST, by programs that may ask any host at the source's port."""
    ports = {"MEDIAFLEET_ALLOWED_PORTS": str(rig.source.port)}
    rig.fleet.scale("download", 0)
    gateway = rig.start("gateway", env=ports)
    rig.start("download", env=ports, wrap=names.wrap())
    wait_until(lambda: answers(rig, gateway), 30, "the gateway")

    def send(url):
        body = {"url": url.replace("127.0.0.1", HOST), "project_id": "tests"}
        return rig.fleet.accepted(rig.fleet.post(f"{gateway.url}/api/v1/media/store", body))["task_id"]

    yield send
    rig.fleet.scale("download", 1)


def answers(rig, gateway):
    try:
        return rig.fleet.get(f"{gateway.url}/readyz").status_code == 200
    except OSError:
        return False


@pytest.mark.fault(45, "name server says NXDOMAIN", "a name server of the test's own, in the worker's resolv.conf")
def test_name_does_not_exist(rig, film, names, post):
    """tried once more, since a name may be young; then source-unknown-host for good, one attempt before its last"""
    names.answers[HOST] = NXDOMAIN
    url = rig.source.serve(film)
    job_id = post(url)
    job = check_failed(rig, job_id, "source-unknown-host")
    assert names.count(HOST) >= 2
    assert (task(rig, job_id)["failures"], [line["event"] for line in job["log"]].count("retrying")) == (2, 1)
    assert rig.source.requests(url) == []


@pytest.mark.fault(45, "name server says SERVFAIL", "a name server of the test's own, in the worker's resolv.conf")
def test_name_server_fails(rig, film, names, post):
    """source-dns-error is transient: the next attempt finds the name, and the film is kept"""
    names.answers[HOST] = SERVFAIL
    job_id = post(rig.source.serve(film))
    rig.fleet.wait_job(job_id, 120, until=lambda job: job["phase"] == "retrying")
    assert task(rig, job_id)["error"]["code"] == "source-dns-error"
    assert names.count(HOST) > 0
    names.answers[HOST] = "127.0.0.1"
    assert check_kept(rig, job_id, film)["failures"] == 1
