"""Reads what an HLS check needs out of fMP4 files: no library, so that nothing is forgiven."""
import struct
from dataclasses import dataclass, field

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}


def boxes(data, start=0, end=None):
    """(type, start of contents, end) of each box; raises ValueError where sizes do not add up."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < 8:
            raise ValueError("a box header is cut off")
        size, kind = struct.unpack(">I4s", data[start:start + 8])
        if size < 8 or start + size > end:
            raise ValueError(f"box {kind!r} of {size} bytes does not fit")
        yield kind, start + 8, start + size
        start += size


def find(data, path, start=0, end=None):
    """(start, end) of the contents of the first box of that path, such as b"moov/trak/mdia/mdhd"; None."""
    head, _, rest = path.partition(b"/")
    for kind, begin, finish in boxes(data, start, end):
        if kind == head:
            return find(data, rest, begin, finish) if rest else (begin, finish)
    return None


@dataclass
class Init:
    timescale: int
    codec: str
    width: int = 0
    height: int = 0
    channels: int = 0
    edit_list: bool = False


@dataclass
class Sample:
    at: int      # decoding time in timescale units
    shown: int   # presentation time
    duration: int
    offset: int  # in the file
    size: int


@dataclass
class Fragment:
    start: int  # of its moof in the file
    time: int
    samples: list = field(default_factory=list)


def _descriptor(data, at):
    """(tag, start of contents, end) of an MPEG-4 descriptor."""
    tag, size, at = data[at], 0, at + 1
    while True:
        byte, at = data[at], at + 1
        size = size << 7 | byte & 127
        if byte < 128:
            return tag, at, at + size


def _aac_codec(data, start, end):
    """From esds: ES descriptor, decoder configuration, decoder specific information."""
    begin, _ = find(data, b"esds", start, end)
    _, at, _ = _descriptor(data, begin + 4)
    _, config, _ = _descriptor(data, at + 3)
    object_type = data[config]
    _, specific, _ = _descriptor(data, config + 13)
    kind = data[specific] >> 3
    if kind == 31:
        kind = 32 + ((data[specific] & 7) << 3 | data[specific + 1] >> 5)
    return f"mp4a.{object_type:x}.{kind}"


def read_init(data):
    begin, _ = find(data, b"moov/trak/mdia/mdhd")
    timescale, = struct.unpack(">I", data[begin + (20 if data[begin] else 12):][:4])
    begin, finish = find(data, b"moov/trak/mdia/minf/stbl/stsd")
    kind, entry, entry_end = next(boxes(data, begin + 8, finish))
    edit_list = find(data, b"moov/trak/edts/elst") is not None
    if kind == b"avc1":
        width, height = struct.unpack(">HH", data[entry + 24:entry + 28])
        avcc, _ = find(data, b"avcC", entry + 78, entry_end)
        return Init(timescale, "avc1." + data[avcc + 1:avcc + 4].hex(), width, height, edit_list=edit_list)
    if kind == b"mp4a":
        channels, = struct.unpack(">H", data[entry + 16:entry + 18])
        return Init(timescale, _aac_codec(data, entry + 28, entry_end), channels=channels, edit_list=edit_list)
    raise ValueError(f"unknown sample entry {kind!r}")


def _words(data, at):
    while True:
        yield struct.unpack(">I", data[at:at + 4])[0]
        at += 4


def _read_traf(data, moof, start, end):
    begin, _ = find(data, b"tfhd", start, end)
    words = _words(data, begin)
    flags = next(words) & 0xffffff
    next(words)
    if flags & 1:
        raise ValueError("tfhd has a base data offset: not default-base-is-moof")
    if flags & 2:
        next(words)
    duration = next(words) if flags & 8 else 0
    size = next(words) if flags & 16 else 0
    begin, _ = find(data, b"tfdt", start, end)
    time, = struct.unpack(">Q" if data[begin] else ">I", data[begin + 4:][:8 if data[begin] else 4])
    fragment = Fragment(moof, time)
    for kind, begin, _ in boxes(data, start, end):
        if kind == b"trun":
            _read_trun(data, begin, fragment, moof, duration, size)
    return fragment


def _read_trun(data, begin, fragment, moof, default_duration, default_size):
    words = _words(data, begin)
    flags, count = next(words), next(words)
    offset = moof + (next(words) if flags & 1 else 0)
    if flags & 4:
        next(words)
    at = fragment.time
    for _ in range(count):
        duration = next(words) if flags & 0x100 else default_duration
        size = next(words) if flags & 0x200 else default_size
        if flags & 0x400:
            next(words)
        shift = next(words) if flags & 0x800 else 0
        shift -= shift >> 31 << 32  # signed
        fragment.samples.append(Sample(at, at + shift, duration, offset, size))
        at, offset = at + duration, offset + size


def read_fragments(data):
    """Every moof of a segment; raises ValueError if a sample lies outside of the file."""
    fragments = []
    for kind, begin, finish in boxes(data):
        if kind == b"moof":
            start, end = find(data, b"traf", begin, finish)
            fragments.append(_read_traf(data, begin - 8, start, end))
    for fragment in fragments:
        for sample in fragment.samples:
            if sample.offset + sample.size > len(data):
                raise ValueError("a sample lies beyond the end")
    return fragments


def nal_types(data, sample):
    """Of an H.264 sample with four-byte lengths."""
    at, end, types = sample.offset, sample.offset + sample.size, []
    while at + 4 < end:
        size, = struct.unpack(">I", data[at:at + 4])
        if size == 0 or at + 4 + size > end:
            raise ValueError("a NAL unit does not fit into its sample")
        types.append(data[at + 4] & 31)
        at += 4 + size
    return types


def is_idr(data, sample):
    types = nal_types(data, sample)
    return 5 in types and 1 not in types
