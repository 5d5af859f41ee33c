"""Programs that do one piece of work and end: copied assets beside ffmpeg, thumbnails beside Pillow and libvips."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import usage
from sample import Sample

ONCE = pathlib.Path(__file__).resolve().parents[1] / "once.py"
FILM_S, LONG_FILM_S = 30, 600
SIZE_12_MP = "4000x3000"


def make(file, *arguments):
    """A source made by ffmpeg, once for all rounds."""
    if not file.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, file], check=True, timeout=900)
    return file


def photo(scratch, footage):
    photo = footage / "landscape-exif-1.jpg"
    source = ["-i", photo] if photo.exists() else ["-f", "lavfi", "-i", f"mandelbrot=size={SIZE_12_MP}"]
    return make(scratch / "photo.jpg", *source, "-vf", f"scale={SIZE_12_MP.replace('x', ':')}", "-frames:v", "1",
                "-update", "1", "-q:v", "3")


def timed(command, **options):
    """Wall seconds, CPU seconds, peak MB of a command and all that it starts; its output."""
    with tempfile.NamedTemporaryFile() as told:
        done = subprocess.run([sys.executable, "-I", "-S", ONCE, told.name, *command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, **options)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        wall, cpu, peak = json.load(told)
    return wall, cpu, peak, done.stdout


def copyable_clip(scratch, footage):
    """FILM_S seconds whose packets may be the top rendition: a key frame at least every 6 s, closed GOPs, a rate that fits.
    x264 decides where; B-frames and an edit list come with it."""
    film = footage / "big-buck-bunny-480p-30s.mp4"
    source = ["-i", film, "-t", str(FILM_S)] if film.exists() else [
        "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate=24:duration={FILM_S}",
        "-f", "lavfi", "-i", f"sine=duration={FILM_S}"]
    return make(scratch / "copyable.mp4", *source, "-vf", "scale=1920:1080,setsar=1", "-c:v", "libx264", "-preset",
                "veryfast", "-crf", "20", "-maxrate", "5600k", "-bufsize", "9000k", "-g", "144", "-pix_fmt", "yuv420p",
                "-c:a", "aac", "-ac", "2")


def long_film(scratch, footage):
    """The same, LONG_FILM_S seconds: its pictures again and again, its sound encoded anew, because its loops would not join."""
    clip = copyable_clip(scratch, footage)
    sound = make(scratch / "sound.m4a", "-stream_loop", "-1", "-i", clip, "-t", str(LONG_FILM_S), "-vn",
                 "-af", "asetpts=N/SR/TB", "-c:a", "aac")
    return make(scratch / "film.mp4", "-stream_loop", str(LONG_FILM_S // FILM_S - 1), "-i", clip, "-i", sound, "-map", "0:v",
                "-map", "1:a", "-c", "copy")


def timed_asset(command, out, source):
    """What is written has memory, as in transfers."""
    shutil.rmtree(out, ignore_errors=True)
    usage.warm_up_memory(3 * source.stat().st_size >> 20)
    return timed(command)


def our_asset(build, renditions, copied, source, scratch, seconds):
    """Seconds for the whole film, CPU ms per second of it; only if exactly those renditions were copied."""
    out = scratch / "asset"
    wall, cpu, peak, output = timed_asset([build / "bin/bench-hls", renditions, source, out], out, source)
    assert re.findall(r"^(\S+) .* copied$", output, re.M) == copied, output
    return Sample(wall, 1000 * cpu / seconds, None, peak)


def peer_asset(script, source, scratch, seconds):
    out = scratch / "asset"
    wall, cpu, peak, _ = timed_asset(["sh", script, source, out], out, source)
    return Sample(wall, 1000 * cpu / seconds, None, peak)


def ladder_copied(bench):
    source = copyable_clip(bench.scratch, bench.footage)
    bench.compare(f"ladder of {FILM_S} s 1080p, the source may be the top rendition", "s",
                  lambda: our_asset(bench.asked.build, "ladder", ["1080p", "audio"], source, bench.scratch, FILM_S),
                  {"ffmpeg": lambda: peer_asset(bench.peers / "ffmpeg_ladder.sh", source, bench.scratch, FILM_S)},
                  less=True, goal=2)


def remux(bench):
    for source, seconds in ((copyable_clip(bench.scratch, bench.footage), FILM_S),
                            (long_film(bench.scratch, bench.footage), LONG_FILM_S)):
        bench.compare(f"remux of {seconds} s 1080p", "s",
                      lambda: our_asset(bench.asked.build, "source", ["1080p", "audio"], source, bench.scratch, seconds),
                      {"ffmpeg -c copy": lambda: peer_asset(bench.peers / "ffmpeg_remux.sh", source, bench.scratch, seconds)},
                      less=True, goal=1 / 1.1)


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
