"""The checker itself: it accepts a good asset and names what was broken in a copy of it."""
import re
import shutil
import struct

import pytest

import hls_boxes
import hls_check
from media_pipeline import make_clip, transcode


@pytest.fixture(scope="session")
def good(request, tmp_path_factory):
    """Two renditions and audio, two segments each."""
    source = make_clip(tmp_path_factory, "good.mp4")
    directory = tmp_path_factory.mktemp("asset") / "good"
    assert transcode(request.config, source, directory).returncode == 0
    return directory, source


@pytest.fixture
def broken(good, tmp_path):
    shutil.copytree(good[0], tmp_path / "asset")
    return tmp_path / "asset"


def edit(pattern, replacement, name="master.m3u8"):
    def apply(root):
        file = root / name
        text, count = re.subn(pattern, replacement, file.read_text(), flags=re.M)
        assert count
        file.write_text(text)
    return apply


def drop_last_segment(root):
    edit(r"^#EXTINF:[^\n]*\nseg-00002.m4s\n", "", "v480/index.m3u8")(root)


def cut_file(root):
    file = root / "v480/seg-00001.m4s"
    file.write_bytes(file.read_bytes()[:-1000])


def patch_box(kind, offset, value, name):
    """Overwrites four bytes of every box of that type."""
    def apply(root):
        file = root / name
        data = bytearray(file.read_bytes())
        at = data.find(kind)
        assert at > 0
        while at > 0:
            data[at + 4 + offset:at + 8 + offset] = struct.pack(">I", value)
            at = data.find(kind, at + 4)
        file.write_bytes(data)
    return apply


def no_idr(root):
    """The first picture of the second segment calls itself an ordinary one."""
    file = root / "v480/seg-00002.m4s"
    data = bytearray(file.read_bytes())
    sample = hls_boxes.read_fragments(data)[0].samples[0]
    at = sample.offset
    while data[at + 4] & 31 != 5:
        at += 4 + struct.unpack(">I", data[at:at + 4])[0]
    data[at + 4] = data[at + 4] & ~31 | 1
    file.write_bytes(data)


def scramble(root):
    """Noise in the middle of a picture: only a decoder sees it."""
    file = root / "v480/seg-00001.m4s"
    data = bytearray(file.read_bytes())
    sample = max(hls_boxes.read_fragments(data)[0].samples, key=lambda s: s.size)
    data[sample.offset + 200:sample.offset + sample.size] = b"\x5a" * (sample.size - 200)
    file.write_bytes(data)


BROKEN = {
    "master-head": edit("#EXT-X-VERSION:6", "#EXT-X-VERSION:3"),
    "master-uris": edit("^v480/index", "v999/index"),
    "media-head": edit("#EXT-X-ENDLIST\n", "", "v480/index.m3u8"),
    "media-files": lambda root: (root / "audio/stray.m4s").write_text("x"),
    "media-target": edit("TARGETDURATION:6", "TARGETDURATION:5", "v360/index.m3u8"),
    "media-extinf": edit("EXTINF:6.000000", "EXTINF:5.900000", "v360/index.m3u8"),
    "media-duration": drop_last_segment,
    "master-bandwidth": edit(r"(INF:BANDWIDTH)=\d", r"\1=99"),
    "master-codecs": edit("mp4a.40.2", "mp4a.40.5"),
    "master-picture": edit("FRAME-RATE=25.000", "FRAME-RATE=24.000"),
    "master-audio": edit('LANGUAGE="und",', ""),
    "master-iframes": edit("^#EXT-X-I-FRAME-STREAM-INF.*v480.*\n", ""),
    "segment-idr": no_idr,
    "segment-aligned": patch_box(b"tfdt", 8, 999, "v360/seg-00002.m4s"),
    "segment-continuous": patch_box(b"tfdt", 8, 999, "audio/seg-00002.m4s"),
    "segment-edits": lambda root: add_edit_list(root),
    "segment-sync": patch_box(b"tfdt", 8, 48000, "audio/seg-00001.m4s"),
    "iframe-ranges": edit(r"BYTERANGE:\d+@0\n", "BYTERANGE:100@0\n", "v480/iframes.m3u8"),
    "decodes": scramble,
    "segments-stand-alone": scramble,
}


def add_edit_list(root):
    """An empty edts/elst at the end of trak, with the sizes around it corrected."""
    file = root / "v480/init.mp4"
    data = bytearray(file.read_bytes())
    start, end = hls_boxes.find(data, b"moov/trak")
    edts = struct.pack(">I4sI4sII", 24, b"edts", 16, b"elst", 0, 0)
    moov, _ = hls_boxes.find(data, b"moov")
    for at in (start - 8, moov - 8):
        data[at:at + 4] = struct.pack(">I", struct.unpack(">I", data[at:at + 4])[0] + len(edts))
    data[end:end] = edts
    file.write_bytes(data)


def test_a_good_asset_has_no_violation(good):
    assert hls_check.check(good[0], good[1]) == []


def test_every_check_has_a_way_to_fail():
    assert set(BROKEN) == set(hls_check.CHECKS)


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_broken_is_named(broken, good, name):
    BROKEN[name](broken)
    violations = hls_check.check(broken, good[1], only=[name])
    assert violations and all(violation.startswith(f"{name}: ") for violation in violations)


def test_a_cut_file_is_noticed(broken):
    cut_file(broken)
    assert hls_check.check(broken, only=["media-extinf"])


def test_no_asset_at_all(tmp_path):
    assert hls_check.check(tmp_path)
