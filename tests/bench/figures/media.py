"""Programs that do one piece of work and end: our ladder and thumbnails beside ffmpeg, Pillow and libvips."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

from sample import Sample

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


def make_ladder(command, source, scratch):
    """Seconds for the whole clip, CPU ms per second of film."""
    out = scratch / "ladder"
    shutil.rmtree(out, ignore_errors=True)
    wall, cpu, peak, _ = timed([*command, source, out])
    return Sample(wall, 1000 * cpu / CLIP_S, None, peak)


def ladder(bench):
    source = clip(bench.scratch, bench.footage)
    bench.compare(f"ladder of {CLIP_S} s 1080p, all encoded", "s",
                  lambda: make_ladder([bench.asked.build / "bin/bench-hls"], source, bench.scratch),
                  {"ffmpeg": lambda: make_ladder(["sh", bench.peers / "ffmpeg_ladder.sh"], source, bench.scratch)},
                  less=True, goal=1)


def our_thumbnails(build, source, scratch):
    _, _, peak, output = timed([build / "bin/bench-thumbnail", source, scratch / "thumbnails", "10"])
    cpu = float(re.search(r"([\d.]+) ms CPU", output).group(1))
    return Sample(cpu, cpu, None, peak)


def peer_thumbnails(directory, source, scratch):
    """The best of the peers."""
    _, _, peak, output = timed([sys.executable, "-B", directory / "thumbnails.py", source], cwd=scratch)
    cpu = min(float(found) for found in re.findall(r"([\d.]+) ms CPU", output))
    return Sample(cpu, cpu, None, peak)


def thumbnails(bench):
    source = photo(bench.scratch, bench.footage)
    bench.compare("thumbnails of 12 MP", "CPU ms", lambda: our_thumbnails(bench.asked.build, source, bench.scratch),
                  {"the best of Pillow, Pillow draft, libvips": lambda: peer_thumbnails(bench.peers, source, bench.scratch)},
                  less=True, goal=2)
