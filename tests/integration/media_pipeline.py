"""Odd clips made by ffmpeg, and the transcoder without a fleet around it."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac", "-b:a", "96k"]


def picture(size, seconds=8, rate="25"):
    return ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]


def sound(seconds=8):
    return ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]


def rate(value, size="640x360"):
    return [*picture(size, 7, value), *sound(7), *X264, *AAC]


CLIPS = {
    "good.mp4": [*picture("854x480"), *sound(), *X264, *AAC],
    "sar.mp4": [*picture("720x576"), *sound(), "-vf", "setsar=16/11", *X264, *AAC],
    "odd.mkv": [*picture("641x361", 3), "-c:v", "ffv1", "-pix_fmt", "yuv444p"],
    "tiny.mp4": [*picture("66x50", 2), *X264],
    "vfr.mkv": [*picture("640x480", 8, "30"), *sound(), "-vf", r"select='not(mod(n\,7))+lt(mod(n\,50)\,20)'", "-vsync",
                "vfr", *X264, *AAC],
    "interlaced.mp4": [*picture("720x576", 8, "50"), *sound(), "-vf", "interlace=scan=tff", *X264, "-flags",
                       "+ilme+ildct", *AAC],
    "audio.m4a": [*sound(20), *AAC],
    "audio.mp3": [*sound(20), "-c:a", "libmp3lame"],
    "silent.mp4": [*picture("640x360"), *X264],
    "tenbit.mp4": [*picture("640x360", 3), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"],
    "hdr.mp4": [*picture("640x360", 2), "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le",
                "-x265-params", "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"],
    "vp8.webm": [*picture("320x240", 3), *sound(3), "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"],
    "film.ts": [*picture("640x360"), *sound(), *X264, *AAC],
    "raw.h264": [*picture("640x360", 3), *X264],
    "one.mp4": [*picture("640x360", 1), "-frames:v", "1", *X264],
    "rate-23.976.mp4": rate("24000/1001"),
    "rate-29.97.mp4": rate("30000/1001"),
    "rate-50.mp4": rate("50"),
    "rate-59.94.mp4": rate("60000/1001"),
    "rate-120.mp4": rate("120", "320x240"),
    "rate-240.mp4": rate("240", "320x240"),
    "rate-1.mp4": rate("1"),
    "two-tracks.mp4": [*picture("320x240", 3), *sound(3), *sound(3), "-map", "0", "-map", "1", "-map", "2", *X264, *AAC,
                       "-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=eng"],
    "front.mp4": [*picture("640x360"), *sound(), *X264, *AAC, "-movflags", "+faststart"],
    "many.mkv": [*sound(1), *["-map", "0"] * 20, "-c:a", "aac"],
}

# From another clip: (its name, options before it, options after it).
DERIVED = {
    "turned.mp4": ("good.mp4", [], ["-c", "copy", "-metadata:s:v", "rotate=90"]),
    "late-audio.mkv": ("good.mp4", ["-itsoffset", "0.7"], ["-map", "0:a", "-map", "1:v", "-c", "copy"]),
    "late-video.mkv": ("good.mp4", ["-itsoffset", "0.7"], ["-map", "0:v", "-map", "1:a", "-c", "copy"]),
    "encrypted.mp4": ("good.mp4", [], ["-c", "copy", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16,
                                       "-encryption_kid", "a7" * 16]),
}


def make(file, options):
    """Has ffmpeg make the file, once."""
    if not file.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *options, file], check=True, timeout=120)
    return file


def make_clip(tmp_path_factory, name):
    """Path of the clip, made once in a session."""
    file = tmp_path_factory.getbasetemp() / name
    if not file.exists():
        if name in DERIVED:
            base, before, after = DERIVED[name]
            path = make_clip(tmp_path_factory, base)
            options = [*before, "-i", path, *(["-i", path] if before else []), *after]
        else:
            options = CLIPS[name]
        make(file, options)
    return file


def program(config, name):
    """From --build-dir, else from the build that tests/run makes."""
    return pathlib.Path(config.getoption("--build-dir", None) or ROOT / "build-tests") / "bin" / name


def transcode(config, source, directory, *options):
    """Runs bench-hls; its first word on stdout is the playlist's name, or the error's."""
    return subprocess.run([program(config, "bench-hls"), *options, source, directory], capture_output=True, text=True,
                          timeout=300)
