"""Every odd kind of film becomes an asset without a violation; every broken one fails with its own error."""
import re

import pytest

import hls_check
from hls_asset import Asset
from media_pipeline import make_clip, transcode

# Name: what the master playlist says, as "RESOLUTION@FRAME-RATE", the largest first; "audio" if there is a track.
GOOD = {
    "good.mp4": "854x480@25.000 640x360@25.000 audio",
    "turned.mp4": "480x854@25.000 360x640@25.000 audio",
    "sar.mp4": "872x480@25.000 654x360@25.000 audio",
    "odd.mkv": "640x360@25.000",
    "tiny.mp4": "66x50@25.000",
    "vfr.mkv": "640x480@30.000 480x360@30.000 audio",
    "interlaced.mp4": "600x480@25.000 450x360@25.000 audio",
    "audio.m4a": "audio",
    "audio.mp3": "audio",
    "silent.mp4": "640x360@25.000",
    "tenbit.mp4": "640x360@25.000",
    "hdr.mp4": "640x360@25.000",
    "vp8.webm": "320x240@25.000 audio",
    "film.ts": "640x360@25.000 audio",
    "raw.h264": "640x360@25.000",
    "one.mp4": "640x360@25.000",
    "rate-23.976.mp4": "640x360@23.976 audio",
    "rate-29.97.mp4": "640x360@29.970 audio",
    "rate-50.mp4": "640x360@50.000 audio",
    "rate-59.94.mp4": "640x360@59.940 audio",
    "rate-120.mp4": "320x240@60.000 audio",
    "rate-240.mp4": "320x240@60.000 audio",
    "rate-1.mp4": "640x360@10.000 audio",
    "two-tracks.mp4": "320x240@25.000 audio",
    "late-audio.mkv": "854x480@25.000 640x360@25.000 audio",
    "late-video.mkv": "854x480@25.000 640x360@25.000 audio",
}

BAD = {
    "encrypted-media": lambda clip, file: clip("encrypted.mp4"),
    "too-many-streams": lambda clip, file: clip("many.mkv"),
    "corrupt-media": lambda clip, file: file(clip("front.mp4").read_bytes()[:200_000]),  # much of mdat is missing
    "corrupt-media ": lambda clip, file: file(clip("good.mp4").read_bytes()[:100_000]),  # moov is missing
    "unsupported-media": lambda clip, file: file(b"<html>no film</html>"),
    "unsupported-media ": lambda clip, file: file(b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n/etc/passwd\n"),
    "unsupported-media  ": lambda clip, file: file(b"ffconcat version 1.0\nfile /etc/passwd\n"),
    "unsupported-media   ": lambda clip, file: file(b""),
}


def described(directory):
    asset = Asset(directory)
    words = [f"{tag['RESOLUTION']}@{tag['FRAME-RATE']}" for tag, _ in asset.variants if "RESOLUTION" in tag]
    return " ".join(words + ["audio"] * len(asset.audio))


@pytest.mark.parametrize("name", GOOD)
def test_good(request, tmp_path_factory, tmp_path, name):
    source = make_clip(tmp_path_factory, name)
    run = transcode(request.config, source, tmp_path / "asset")
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert described(tmp_path / "asset") == GOOD[name]
    assert hls_check.check(tmp_path / "asset", source) == []


@pytest.mark.parametrize("name", BAD)
def test_bad(request, tmp_path_factory, tmp_path, name):
    def write(contents):
        (tmp_path / "bad.mp4").write_bytes(contents)
        return tmp_path / "bad.mp4"

    source = BAD[name](lambda clip: make_clip(tmp_path_factory, clip), write)
    run = transcode(request.config, source, tmp_path / "asset")
    assert run.returncode == 1, run.stderr[-2000:]
    assert re.match(r"[a-z-]+", run.stdout).group() == name.strip()
    assert not (tmp_path / "asset/master.m3u8").exists()


def test_the_language_comes_from_the_default_track(request, tmp_path_factory, tmp_path):
    run = transcode(request.config, make_clip(tmp_path_factory, "two-tracks.mp4"), tmp_path / "asset")
    assert run.returncode == 0
    assert 'LANGUAGE="deu"' in (tmp_path / "asset/master.m3u8").read_text()
