"""Programs that do one piece of work and end: our ladder and thumbnails beside ffmpeg, Pillow and libvips."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

CLIP_S = 10
SIZE_12_MP = "4000x3000"


def make(file, *arguments):
    """A source made by ffmpeg, once for all rounds."""
    if not file.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, file], check=True, timeout=300)
    return file


def clip(scratch, footage):
    """CLIP_S seconds in 1080p with sound: the real footage scaled up, or a test picture where there is none."""
    film = footage / "big-buck-bunny-480p-30s.mp4"
    source = ["-i", film, "-t", str(CLIP_S)] if film.exists() else [
        "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate=30:duration={CLIP_S}",
        "-f", "lavfi", "-i", f"sine=duration={CLIP_S}"]
    return make(scratch / "clip.mp4", *source, "-vf", "scale=1920:1080,setsar=1", "-c:v", "libx264", "-preset",
                "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac")


def photo(scratch, footage):
    photo = footage / "landscape-exif-1.jpg"
    source = ["-i", photo] if photo.exists() else ["-f", "lavfi", "-i", f"mandelbrot=size={SIZE_12_MP}"]
    return make(scratch / "photo.jpg", *source, "-vf", f"scale={SIZE_12_MP.replace('x', ':')}", "-frames:v", "1",
                "-update", "1", "-q:v", "3")


def timed(command, **options):
    """Wall seconds, CPU seconds, peak MB of a command and all that it starts; its output."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, **options)
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command}: {output}{errors}"
    return time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output


def ladder(command, source, scratch):
    """Seconds for the whole clip, CPU ms per second of film."""
    out = scratch / "ladder"
    shutil.rmtree(out, ignore_errors=True)
    wall, cpu, peak, _ = timed([*command, source, out])
    return wall, 1000 * cpu / CLIP_S, None, peak


def our_ladder(build, source, scratch):
    return ladder([build / "bin/bench-hls"], source, scratch)


def peer_ladder(directory, source, scratch):
    return ladder(["sh", directory / "ffmpeg_ladder.sh"], source, scratch)


def our_thumbnails(build, source, scratch):
    _, _, peak, output = timed([build / "bin/bench-thumbnail", source, scratch / "thumbnails", "10"])
    cpu = float(re.search(r"([\d.]+) ms CPU", output).group(1))
    return cpu, cpu, None, peak


def peer_thumbnails(directory, source, scratch):
    """The best of the peers."""
    _, _, peak, output = timed([sys.executable, "-B", directory / "thumbnails.py", source], cwd=scratch)
    cpu = min(float(found) for found in re.findall(r"([\d.]+) ms CPU", output))
    return cpu, cpu, None, peak
