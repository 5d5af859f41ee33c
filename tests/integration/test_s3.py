"""media.store with an S3 server: whole objects with the right headers, tracked row by row, played by redirect."""
import hashlib
import os
import urllib.parse

import pytest
import requests

import hls_check
import stored

MIB = 1 << 20


@pytest.fixture(scope="module")
def big(fleet_s3, clips, tmp_path_factory):
    """A film whose file is larger than one part: a `free` box of 20 MiB of noise follows it."""
    file = tmp_path_factory.mktemp("big") / "big.mp4"
    noise = os.urandom(20 * MIB)
    file.write_bytes(clips("small.mp4").read_bytes() + (len(noise) + 8).to_bytes(4, "big") + b"free" + noise)
    return file


@pytest.fixture(scope="module")
def job(fleet_s3, source_s3, big):
    answer = fleet_s3.store(source_s3.serve_file(big), project_id="films")
    job = fleet_s3.wait_job(answer["task_id"], 240)
    assert (job["state"], job["percent"]) == ("succeeded", 100), job
    return job


@pytest.fixture(scope="module")
def scene(fleet_s3, job):
    return stored.scene(fleet_s3, job)


def test_objects_have_their_headers(fleet_s3, job):
    """Type, cache and size of every object, as the server keeps them."""
    found = stored.rows(fleet_s3, job=job["id"])
    assert found
    for key, row in found.items():
        head = stored.s3(fleet_s3).head_object(Bucket=stored.bucket(fleet_s3), Key=key)
        assert head["ContentType"] == stored.described(key)[1], key
        assert head["CacheControl"] == "public, max-age=31536000, immutable", key
        assert head["ContentLength"] == row["size_bytes"], key
        assert head["ETag"].strip('"') == row["etag"].strip('"'), key


def test_rows_agree(fleet_s3, job):
    """One to one, as listed by somebody else's client."""
    found = stored.check_rows(fleet_s3, job)
    assert {(row["backend"], row["bucket"]) for row in found.values()} == {("s3", stored.bucket(fleet_s3))}
    assert job["result"]["files"] == len(found) and job["result"]["storage"] == "stored"


def test_large_files_go_in_parts(fleet_s3, job, scene, big):
    """Above 16 MiB in equal parts, as the ETag tells; the content is the source's."""
    head = stored.s3(fleet_s3).head_object(Bucket=stored.bucket(fleet_s3), Key=scene["storage_key"])
    assert head["ETag"].strip('"').endswith("-2")
    data = stored.content(fleet_s3, scene["storage_key"])
    assert hashlib.sha256(data).hexdigest() == hashlib.sha256(big.read_bytes()).hexdigest()


def test_no_upload_stays_open(fleet_s3, job):
    """Open multipart uploads cost money and nobody sees them."""
    answer = stored.s3(fleet_s3).list_multipart_uploads(Bucket=stored.bucket(fleet_s3))
    assert answer.get("Uploads", []) == []


def test_plays_without_credentials(scene, clips):
    """As the URL was printed; the asset is whole."""
    assert hls_check.check(scene["playlist_url"], clips("small.mp4")) == []
    assert {stream["codec_type"] for stream in stored.play(scene["playlist_url"])} == {"video", "audio"}


def test_playlists_are_served_and_the_rest_redirected(fleet_s3, scene):
    """The gateway sends only what is small; the bytes come from the bucket, presigned."""
    playlist = fleet_s3.get(scene["playlist_url"], key="")
    assert (playlist.status_code, playlist.headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
    picture = fleet_s3.get(scene["thumbnails"]["large"], key="")
    assert picture.status_code == 302
    location = urllib.parse.urlsplit(picture.headers["Location"])
    assert f"{location.scheme}://{location.netloc}" == fleet_s3.env["AWS_ENDPOINT_URL"]
    query = urllib.parse.parse_qs(location.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"] and int(query["X-Amz-Expires"][0]) <= 7 * 86400
    answer = stored.fetch(scene["thumbnails"]["large"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


def test_head_tells_without_a_redirect(scene):
    """A presigned URL is good for one method: the gateway answers HEAD itself."""
    for url in (scene["thumbnails"]["large"], scene["playlist_url"]):
        head, whole = requests.head(url, timeout=10), stored.fetch(url)
        assert head.status_code == 200 and head.content == b""
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        assert int(head.headers["Content-Length"]) == len(whole.content)


def test_the_bucket_is_private(fleet_s3, scene):
    """Without a signature the server gives nothing."""
    url = f"{fleet_s3.env['AWS_ENDPOINT_URL']}/{stored.bucket(fleet_s3)}/{scene['storage_key']}"
    assert stored.fetch(url).status_code == 403


def test_a_failed_job_leaves_nothing(fleet_s3, source_s3, clips):
    """A film that does not decode: no object, no row, no file."""
    broken = clips("small.mp4").read_bytes()[:60_000]
    job = fleet_s3.wait_job(fleet_s3.store(source_s3.serve(broken))["task_id"], 120)
    assert (job["state"], job["percent"], job["error"]["code"]) == ("failed", 100, "corrupt-media")
    stored.check_gone(fleet_s3, job)
    assert stored.rows(fleet_s3, job=job["id"]) == {}
