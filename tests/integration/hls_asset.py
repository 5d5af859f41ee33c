"""Reads an HLS asset: its playlists, what its files say, what its source says; from a directory or over HTTP."""
import functools
import hashlib
import json
import pathlib
import posixpath
import re
import subprocess
import urllib.parse
import urllib.request

import hls_boxes as mp4


def attributes(text):
    """Of a tag, unquoted."""
    return {key: value.strip('"') for key, value in re.findall(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)', text)}


class Playlist:
    """A media playlist with everything that its files say."""

    def __init__(self, root, uri):
        self.uri = uri
        self.path = root / uri
        self.lines = self.path.read_text().splitlines()
        self.tags = {line.partition(":")[0]: line.partition(":")[2] for line in self.lines if line.startswith("#EXT")}
        self.segments = []  # (seconds, uri, byte range or None)
        seconds = byte_range = None
        for line in self.lines:
            if line.startswith("#EXTINF:"):
                seconds = float(line[8:].split(",")[0])
            elif line.startswith("#EXT-X-BYTERANGE:"):
                byte_range = tuple(int(number) for number in line[17:].split("@"))
            elif line and not line.startswith("#"):
                self.segments.append((seconds, line, byte_range))
                seconds = byte_range = None

    def file(self, uri):
        return self.path.parent / uri

    @property
    def seconds(self):
        return sum(segment[0] for segment in self.segments)

    def load(self):
        """Parses the init file and every segment once."""
        if not hasattr(self, "init"):
            self.init = mp4.read_init(self.file(attributes(self.tags["#EXT-X-MAP"])["URI"]).read_bytes())
            self.data = [self.file(uri).read_bytes() for _, uri, _ in self.segments]
            self.fragments = [mp4.read_fragments(data) for data in self.data]
        return self


class Asset:
    def __init__(self, root, source=None):
        self.root = pathlib.Path(root)
        self.source = source
        self.lines = (self.root / "master.m3u8").read_text().splitlines()
        self.media = [attributes(line[13:]) for line in self.lines if line.startswith("#EXT-X-MEDIA:")]
        self.iframe_tags = [attributes(line[26:]) for line in self.lines if line.startswith("#EXT-X-I-FRAME-STREAM-INF:")]
        self.variants = []  # (attributes, uri)
        for line, following in zip(self.lines, self.lines[1:]):
            if line.startswith("#EXT-X-STREAM-INF:"):
                self.variants.append((attributes(line[18:]), following))
        self.video = [Playlist(self.root, uri) for tag, uri in self.variants if "RESOLUTION" in tag]
        audio = [tag["URI"] for tag in self.media if tag.get("TYPE") == "AUDIO" and "URI" in tag]
        audio += [uri for tag, uri in self.variants if "RESOLUTION" not in tag]
        self.audio = [Playlist(self.root, uri) for uri in audio]
        self.iframes = [Playlist(self.root, tag["URI"]) for tag in self.iframe_tags]

    def playlists(self):
        return self.video + self.audio

    @functools.cached_property
    def copied(self):
        """Whether the first rendition is made of the source's packets: its first one is the source's."""
        if not (self.source and self.video):
            return False
        playlist = self.video[0].load()
        first = playlist.fragments[0][0].samples[0]
        return md5_of_first_packet(self.source) == hashlib.md5(
            playlist.data[0][first.offset:first.offset + first.size]).hexdigest()


def probe_source(path):
    """{"video": (start, seconds), "audio": …} of the source's streams, by their packets where the header is silent."""
    run = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path],
                         capture_output=True, text=True, check=True)
    told = json.loads(run.stdout)
    has_index = re.search("mp4|matroska|wav|mp3", told["format"]["format_name"])
    found = {}
    for stream in told["streams"]:
        kind = stream["codec_type"]
        if kind in found or stream["disposition"].get("attached_pic"):
            continue
        start = float(stream.get("start_time", 0))
        seconds = stream.get("duration") if has_index else None
        seconds = seconds or packets_length(path, stream["index"], start)
        found[kind] = (start, float(seconds))
    return found


def md5_of_first_packet(path):
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "V:0", "-read_intervals", "%+#1",
                          "-show_entries", "packet=data_hash", "-show_data_hash", "md5", "-of", "csv=p=0", path],
                         capture_output=True, text=True)
    return run.stdout.strip().rstrip(",").partition(":")[2].lower()


def packets_length(path, index, start):
    """From the first packet's time to the last one's end; without times the sum of the durations."""
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", str(index), "-show_entries",
                          "packet=pts_time,duration_time", "-of", "json", path], capture_output=True, text=True)
    packets = json.loads(run.stdout)["packets"]
    lengths = [float(packet.get("duration_time", 0)) for packet in packets]
    ends = [float(packet["pts_time"]) + length for packet, length in zip(packets, lengths) if "pts_time" in packet]
    return max(max(ends, default=0) - start, sum(lengths))


def mirror(url, directory):
    """Fetches the asset behind the address of a master playlist, following what playlists name."""
    waiting, seen = ["master.m3u8"], set()
    base = url.rsplit("/", 1)[0] + "/"
    while waiting:
        uri = waiting.pop()
        if uri in seen or ".." in uri.split("/") or uri.startswith("/"):
            continue
        seen.add(uri)
        address = url if uri == "master.m3u8" else urllib.parse.urljoin(base, uri)
        with urllib.request.urlopen(address, timeout=30) as answer:
            body = answer.read()
        file = pathlib.Path(directory) / uri
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        if uri.endswith(".m3u8"):
            text = body.decode()
            names = re.findall(r'URI="([^"]+)"', text) + [x for x in text.splitlines() if x and not x.startswith("#")]
            waiting += [posixpath.join(posixpath.dirname(uri), name) for name in names]
    return directory
