"""Files to an S3 server and from an HTTP server: what the workers upload and download with, beside the tools a user would
call. Each is a process of its own whose start counts; the servers are on loopback and share the machine."""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import shlex
import shutil
import socket
import subprocess
import sys

import usage
from sample import Sample
from source_server import source_server

ROOT = pathlib.Path(__file__).resolve().parents[3]
MB = 1 << 20
SEGMENTS, BIG_MB, SMALL_FILES = 200, 512, 100
JOB = "01J00000000000000000000001"  # bench-upload's
MP4 = b"\0\0\0\x20ftypisom"  # else the download worker refuses it
RCLONE_TUNED = ["--transfers", "16", "--s3-upload-concurrency", "8", "--s3-chunk-size", "16M", "--s3-no-check-bucket", "--s3-no-head",
                "--no-traverse"]
OFTEN = 3  # times the rounds, of what is over in some seconds and differs from one to the next
CURL_AT_ONCE = ["-Z", "--parallel-immediate", "--parallel-max", str(SMALL_FILES)]


def write_random(file, megabytes, head=b""):
    """Bytes that nothing compresses, the same ones in every run."""
    source = random.Random(str(file.name))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        out.write(head)
        for number in range(megabytes):
            out.write(source.randbytes(MB - (len(head) if number == 0 else 0)))


def tree(directory):
    """How many files there are, and their bytes."""
    sizes = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def set_aside(directory, where):
    """Its files' bytes go, the rest stays until the end: ext4 looks at every inode that was deleted in the last minute before it takes
    one for a new file, and what follows would pay for that."""
    for path in directory.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)
    where.mkdir(exist_ok=True)
    directory.rename(where / str(len(list(where.iterdir()))))


def environment(scratch, **more):
    """Of a user's shell: nobody's proxies, certificates or configuration files."""
    return {"PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"} | more


