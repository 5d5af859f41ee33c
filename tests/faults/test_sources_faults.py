"""Sources that fail in the middle, and lie: the film is whole or the job says why, and nothing of it is left."""
import hashlib

import pytest

import stored

MIB = 1 << 20


@pytest.fixture(scope="module")
def film(clips):
    return clips("small.mp4").read_bytes()


@pytest.fixture
def download(rig):
    """download(env, wrap=()): a worker of the test's own is the only one that downloads."""
    def start(env, wrap=()):
        rig.fleet.scale("download", 0)
        return rig.start("download", env=env, wrap=wrap)

    yield start
    rig.fleet.scale("download", 1)


def task(rig, job_id):
    return rig.fleet.db.jobs.find_one({"_id": job_id})["tasks"][0]


def check_kept(rig, job_id, film, timeout=120):
    """The bucket has the source's bytes, all of them and no others; returns the download's task."""
    job = rig.fleet.wait_job(job_id, timeout)
    assert job["state"] == "succeeded", job
    row = stored.check_rows(rig.fleet, job)[stored.scene(rig.fleet, job)["storage_key"]]
    assert (row["size_bytes"], row["sha256"]) == (len(film), hashlib.sha256(film).hexdigest())
    return task(rig, job_id)


def check_failed(rig, job_id, code, name="download", timeout=120):
    job = rig.fleet.wait_job(job_id, timeout)
    assert (job["state"], job["percent"]) == ("failed", 100), job
    assert (job["error"]["code"], job["error"]["task"]) == (code, name), job["error"]
    assert stored.scene(rig.fleet, job)["status"] == "failed"
    stored.check_gone(rig.fleet, job)
    return job


def asked(rig, url):
    return [(headers.get("Range"), headers.get("If-Range")) for headers in rig.source.requests(url)]


@pytest.mark.fault(44, "source drops the connection at 50 %", "the source server cuts its answer")
def test_source_drops_at_half(rig, film):
    """the rest is asked for with Range and If-Range; no byte is missing or doubled"""
    half = len(film) // 2
    url = rig.source.serve(film, cut=[half, None], etag='"v1"')
    done = check_kept(rig, rig.fleet.store(url)["task_id"], film)
    assert rig.source.resource(url).sent == [half, len(film) - half]
    assert asked(rig, url) == [(None, None), (f"bytes={half}-", '"v1"')]
    assert (done["run"], done["result"]["resumed"]) == (1, 1)


@pytest.mark.fault(44, "source without ranges drops at 50 %", "the source server cuts its answer and ignores Range")
def test_source_without_ranges_drops_at_half(rig, film):
    """the whole film is taken anew, nothing of the first half stays before it"""
    half = len(film) // 2
    url = rig.source.serve(film, cut=[half, None], ranges=False)
    check_kept(rig, rig.fleet.store(url)["task_id"], film)
    assert rig.source.resource(url).sent == [half, len(film)]


@pytest.mark.fault(44, "source changes its ETag between two halves", "the source server cuts, then serves another film")
def test_source_changes_in_the_middle(rig, clips, film):
    """another ETag is another film: taken from its beginning, never a mixture of two"""
    other, half = clips("silent.mp4").read_bytes(), len(film) // 2
    url = rig.source.serve(film, cut=[half, None], etag='"v1"')
    resource = rig.source.resource(url)
    resource.then(1, body=other, etag='"v2"')
    done = check_kept(rig, rig.fleet.store(url)["task_id"], other)
    assert resource.sent == [half, len(other)]
    assert asked(rig, url) == [(None, None), (f"bytes={half}-", '"v1"')]
    assert done["result"]["etag"] == '"v2"'


@pytest.mark.fault(44, "source promises more bytes than it sends", "the source server's Content-Length is 1000 too great")
def test_source_promises_too_much(rig, film):
    """a short film is never taken for whole: source-truncated, and the next run takes it when the source is honest"""
    url = rig.source.serve(film, length=len(film) + 1000, ranges=False)
    job_id = rig.fleet.store(url)["task_id"]
    rig.fleet.wait_job(job_id, 120, until=lambda job: job["phase"] == "retrying")
    assert task(rig, job_id)["error"]["code"] == "source-truncated"
    resource = rig.source.resource(url)
    assert len(resource.requests) > 1 and set(resource.sent) == {len(film)}
    resource.length = None
    assert check_kept(rig, job_id, film)["failures"] == 1


@pytest.mark.fault(44, "source promises fewer bytes than the film has", "the source server's Content-Length is half")
def test_source_promises_too_little(rig, film):
    """what came is half a film: corrupt-media, nothing is published"""
    url = rig.source.serve(film, length=len(film) // 2)
    check_failed(rig, rig.fleet.store(url)["task_id"], "corrupt-media", "transcode")
    (sent,) = rig.source.resource(url).sent
    assert len(film) // 2 < sent <= len(film)  # more than was promised: whoever heard enough hangs up


@pytest.mark.fault(44, "source never ends", "the source server sends zeros behind the film, without a length")
def test_source_without_end(rig, film, download):
    """stopped at MEDIAFLEET_MAX_SOURCE_BYTES: source-too-large, asked once"""
    download({"MEDIAFLEET_MAX_SOURCE_BYTES": str(4 * MIB)})
    url = rig.source.serve(film, endless=True)
    check_failed(rig, rig.fleet.store(url)["task_id"], "source-too-large")
    resource = rig.source.resource(url)
    assert len(resource.requests) == 1 and 4 * MIB <= resource.sent[0]


@pytest.mark.fault(44, "source sends 1 byte a second", "the source server sleeps between bytes")
def test_source_drips(rig, film, download):
    """too slow for too long is source-timeout, however steadily it drips; the next run takes it from a faster source"""
    download({"MEDIAFLEET_LOW_SPEED_S": "2"})
    url = rig.source.serve(film, rate=1)
    resource = rig.source.resource(url)
    job_id = rig.fleet.store(url)["task_id"]
    rig.fleet.wait_job(job_id, 120, until=lambda job: job["phase"] == "retrying")
    assert task(rig, job_id)["error"]["code"] == "source-timeout"
    assert resource.sent and all(0 < sent < 1000 for sent in resource.sent)
    resource.rate = None
    assert check_kept(rig, job_id, film)["failures"] == 1
