"""media.store from the post to the picture: what is stored, how it is told, that it plays."""
import hashlib
import re
import struct
import subprocess

import pytest

import hls_asset
import hls_check
import stored
from support.source import Source

OID = "[0-9a-f]{24}"


def store(fleet, source, file, timeout=240, name="clip.mp4", **fields):
    """Stores a file; returns (answer, job, scene)."""
    answer = fleet.store(source.serve_file(file, name), **fields)
    job = fleet.wait_job(answer["task_id"], timeout)
    return answer, job, stored.scene(fleet, job)


def succeeded(job):
    assert job["state"] == "succeeded", job.get("error")
    assert (job["phase"], job["percent"]) == ("done", 100)
    assert {task["name"]: task["state"] for task in job["tasks"]} == dict.fromkeys(
        ["download", "transcode", "thumbnail", "upload"], "succeeded")
    assert all(task["percent"] == 100 for task in job["tasks"])
    return job


def jpeg_size(data):
    """Width and height as the frame header says."""
    at = 2
    while True:
        marker, length = struct.unpack(">HH", data[at:at + 4])
        if 0xFFC0 <= marker <= 0xFFC2:
            height, width = struct.unpack(">HH", data[at + 5:at + 9])
            return width, height
        at += 2 + length


@pytest.fixture(scope="module")
def hd(fleet, source, clips):
    """A 720p clip with sound, stored with every field that a client may send."""
    return store(fleet, source, clips("hd.mp4"), project_id="films", scene_id="scene-7", user_id="u.1",
                 metadata={"title": "Früh", "tags": ["a", 1, {"deep": True}]})


def test_accepted(fleet, source, clips):
    """202 names the job and the record it will write."""
    answer = fleet.post("/api/v1/media/store", {"url": source.serve_file(clips("small.mp4")), "project_id": "films"})
    body = answer.json()
    assert answer.status_code == 202
    assert set(body) == {"task_id", "mongo_db_id", "status_url", "queued"}
    assert re.fullmatch(OID, body["mongo_db_id"])
    assert answer.headers["Location"] == body["status_url"] == f"/api/v1/jobs/{body['task_id']}"
    record = fleet.get(f"/api/v1/scenes/{body['mongo_db_id']}").json()
    assert (record["status"], record["job"]) == ("processing", body["task_id"])
    assert "playlist_url" not in record
    succeeded(fleet.wait_job(body["task_id"], 120))


def test_job(hd):
    """Its result names what was stored."""
    answer, job, _ = hd
    succeeded(job)
    assert (job["recipe"], job["project_id"], job["mongo_db_id"]) == ("media.store", "films", answer["mongo_db_id"])
    prefix = stored.prefix(job)
    assert job["result"] == {
        "storage": "stored", "storage_key": f"{prefix}source/source.mp4", "playlist_key": f"{prefix}hls/master.m3u8",
        "small": f"{prefix}thumbnails/small.jpg", "medium": f"{prefix}thumbnails/medium.jpg",
        "large": f"{prefix}thumbnails/large.jpg", "files": job["result"]["files"], "bytes": job["result"]["bytes"]}


def test_scene_is_exact(fleet, source, hd):
    """Every field of the record."""
    answer, job, scene = hd
    prefix = stored.prefix(job)
    assert scene == {
        "mongo_db_id": answer["mongo_db_id"], "project_id": "films", "scene_id": "scene-7", "user_id": "u.1",
        "url": scene["url"], "status": "completed", "storage": "stored",
        "storage_key": f"{prefix}source/source.mp4", "playlist_key": f"{prefix}hls/master.m3u8",
        "playlist_url": scene["playlist_url"], "thumbnails": scene["thumbnails"],
        "duration_s": pytest.approx(8, abs=0.1), "width": 1280, "height": 720, "job": job["id"],
        "metadata": {"title": "Früh", "tags": ["a", 1, {"deep": True}]},
        "created_at": scene["created_at"], "updated_at": scene["updated_at"]}
    assert scene["url"].startswith(source.url)
    assert scene["playlist_url"].startswith(f"{fleet.url}/media/")
    assert stored.key_in(scene["playlist_url"]) == scene["playlist_key"]


def test_asset(hd, clips):
    """Behind the playlist's URL, without credentials, lies an asset without a violation: segments begin with an IDR at
    the same time in all renditions, playlists add up to the source's length, everything decodes."""
    assert hls_check.check(hd[2]["playlist_url"], clips("hd.mp4")) == []


def test_plays(hd):
    """ffmpeg and ffprobe read all of it as it was printed."""
    streams = stored.play(hd[2]["playlist_url"])
    assert {stream.get("height") for stream in streams if stream["codec_type"] == "video"} == {720, 480, 360}
    assert "audio" in {stream["codec_type"] for stream in streams}