def measure(command, megabytes, services, env, **options):
    """MB a second; CPU ms of the command and of the services for each MB. What others wrote is on the disk before; there is memory for
    what a side sends, the server's parts and its file."""
    told = pathlib.Path(env["HOME"]) / "once.json"
    os.sync()
    usage.warm_up_memory(3 * int(megabytes))
    before = usage.cpu_ms(services)
    done = subprocess.run([sys.executable, "-I", "-S", ROOT / "tests/bench/once.py", told, *command], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    services_ms = usage.cpu_ms(services) - before
    wall, cpu, peak = json.loads(told.read_text())
    return Sample(megabytes / wall, 1000 * cpu / megabytes, services_ms / megabytes, peak)


class S3:
    """A versitygw of the figure's own, with the files that go there."""

    def __init__(self, bench):
        self.build, self.state = bench.asked.build, bench.scratch / "transfers-s3"
        self.files = {"segments": bench.scratch / "upload-segments", "big": bench.scratch / "upload-big"}
        self.services("up", "--s3", "--state", self.state, "s3")
        words = shlex.split(self.services("env", "--state", self.state))
        told = dict(word.split("=", 1) for word in words if word.startswith("AWS_"))
        self.bucket = told["AWS_STORAGE_BUCKET_NAME"]
        rclone = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": told["AWS_ENDPOINT_URL"], "REGION": told["AWS_DEFAULT_REGION"],
                  "ACCESS_KEY_ID": told["AWS_ACCESS_KEY_ID"], "SECRET_ACCESS_KEY": told["AWS_SECRET_ACCESS_KEY"]}
        (bench.scratch / "rclone.conf").touch()
        self.env = environment(bench.scratch, MEDIA_STORAGE_BACKEND="s3", RCLONE_CONFIG=str(bench.scratch / "rclone.conf"),
                               **told, **{f"RCLONE_CONFIG_BENCH_{name}": value for name, value in rclone.items()})
        self.pids = [int((self.state / "run/s3.pid").read_text().split()[0])]
        self.make_files()

    def services(self, *arguments):
        return subprocess.run([ROOT / "deploy/dev/services", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              check=True, text=True, timeout=120).stdout

    def make_files(self):
        for number in range(SEGMENTS):
            write_random(self.files["segments"] / JOB / f"transcode.1/v1080/seg_{number:05}.m4s", 1)
        source = self.files["big"] / JOB / "download.1/source.mp4"
        write_random(source, BIG_MB, MP4)
        with source.open("rb") as file:
            self.source_sha256 = hashlib.file_digest(file, "sha256").hexdigest()

    def put(self, what, command):
        """Measures it, and looks whether all came."""
        count, size = tree(self.files[what])
        sample = measure(command, size / MB, self.pids, env=self.env)
        there = self.state / "s3/objects" / self.bucket / "up"
        assert tree(there) == (count, size), f"{command}: {tree(there)} of {count}, {size}"
        set_aside(there, self.state / "old")
        return sample

    def ours(self, what):
        """The source's SHA-256 is known from its download, as in a job; it is compared with what is sent."""
        known = [self.source_sha256] if what == "big" else []
        return self.put(what, [self.build / "bin/bench-upload", self.files[what], "up/", *known])

    def boto3(self, what, *threads):
        return self.put(what, [sys.executable, ROOT / "tests/bench/peers/boto3_upload.py", self.files[what], "up/", *threads])

    def rclone(self, what, *options):
        return self.put(what, ["rclone", "copy", *options, self.files[what], f"bench:{self.bucket}/up"])

    def boto3s(self, what):
        return {"boto3": lambda: self.boto3(what), "boto3, 32 threads": lambda: self.boto3(what, "32")}

    def rclones(self, what):
        return {"rclone": lambda: self.rclone(what), "rclone, tuned": lambda: self.rclone(what, *RCLONE_TUNED)}

    def close(self):
        self.services("down", "--now", "--state", self.state, "s3")
        for directory in self.files.values():
            shutil.rmtree(directory)
        shutil.rmtree(self.state)


def upload(bench):
    with contextlib.closing(S3(bench)) as s3:
        s3.ours("segments"), s3.boto3("segments")  # a server's first files cost it more
        bench.compare(f"upload of {SEGMENTS} segments of 1 MB", "MB/s", lambda: s3.ours("segments"),
                      s3.boto3s("segments") | s3.rclones("segments"), goal=1.5)
        big = f"upload of one file of {BIG_MB} MB"
        for peers, often in ((s3.boto3s("big"), OFTEN), (s3.rclones("big"), 1)):
            bench.compare(big, "MB/s", lambda: s3.ours("big"), peers, often=often, goal=1)


class Source:
    """An nginx with files that look like films."""

    def __init__(self, bench):
        self.build, self.directory, self.out = bench.asked.build, bench.scratch / "transfers-http", bench.scratch / "downloaded"
        write_random(self.directory / "big.mp4", BIG_MB, MP4)
        for number in range(SMALL_FILES):
            write_random(self.directory / f"{number:03}.mp4", 1, MP4)
        self.env = environment(bench.scratch, MEDIAFLEET_ALLOWED_CIDRS="127.0.0.0/8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        self.server = contextlib.ExitStack()
        self.nginx = self.server.enter_context(source_server(self.directory, port, bench.scratch / "transfers-nginx"))

    def urls(self, what):
        return [self.url + "big.mp4"] if what == "big" else [f"{self.url}{number:03}.mp4" for number in range(SMALL_FILES)]

    def get(self, what, *command, **options):
        """Measures it, and looks whether all came."""
        files = SMALL_FILES if what == "small" else 1
        megabytes = SMALL_FILES if what == "small" else BIG_MB
        self.out.mkdir()
        sample = measure(command, megabytes, [self.nginx.pid], env=self.env, cwd=self.out, **options)
        assert tree(self.out) == (files, megabytes * MB), f"{command}: {tree(self.out)}"
        set_aside(self.out, self.directory / "old")
        return sample

    def ours(self, what):
        return self.get(what, self.build / "bin/bench-download", self.out, *self.urls(what))

    def curl(self, what, *options):
        return self.get(what, "curl", "-q", "-sS", "--remote-name-all", *options, *self.urls(what))

    def yt_dlp(self, what):
        return self.get(what, "yt-dlp", "--ignore-config", "--no-cache-dir", "--quiet", "-o", "%(id)s.%(ext)s", *self.urls(what))

    def yt_dlps(self, what):
        """As its users do it who have many: it takes one URL after the other itself. The peak is that of the largest one."""
        script = 'printf "%s\\n" "$@" | xargs -P 4 -n 25 yt-dlp --ignore-config --no-cache-dir --quiet -o "%(id)s.%(ext)s"'
        return self.get(what, "sh", "-c", script, "sh", *self.urls(what))

    def close(self):
        self.server.close()
        shutil.rmtree(self.directory)


def download(bench):
    with contextlib.closing(Source(bench)) as source:
        source.ours("small"), source.curl("small")
        bench.compare(f"download of one file of {BIG_MB} MB", "MB/s", lambda: source.ours("big"),
                      {"curl": lambda: source.curl("big"), "yt-dlp": lambda: source.yt_dlp("big")}, often=OFTEN, goal=1)
        small = f"download of {SMALL_FILES} files of 1 MB at once"
        bench.compare(small, "MB/s", lambda: source.ours("small"),
                      {"curl --parallel": lambda: source.curl("small", *CURL_AT_ONCE),
                       "curl, one by one": lambda: source.curl("small")}, often=OFTEN, goal=1)
        bench.compare(small, "MB/s", lambda: source.ours("small"),
                      {"yt-dlp": lambda: source.yt_dlp("small"), "yt-dlp, 4 processes": lambda: source.yt_dlps("small")}, goal=3)
