"""The whole pipeline, from download to bucket, beside Celery with ffmpeg and boto3."""
import json
import os
import subprocess

from pipeline_sides import CeleryPipeline, FleetPipeline
from source_server import source_server

from figures.media import make

QUICK = "360p"  # the others take ours about ten times as long: a quarter of the jobs does
ONE_KEY_FRAME = "480p, one key frame"
# Clips of about 1 MB of the real footage, as cameras and video sites make them: H.264 and stereo AAC, a key frame every two
# seconds. Of these the fleet makes the source itself the top rendition. The last has only one key frame, as ffmpeg's own
# defaults make it: everything has to be encoded.
CLIPS = {
    QUICK: ("scale=640:360,setsar=1", ["-ss", "10", "-t", "13"], ["-b:v", "570k", "-g", "48", "-keyint_min", "48"]),
    "480p": ("setsar=1", ["-ss", "15.75", "-t", "7.25"], ["-b:v", "1130k", "-g", "48", "-keyint_min", "48"]),
    ONE_KEY_FRAME: ("setsar=1", ["-ss", "15.75", "-t", "7.25"], ["-b:v", "1250k"]),
}
PREFORK = os.cpu_count()  # each of their ffmpegs has one thread
WARM_UP = 4  # jobs: what one of them makes is looked at


def clip(bench, name):
    scale, part, options = CLIPS[name]
    film = bench.footage / "big-buck-bunny-480p-30s.mp4"
    source = ["-i", film] if film.exists() else ["-f", "lavfi", "-i", "testsrc2=size=854x480:rate=24:duration=30", "-f", "lavfi",
                                                 "-i", "sine=duration=30"]
    directory = bench.scratch / "sources"
    directory.mkdir(exist_ok=True)
    return make(directory / f"{name.replace(' ', '-').replace(',', '')}.mp4", *source, *part, "-vf", scale, "-c:v", "libx264", "-preset",
                "medium", *options, "-maxrate", "1500k", "-bufsize", "3000k", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-b:a", "128k",
                "-movflags", "+faststart")


def streams(playlist):
    """Of every rendition: what ffprobe finds when it reads it to its end."""
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-count_packets", playlist], check=True,
                          capture_output=True, timeout=120)
    found = {}
    for stream in json.loads(done.stdout)["streams"]:
        key = stream["codec_name"], stream.get("width"), stream.get("height")
        found[key] = int(stream["nb_read_packets"])
    return found


def check_same(ours, theirs):
    """Both must have made the same renditions, whole."""
    assert ours.keys() == theirs.keys(), f"{ours} is not {theirs}"
    for key, packets in ours.items():
        assert abs(packets - theirs[key]) <= 3, f"{key}: {packets} packets, not {theirs[key]}"


def pipeline(bench):
    """A fleet of its own with an S3 server, one program of each kind as deploy/fleet starts it."""
    with bench.fleet_with("pipeline", "--s3") as fleet:
        root = bench.scratch / "sources"
        root.mkdir(exist_ok=True)
        with source_server(root, fleet.source_ports[0], bench.scratch / "nginx") as server:
            services = [int(file.read_text().split()[0]) for file in (fleet.state / "services/run").glob("*.pid")] + [server.pid]
            compare(bench, fleet, f"http://127.0.0.1:{fleet.source_ports[0]}", services)


def compare(bench, fleet, url, services):
    ours, peer = FleetPipeline(fleet, services), CeleryPipeline(bench, fleet, services)
    try:
        for name in CLIPS:
            source = clip(bench, name)
            count = bench.asked.clips if name == QUICK else max(bench.asked.clips // 4, 1)
            compare_clip(bench, f"pipeline, {name}, {source.stat().st_size / 1e6:.2f} MB", ours, peer, f"{url}/{source.name}", count)
    finally:
        peer.stop()


def compare_clip(bench, name, ours, peer, url, count):
    ours.run(url, WARM_UP)
    peer.run(url, WARM_UP, PREFORK)
    check_same(streams(ours.playlist()), streams(peer.playlist()))
    plain, copying = f"Celery, prefork {PREFORK}", f"Celery that copies, prefork {PREFORK}"
    peers = {plain: lambda: peer.run(url, count, PREFORK)}
    if ONE_KEY_FRAME not in name:
        peers[copying] = lambda: peer.run(url, count, PREFORK, TOP_RENDITION="copy")
    mine, others = bench.pairs(name, lambda: ours.run(url, count), peers)
    for other, samples in others.items():
        bench.figure(name, "jobs/s", mine, {other: samples}, **({"goal": 3} if other == plain else {}))
