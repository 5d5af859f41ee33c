"""Where and with what was measured: the machine, and the version of everything that takes part."""
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON_PACKAGES = ("celery", "gevent", "fastapi", "uvicorn", "uvloop", "httptools", "pymongo", "requests", "boto3", "s3transfer",
                   "yt-dlp", "pillow", "pyvips")


def said(pattern, *command):
    """What the pattern finds in the output of a command, or None."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, done.stdout + done.stderr)
    return found and found[1]


def written(pattern, file):
    """What the pattern finds in a file, or None."""
    file = pathlib.Path(file)
    found = re.search(pattern, file.read_text()) if file.exists() else None
    return found and found[1]


def package(name):
    """Of Debian."""
    return said("(.+)", "dpkg-query", "-W", "-f", "${Version}", name)


def python_package(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def libvips():
    try:
        import pyvips
        return ".".join(str(pyvips.version(part)) for part in range(3))
    except (ImportError, OSError):
        return None


def machine():
    memory = int(written(r"MemTotal:\s+(\d+)", "/proc/meminfo")) / (1 << 20)
    load = os.getloadavg()
    return {"cores": os.cpu_count(), "cpu": written(r"model name\s*: (.+)", "/proc/cpuinfo") or platform.machine(),
            "memory": f"{memory:.1f} GiB", "kernel": f"Linux {platform.release()}",
            "load before": f"{load[0]:.1f} in the last minute, {load[2]:.1f} in 15"}


def versions():
    """By name; what is not there is left out."""
    commit = said("(.+)", "git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = said("(.+)", "git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    found = {
        "mediafleet": commit and commit + (" with changes" if changed else ""),
        "gcc": said(r"(\d+\.\d+\.\d+)", "gcc", "--version"),
        "ffmpeg": said(r"ffmpeg version (\S+)", "ffmpeg", "-version"),
        "x264": package("libx264-164"),
        "RabbitMQ": package("rabbitmq-server"),
        "Erlang": package("erlang-base"),
        "Java": said(r'version "([^"]+)"', "java", "-version"),
        "mongo-java-server": written(r"mongo-java-server-memory-backend</artifactId>\s*<version>([^<]+)", ROOT / "deploy/dev/store/pom.xml"),
        "versitygw": written(r"versitygw_version=(\S+)", ROOT / "deploy/dev/tools.sh"),
        "libmongoc": package("libmongoc-1.0-0"),
        "librabbitmq": package("librabbitmq4"),
        "libevent": package("libevent-2.1-7"),
        "Python": platform.python_version(),
        **{name: python_package(name) for name in PYTHON_PACKAGES},
        "libvips": libvips(),
        "nginx": package("nginx-light"),
        "rclone": said(r"rclone (v\S+)", "rclone", "version"),
        "curl": package("curl"),
        "wrk": package("wrk"),
    }
    return {name: version for name, version in found.items() if version}
