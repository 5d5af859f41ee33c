"""The source as top rendition: its packets bit by bit where it may be, encoded wherever a player could stumble."""
import re
import subprocess

import pytest

import hls_check
from hls_asset import Asset
from media_pipeline import AAC, make, picture, program, sound, transcode

# Closed GOPs of 2 s with B-frames, as x264 makes them if it is asked to; mp4 gets an edit list with them.
SLOW = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "600k", "-maxrate", "800k", "-bufsize", "1600k"]
GOP = [*SLOW, "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]
STEREO = [*AAC, "-ac", "2"]

COPIED = {  # recipe, what is copied, how long the segments are
    "usual.mp4": ([*picture("640x360", 13), *sound(13), *GOP, *STEREO], "360p audio", [6, 6, 1]),
    "two.mp4": ([*picture("854x480", 8), *sound(8), *GOP, *STEREO], "480p audio", [6, 2]),
    "long-gop.mp4": ([*picture("640x360", 14), *sound(14), *SLOW, "-force_key_frames", "5,6,11.2,12", *STEREO],
                     "360p audio", [6, 6, 2]),
    "five.mp4": ([*picture("640x360", 12), *sound(12), *SLOW, "-g", "125", "-sc_threshold", "0", *STEREO], "360p audio",
                 [5, 5, 2]),
    "mono.mp4": ([*picture("640x360", 4), *sound(4), *GOP, *AAC, "-ac", "1"], "360p audio", [4]),
    "matroska.mkv": ([*picture("640x360", 7, "30000/1001"), *sound(7), *SLOW, "-g", "60", "-sc_threshold", "0", *STEREO],
                     "360p audio", [6.006, 1.001]),
    "silent.mp4": ([*picture("640x360", 7), *GOP], "360p", [6, 1]),
    "small.mp4": ([*picture("320x180", 7), *sound(7), *GOP, *STEREO], "180p audio", [6, 1]),
    "upright.mp4": ([*picture("360x640", 7), *GOP], "360p", [6, 1]),
    "deep.mp4": ([*picture("640x360", 7), *GOP, "-bf", "8", "-x264-params", "b-pyramid=normal:b-adapt=0:ref=5"], "360p", [6, 1]),
    "opus.mkv": ([*picture("640x360", 7), *sound(7), *GOP, "-c:a", "libopus"], "360p", [6, 1]),
}

ENCODED = {
    "far.mp4": [*picture("640x360", 8), *SLOW, "-g", "250", "-sc_threshold", "0"],
    "open.mp4": [*picture("640x360", 8), *GOP, "-x264-params", "open-gop=1", "-flags", "-cgop"],
    "variable.mkv": [*picture("640x360", 8, "30"), "-vf", r"select='not(mod(n\,7))+lt(mod(n\,50)\,20)'", "-vsync", "vfr", *GOP],
    "ten.mp4": [*picture("640x360", 4), *GOP, "-pix_fmt", "yuv420p10le"],
    "wide.mp4": [*picture("640x360", 4), *GOP, "-pix_fmt", "yuv422p"],
    "full.mp4": [*picture("640x360", 4), *GOP, "-vf", "scale=out_range=pc", "-pix_fmt", "yuvj420p"],
    "interlaced.mp4": [*picture("640x480", 4, "50"), "-vf", "interlace=scan=tff", *GOP, "-flags", "+ilme+ildct"],
    "hevc.mp4": [*picture("640x360", 4), "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                 "log-level=none:keyint=50:scenecut=0"],
    "anamorphic.mp4": [*picture("640x360", 4), "-vf", "setsar=4/3", *GOP],
    "between.mp4": [*picture("720x400", 4), *GOP],
    "rich.mp4": [*picture("640x360", 8), "-vf", "noise=alls=60:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "5M",
                 "-minrate", "5M", "-maxrate", "5M", "-bufsize", "5M", "-g", "50"],
    "stream.ts": [*picture("640x360", 4), *GOP],  # its parameter sets come with the pictures
    "fast.mp4": [*picture("320x240", 4, "120"), *GOP],
}


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    directory = tmp_path_factory.mktemp("copy")
    return lambda name, recipe: make(directory / name, recipe)


def packets(path, kind):
    """Hashes of the packets of the first stream of that kind, in decoding order."""
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", f"{kind}:0", "-show_entries", "packet=data_hash,flags",
                          "-show_data_hash", "sha256", "-of", "csv=p=0", path], capture_output=True, text=True, check=True)
    return [line.split(",")[-1] for line in run.stdout.splitlines() if "D" not in line.split(",")[0]]


def copied(run):
    """Names of the renditions that bench-hls calls copied."""
    return " ".join(re.findall(r"^(\S+) .* copied$", run.stdout, re.M))


def good(request, source, directory, *options):
    run = transcode(request.config, source, directory, *options)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    return run


@pytest.mark.parametrize("name", COPIED)
def test_copied(request, clips, tmp_path, name):
    recipe, what, lengths = COPIED[name]
    source = clips(name, recipe)
    assert copied(good(request, source, tmp_path / "asset")) == what
    asset = Asset(tmp_path / "asset", source)
    assert asset.copied
    assert hls_check.check(tmp_path / "asset", source) == []
    for playlist in asset.video:
        assert [round(segment[0], 3) for segment in playlist.segments] == lengths, playlist.uri
    assert packets(asset.video[0].path, "v") == packets(source, "V")
    if "audio" in what:
        kept, whole = packets(asset.audio[0].path, "a"), packets(source, "a")
        assert kept == whole[len(whole) - len(kept):] and len(whole) - len(kept) <= 1, "all but the priming"
    if name == "mono.mp4":
        assert 'CHANNELS="1"' in (tmp_path / "asset/master.m3u8").read_text()


