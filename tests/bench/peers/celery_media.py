"""The peer for the whole pipeline: Celery, requests, ffmpeg as a process, boto3, pymongo. One task a job: a chain of four would
pay the broker and the store three times more. Every client is made once in a process and kept."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import boto3
import boto3.s3.transfer
import botocore.config
import requests
from celery import Celery
from pymongo import MongoClient

BUCKET = os.environ.get("AWS_STORAGE_BUCKET_NAME", "mediafleet")
UPLOADS = 8  # at once, as many as the fleet's
SEGMENT_S, GOP_S = 6, 2
# Height, maxrate, bufsize, profile: the fleet's ladder (worker/transcode/ladder.c), so that both encode the same.
LADDER = ((1080, "5600k", "9000k", "high"), (720, "3100k", "5000k", "high"), (480, "1500k", "2400k", "main"),
          (360, "875k", "1400k", "main"))
THUMBNAILS = {"small": (150, 150), "medium": (300, 300), "large": (800, 600)}
CONTENT_TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".m4s": "video/iso.segment", ".mp4": "video/mp4", ".jpg": "image/jpeg"}
# There are as many tasks at once as cores: encoders with more threads only took 6 % more CPU.
THREADS = os.environ.get("FFMPEG_THREADS", "1")
# "copy": the source's own picture is the top rendition, as the fleet does where it can.
TOP = os.environ.get("TOP_RENDITION", "encode")

app = Celery("media", broker=os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_delivery_mode=2,
    worker_prefetch_multiplier=int(os.environ.get("PREFETCH", "1")),
    broker_connection_retry_on_startup=True,
)


class Clients:
    """Made by the first task of a process, after the fork."""

    def __init__(self):
        self.db = MongoClient(os.environ.get("MONGODB_URL", "mongodb://127.0.0.1:27017")).peer
        self.http = requests.Session()
        self.http.trust_env = False
        s3 = boto3.client("s3", config=botocore.config.Config(max_pool_connections=UPLOADS))
        self.transfers = boto3.s3.transfer.create_transfer_manager(
            s3, boto3.s3.transfer.TransferConfig(max_concurrency=UPLOADS, multipart_threshold=16 << 20))


clients = None


def tell(task_id, **fields):
    clients.db.tasks.update_one({"_id": task_id}, {"$set": fields})


def download(url, file):
    with clients.http.get(url, stream=True, timeout=30) as answer, file.open("wb") as out:
        answer.raise_for_status()
        for chunk in answer.iter_content(1 << 20):
            out.write(chunk)


def probe(file):
    """Height decides the ladder; the scene wants the rest."""
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", file], check=True,
                          capture_output=True, stdin=subprocess.DEVNULL)
    told = json.loads(done.stdout)
    video = next(stream for stream in told["streams"] if stream["codec_type"] == "video")
    return video["width"], video["height"], float(told["format"]["duration"])


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def encoded(number, rung, copied):
    """The options of one rendition."""
    if number == 0 and copied:
        return ["-c:v:0", "copy"]
    _, maxrate, bufsize, profile = rung
    return [f"-c:v:{number}", "libx264", f"-preset:v:{number}", "veryfast", f"-profile:v:{number}", profile, f"-crf:v:{number}", "23",
            f"-maxrate:v:{number}", maxrate, f"-bufsize:v:{number}", bufsize, f"-sc_threshold:v:{number}", "0",
            f"-force_key_frames:v:{number}", f"expr:gte(t,n_forced*{GOP_S})", f"-threads:v:{number}", THREADS]


def make_hls(source, height, directory):
    """One process: decodes once, encodes all renditions, the sound once."""
    rungs = [rung for rung in LADDER if rung[0] <= height] or [(height, *LADDER[-1][1:])]
    copied = TOP == "copy" and rungs[0][0] == height
    scaled = rungs[1:] if copied else rungs
    graph = f"[0:v]split={len(scaled)}" + "".join(f"[s{n}]" for n in range(len(scaled)))
    graph += "".join(f";[s{n}]" + ("null" if rung[0] == height else f"scale=-2:{rung[0]}") + f"[v{n}]" for n, rung in enumerate(scaled))
    maps = [*(["-map", "0:v"] if copied else []), *(word for n in range(len(scaled)) for word in ("-map", f"[v{n}]"))]
    filters = ["-filter_complex", graph] if scaled else []
    streams = " ".join([*(f"v:{n},agroup:a" for n in range(len(rungs))), "a:0,agroup:a"])
    ffmpeg("-i", source, *filters, *maps, "-map", "0:a", *(word for n, rung in enumerate(rungs) for word in encoded(n, rung, copied)),
           "-c:a", "copy" if copied else "aac", *([] if copied else ["-b:a", "128k"]),
           "-f", "hls", "-hls_time", str(SEGMENT_S), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
           "-hls_flags", "independent_segments", "-var_stream_map", streams, "-master_pl_name", "master.m3u8",
           "-hls_segment_filename", directory / "v%v_%03d.m4s", directory / "v%v.m3u8")


def make_thumbnails(source, duration, directory):
    """A process of its own that seeks: cheaper than a branch of the ladder, which would see every picture."""
    boxes = list(THUMBNAILS.items())
    graph = f"[0:v]split={len(boxes)}" + "".join(f"[s{n}]" for n in range(len(boxes))) + "".join(
        f";[s{n}]scale='min({width},iw)':'min({height},ih)':force_original_aspect_ratio=decrease[t{n}]"
        for n, (_, (width, height)) in enumerate(boxes))
    ffmpeg("-threads", "1", "-ss", f"{duration / 10:.3f}", "-i", source, "-filter_complex", graph,
           *(word for n, (name, _) in enumerate(boxes) for word in ("-map", f"[t{n}]", "-frames:v", "1", "-q:v", "3", directory / f"{name}.jpg")))


def upload(task_id, directory):
    """All files at once; the playlists last. Returns the rows of what is there now."""
    prefix = f"peer/{task_id}/"
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    for playlists in (False, True):
        futures = [clients.transfers.upload(str(file), BUCKET, prefix + str(file.relative_to(directory)),
                                            extra_args={"ContentType": CONTENT_TYPES[file.suffix]})
                   for file in files if (file.suffix == ".m3u8") == playlists]
        for future in futures:
            future.result()
    now = time.time()
    return [{"project_id": "bench", "object_key": prefix + str(file.relative_to(directory)), "scene_id": task_id,
             "size_bytes": file.stat().st_size, "content_type": CONTENT_TYPES[file.suffix], "created_at": now, "updated_at": now}
            for file in files]


def process(task_id, url, directory):
    source = directory / "source" / "source.mp4"
    for name in ("source", "hls", "thumbnails"):
        (directory / name).mkdir()
    download(url, source)
    tell(task_id, state="transcoding", progress=20)
    width, height, duration = probe(source)
    make_hls(source, height, directory / "hls")
    tell(task_id, state="thumbnails", progress=80)
    make_thumbnails(source, duration, directory / "thumbnails")
    tell(task_id, state="uploading", progress=85)
    clients.db.r2_file_paths.insert_many(upload(task_id, directory))
    clients.db.scenes.update_one({"_id": task_id}, {"$set": {
        "status": "completed", "playlist_key": f"peer/{task_id}/hls/master.m3u8", "duration_s": duration, "width": width,
        "height": height}}, upsert=True)


@app.task(bind=True, max_retries=3)
def store(self, task_id, url):
    global clients
    clients = clients or Clients()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="media-"))
    tell(task_id, state="downloading", progress=5, started_at=time.time())
    try:
        process(task_id, url, directory)
    except Exception as error:
        tell(task_id, state="failed", progress=100, error=str(error)[:1000], finished_at=time.time())
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    tell(task_id, state="completed", progress=100, finished_at=time.time())
