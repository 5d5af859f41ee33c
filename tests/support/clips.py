"""Small test clips, made by ffmpeg once and kept in a cache, and the real footage if it is there."""
import os
import pathlib
import subprocess

import pytest

CACHE = pathlib.Path(os.environ.get("MEDIAFLEET_CACHE", pathlib.Path.home() / ".cache/mediafleet")) / "clips"
FOOTAGE = pathlib.Path(os.environ.get("MEDIAFLEET_TEST_MEDIA", pathlib.Path(__file__).parents[3] / "shared/media"))

X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac", "-b:a", "96k"]


def picture(size, seconds, rate=25):
    return ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]


def sound(seconds):
    return ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]


# Name of the file: what ffmpeg is told. A changed recipe needs a new name, because files are kept.
CLIPS = {
    "small.mp4": [*picture("320x240", 3), *sound(3), *X264, *AAC, "-movflags", "+faststart"],
    "tiny.mp4": [*picture("160x120", 1), *sound(1), *X264, *AAC, "-movflags", "+faststart"],
    "hd.mp4": [*picture("1280x720", 8), *sound(8), *X264, *AAC],
    "long.mp4": [*picture("1280x720", 40), *sound(40), *X264, *AAC],
    "silent.mp4": [*picture("320x240", 3), *X264],
    "audio.m4a": [*sound(3), *AAC],
    "portrait.mp4": [*picture("360x640", 3), *sound(3), *X264, *AAC],
    "odd.mkv": [*picture("321x243", 3), "-c:v", "ffv1", "-pix_fmt", "yuv444p"],
    "small.webm": [*picture("320x240", 2), *sound(2), "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"],
    "picture.jpg": [*picture("640x480", 1), "-frames:v", "1", "-update", "1"],
}


def clip(name):
    """Path of one of CLIPS."""
    file = CACHE / name
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        making = CACHE / f".{os.getpid()}.{name}"
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *CLIPS[name], making], check=True, timeout=120)
        making.rename(file)
    return file


def footage(name):
    """Path of a file of the real footage; skips the test if it is not there."""
    file = FOOTAGE / name
    if not file.exists():
        pytest.skip(f"no {file}")
    return file