def test_headers_of_media(hd):
    """Types that players insist on, caches that may keep everything, parts on request."""
    playlist = stored.fetch(hd[2]["playlist_url"])
    assert playlist.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert playlist.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert playlist.headers["X-Content-Type-Options"] == "nosniff"
    assert playlist.headers["Accept-Ranges"] == "bytes"
    url, whole = hd[2]["playlist_url"], playlist.content
    for wanted, status, part, told in (
            ("bytes=0-9", 206, whole[:10], f"bytes 0-9/{len(whole)}"),
            ("bytes=10-", 206, whole[10:], f"bytes 10-{len(whole) - 1}/{len(whole)}"),
            ("bytes=-7", 206, whole[-7:], f"bytes {len(whole) - 7}-{len(whole) - 1}/{len(whole)}"),
            (f"bytes={len(whole)}-", 416, None, f"bytes */{len(whole)}")):
        answer = stored.fetch(url, Range=wanted)
        assert (answer.status_code, answer.headers["Content-Range"]) == (status, told)
        assert part is None or answer.content == part
    unchanged = stored.fetch(url, **{"If-None-Match": playlist.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_signature_covers_the_job_only(hd):
    """A grant opens what lies under the job's prefix and nothing else."""
    url = hd[2]["playlist_url"]
    job = hd[1]["id"]
    assert stored.fetch(url.replace("master.m3u8", "no-such-file")).status_code == 404
    for wrong in (url.replace(job, job[:-1] + ("0" if job[-1] != "0" else "1")), url.replace("/films/", "/other/")):
        answer = stored.fetch(wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "invalid-signature")


def test_thumbnails(hd):
    """JPEGs that fit into their boxes in the film's shape."""
    sizes = {}
    for name, url in hd[2]["thumbnails"].items():
        answer = stored.fetch(url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        sizes[name] = jpeg_size(answer.content)
    assert sizes == {"small": (150, 84), "medium": (300, 169), "large": (800, 450)}


def test_rows(fleet, hd, clips):
    """A row for each object and the other way round; sizes, types and digests agree."""
    _, job, scene = hd
    found = stored.check_rows(fleet, job)
    assert job["result"]["files"] == len(found)
    assert job["result"]["bytes"] == sum(row["size_bytes"] for row in found.values())
    source = found[scene["storage_key"]]
    assert source["sha256"] == hashlib.sha256(clips("hd.mp4").read_bytes()).hexdigest()
    kinds = [row["file_type"] for row in found.values()]
    assert kinds.count("source") == 1 and kinds.count("thumbnail") == 3 and kinds.count("init") == 4
    for row in found.values():
        assert (row["tenant"], row["scene_id"], row["user_id"], row["backend"]) == ("main", "scene-7", "u.1", "local")


def test_workspace_is_empty(fleet, hd):
    """Nothing of the job is left there."""
    assert not (fleet.workspace / hd[1]["id"]).exists()


def test_same_record_again(fleet, source, clips, hd):
    """A second job writes the same record: the latest wins, what was there before still plays."""
    first = hd[2]
    answer, job, scene = store(fleet, source, clips("small.mp4"), project_id="films", mongo_db_id=first["mongo_db_id"])
    assert answer["mongo_db_id"] == first["mongo_db_id"] and scene["job"] == job["id"]
    assert (scene["width"], scene["height"]) == (320, 240)
    assert scene["created_at"] == first["created_at"]
    assert stored.fetch(first["playlist_url"]).status_code == 200
    wrong = fleet.post("/api/v1/media/store", {"url": scene["url"], "project_id": "elsewhere",
                                               "mongo_db_id": first["mongo_db_id"]})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "scene-conflict")
    wrong = fleet.post("/api/v1/media/store", {"url": scene["url"], "project_id": "films", "mongo_db_id": "0" * 24})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "scene-not-found")


# Made from another clip: its name, ffmpeg's options.
DERIVED = {
    "turned.mp4": ("small.mp4", ["-c", "copy", "-metadata:s:v", "rotate=90"]),
    "odd.mkv": ("silent.mp4", ["-vf", "scale=321:243,setsar=1,format=yuv444p", "-c:v", "ffv1"]),
}


def derived(name, directory, clips):
    base, options = DERIVED[name]
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", clips(base), *options, directory / name],
                   check=True, timeout=60)
    return directory / name