@pytest.mark.parametrize("name", ENCODED)
def test_encoded(request, clips, tmp_path, name):
    source = clips(name, ENCODED[name])
    assert copied(good(request, source, tmp_path / "asset")) == ""
    assert hls_check.check(tmp_path / "asset", source) == []


def test_turned(request, clips, tmp_path):
    usual = clips("usual.mp4", COPIED["usual.mp4"][0])
    source = clips("turned.mp4", ["-i", usual, "-c", "copy", "-metadata:s:v", "rotate=90"])
    assert copied(good(request, source, tmp_path / "asset")) == ""


def test_late_sound(request, clips, tmp_path):
    """Sound and picture begin as far apart as in the source."""
    usual = clips("usual.mp4", COPIED["usual.mp4"][0])
    for name, maps in (("late-sound.mkv", ("0:a", "1:v")), ("late-picture.mkv", ("0:v", "1:a"))):
        source = clips(name, ["-itsoffset", "0.7", "-i", usual, "-i", usual, "-map", maps[0], "-map", maps[1], "-c", "copy"])
        directory = tmp_path / name
        assert "360p" in copied(good(request, source, directory))
        assert hls_check.check(directory, source) == []


def test_cut_in_the_middle_of_a_group(request, clips, tmp_path):
    """An edit list that hides the pictures before the cut: they may not be shown."""
    usual = clips("usual.mp4", COPIED["usual.mp4"][0])
    source = clips("cut.mp4", ["-ss", "3.1", "-i", usual, "-c", "copy"])
    assert copied(good(request, source, tmp_path / "asset")) == ""


def test_other_parameters_in_the_middle(request, clips, tmp_path):
    """Two films of one size, one behind the other in a container that keeps the second's parameter sets in its pictures."""
    usual = clips("usual.mp4", COPIED["usual.mp4"][0])
    streams = b""
    for i, options in enumerate((["-c", "copy"], [*GOP, "-profile:v", "main", "-refs", "1"])):
        part = clips(f"part{i}.h264", ["-i", usual, *options, "-bsf:v", "h264_mp4toannexb" if i == 0 else "null", "-an"])
        streams += part.read_bytes()
    both = tmp_path / "both.h264"
    both.write_bytes(streams)
    source = clips("both.mp4", ["-fflags", "+genpts", "-r", "25", "-i", both, "-c", "copy"])
    assert copied(good(request, source, tmp_path / "asset")) == ""


def test_a_broken_picture(request, clips, tmp_path):
    """One picture near the end is rubbish: all is encoded, shows what can be shown, and nothing is left of the third segment that
    was copied already."""
    usual = clips("five-480.mp4", [*picture("854x480", 12), *sound(12), *SLOW, "-g", "125", "-sc_threshold", "0", *STEREO])
    data = bytearray(usual.read_bytes())
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pos,size", "-of",
                          "csv=p=0", usual], capture_output=True, text=True, check=True)
    size, at = (int(number) for number in run.stdout.splitlines()[285].split(",")[:2])
    data[at + 5:at + size] = bytes((7 * i) % 251 for i in range(size - 5))
    source = tmp_path / "broken.mp4"
    source.write_bytes(data)
    assert copied(good(request, source, tmp_path / "seen", "source")), "only decoding tells"
    assert copied(good(request, source, tmp_path / "asset")) == ""
    assert hls_check.check(tmp_path / "asset") == []
    assert len(list((tmp_path / "asset/v360").glob("*.m4s"))) == 2


def test_cut_off(request, clips, tmp_path):
    """A container that promises more than there is has the error that it always had."""
    usual = clips("front.mp4", [*COPIED["usual.mp4"][0], "-movflags", "+faststart"])
    source = tmp_path / "half.mp4"
    source.write_bytes(usual.read_bytes()[:usual.stat().st_size // 2])
    run = transcode(request.config, source, tmp_path / "asset")
    assert run.returncode == 1 and run.stdout.startswith("corrupt-media")
    assert not (tmp_path / "asset/master.m3u8").exists()


def test_as_it_is(request, clips, tmp_path):
    """Asked for the source alone: nothing is encoded, whatever its rate and size."""
    source = clips("between.mp4", ENCODED["between.mp4"])
    assert copied(good(request, source, tmp_path / "one", "source")) == "400p"
    assert [tag["RESOLUTION"] for tag, _ in Asset(tmp_path / "one").variants] == ["720x400"]
    assert hls_check.check(tmp_path / "one", source) == []
    source = clips("rich.mp4", ENCODED["rich.mp4"])
    assert copied(good(request, source, tmp_path / "two", "source")) == "360p"


def test_as_it_is_cannot_be(request, clips, tmp_path):
    """What no player would take is encoded once, as the best rendition."""
    source = clips("hd-ten.mp4", [*picture("854x480", 3), *sound(3), *GOP, *AAC, "-pix_fmt", "yuv420p10le"])
    assert copied(good(request, source, tmp_path / "asset", "source")) == ""
    assert [tag["RESOLUTION"] for tag, _ in Asset(tmp_path / "asset").variants] == ["854x480"]
    assert hls_check.check(tmp_path / "asset", source) == []


def test_encoded_if_asked(request, clips, tmp_path):
    source = clips("two.mp4", COPIED["two.mp4"][0])
    assert copied(good(request, source, tmp_path / "asset", "encoded")) == ""
    assert hls_check.check(tmp_path / "asset", source) == []


def test_usage(request):
    run = subprocess.run([program(request.config, "bench-hls"), "all", "source", "directory"], capture_output=True, text=True)
    assert run.returncode == 64
