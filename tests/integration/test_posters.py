"""Which picture of a film becomes its poster: brightness tells the second that it is from."""
import subprocess

import pytest

from media_pipeline import program

FILM_S = 40  # so that 4 s is what is wanted
LUMA = "25+5*floor(T)"
CLIPS = {
    # Key frames every 6 s.
    "keys.mp4": [LUMA, "-c:v", "libx264", "-x264-params", "keyint=60:min-keyint=60:scenecut=0"],
    "keys.mkv": [LUMA, "-c:v", "libx264", "-x264-params", "keyint=60:min-keyint=60:scenecut=0"],
    "keys.ts": [LUMA, "-c:v", "libx264", "-x264-params", "keyint=60:min-keyint=60:scenecut=0"],
    "keys-open.mkv": [LUMA, "-c:v", "libx265", "-x265-params", "keyint=60:min-keyint=60:scenecut=0:open-gop=1:log-level=none"],
    "interlaced.mp4": [LUMA, "-c:v", "libx264", "-flags", "+ilme+ildct", "-x264-params", "keyint=60:min-keyint=60:scenecut=0:tff=1"],
    # Black from 6 s to 12 s.
    "dark.mp4": [f"if(between(T,5.95,11.95),16,{LUMA})", "-c:v", "libx264", "-x264-params", "keyint=60:min-keyint=60:scenecut=0"],
    # One key frame, at the beginning; the next one 20 s later.
    "one.mp4": [LUMA, "-c:v", "libx264", "-x264-params", "keyint=1000:scenecut=0"],
    "far.mp4": [LUMA, "-c:v", "libx264", "-x264-params", "keyint=200:min-keyint=200:scenecut=0"],
    "plain.avi": [LUMA, "-c:v", "mpeg4", "-g", "60", "-sc_threshold", "1000000000"],
}


@pytest.fixture(scope="module")
def posters(request, tmp_path_factory):
    """second(name): makes the clip, then its thumbnails; returns the second that the small one is from."""
    directory = tmp_path_factory.mktemp("posters")

    def second(name):
        luma, *codec = CLIPS[name]
        film = directory / name
        source = f"color=black:size=320x240:rate=10:duration={FILM_S},format=yuv420p,geq=lum='{luma}':cb=128:cr=128"
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source, *codec, film], check=True, timeout=120)
        out = directory / f"{name}.thumbnails"
        done = subprocess.run([program(request.config, "bench-thumbnail"), film, out], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        gray = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", out / "small.jpg", "-vf", "scale=1:1:out_range=tv", "-f", "rawvideo",
                               "-pix_fmt", "gray", "-"], check=True, capture_output=True, timeout=60)
        return (gray.stdout[0] - 25) / 5

    return second


@pytest.mark.parametrize("name", ["keys.mp4", "keys.mkv", "keys.ts", "keys-open.mkv", "interlaced.mp4", "plain.avi"])
def test_the_first_key_frame_from_the_position_on(posters, name):
    assert round(posters(name)) == 6


@pytest.mark.parametrize("name", ["one.mp4", "far.mp4"])
def test_the_very_picture_where_no_key_frame_is_near(posters, name):
    assert round(posters(name)) == 4


def test_a_black_key_frame_is_passed_over(posters):
    assert round(posters("dark.mp4")) == 12