# What is stored: size as displayed, kinds of media playlists.
SHAPES = {
    "portrait.mp4": (360, 640, "video audio"),
    "turned.mp4": (240, 320, "video audio"),
    "odd.mkv": (321, 243, "video"),
    "silent.mp4": (320, 240, "video"),
    "small.webm": (320, 240, "video audio"),
    "audio.m4a": (None, None, "audio"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(fleet, source, clips, tmp_path, name):
    """Portrait, rotated, odd, silent, other containers, sound alone: each becomes an asset that plays."""
    width, height, kinds = SHAPES[name]
    file = derived(name, tmp_path, clips) if name in DERIVED else clips(name)
    _, job, scene = store(fleet, source, file, name=name)
    assert job["state"] == "succeeded", job
    assert scene["status"] == "completed"
    assert (scene.get("width"), scene.get("height")) == (width, height)
    assert hls_check.check(scene["playlist_url"], file) == []
    streams = stored.play(scene["playlist_url"])
    assert {stream["codec_type"] for stream in streams} == set(kinds.split())
    stored.check_rows(fleet, job)
    if "video" in kinds:
        assert set(scene["thumbnails"]) == {"small", "medium", "large"}
    assert not (fleet.workspace / job["id"]).exists()


def test_sound_alone_has_no_picture(fleet, source, clips):
    """The optional thumbnail may fail; the job succeeds and says why there is none."""
    _, job, scene = store(fleet, source, clips("audio.m4a"), name="audio.m4a")
    thumbnail = next(task for task in job["tasks"] if task["name"] == "thumbnail")
    assert (thumbnail["state"], thumbnail["error"]["code"]) == ("failed", "no-video-stream")
    assert (job["state"], job["percent"]) == ("succeeded", 100)
    assert "error" not in job and "thumbnails" not in scene and "error_message" not in scene


def test_photo(fleet, source, clips):
    """A JPEG has thumbnails and nothing to play."""
    _, job, scene = store(fleet, source, clips("picture.jpg"), name="picture.jpg")
    succeeded(job)
    assert (scene["status"], scene["width"], scene["height"]) == ("completed", 640, 480)
    assert "playlist_url" not in scene and "playlist_key" not in scene and "duration_s" not in scene
    found = stored.check_rows(fleet, job)
    assert {key.removeprefix(stored.prefix(job)) for key in found} == {
        "source/source.jpg", "thumbnails/small.jpg", "thumbnails/medium.jpg", "thumbnails/large.jpg"}
    assert jpeg_size(stored.fetch(scene["thumbnails"]["large"]).content) == (640, 480), "never enlarged"


@pytest.mark.parametrize("asked, copied", [({}, True), ({"renditions": "source"}, True), ({"renditions": "encoded"}, False)])
def test_renditions(fleet, source, clips, tmp_path, asked, copied):
    """A source that a player can take as it is becomes the best rendition, unless the client wants it encoded."""
    _, job, scene = store(fleet, source, clips("silent.mp4"), name="silent.mp4", **asked)
    succeeded(job)
    asset = hls_asset.Asset(hls_asset.mirror(scene["playlist_url"], tmp_path), clips("silent.mp4"))
    assert asset.copied == copied
    stored.check_rows(fleet, job)


def test_real_footage(fleet, source, footage):
    """Half a minute of a real film, as a player would see it."""
    file = footage("big-buck-bunny-480p-30s.mp4")
    _, job, scene = store(fleet, source, file, timeout=280)
    succeeded(job)
    assert hls_check.check(scene["playlist_url"], file) == []
    stored.play(scene["playlist_url"])
    stored.check_rows(fleet, job)


def test_rotated_photo(fleet, source, footage):
    """A photo taken on its side is shown upright."""
    _, job, scene = store(fleet, source, footage("landscape-exif-6.jpg"), name="photo.jpg")
    succeeded(job)
    assert scene["width"] > scene["height"]
    width, height = jpeg_size(stored.fetch(scene["thumbnails"]["large"]).content)
    assert width > height


def test_in_order_of_needs(fleet, hd):
    """Transcode and thumbnail after download, upload after both: as the log tells."""
    log = [(line["event"], line.get("task")) for line in hd[1]["log"]]
    assert log[0] == ("submitted", None) and log[-1] == ("finished", None)
    at = {task: log.index(("succeeded", task)) for task in ("download", "transcode", "thumbnail", "upload")}
    claimed = [event for event, _ in log].count("claimed")
    assert at["download"] < min(at["transcode"], at["thumbnail"]) and at["upload"] > max(at["transcode"], at["thumbnail"])
    assert claimed == 4, "each once"


def test_without_a_bucket(make_fleet, clips):
    """MEDIA_STORAGE_BACKEND=none: everything is made and nothing is uploaded; the record says so, at 100 percent."""
    fleet = make_fleet("no-bucket", settings={"MEDIA_STORAGE_BACKEND": "none"})
    source = Source(fleet.source_ports[0])
    try:
        _, job, scene = store(fleet, source, clips("silent.mp4"))
    finally:
        source.close()
    succeeded(job)
    assert job["result"]["storage"] == "local_only"
    assert (scene["status"], scene["storage"], scene["width"]) == ("completed", "local_only", 320)
