"""Is an HLS asset what it should be? Named checks after RFC 8216 and Apple's authoring specification.

    violations = check(DIRECTORY or URL of master.m3u8, source=PATH)      # [] is good
    python3 hls_check.py ASSET [SOURCE]                                  # prints them, exit status 1 if there are any

Every violation is "name: where: what". The names are the keys of CHECKS, in the order in which they run.
"""
import pathlib
import posixpath
import re
import subprocess
import sys
import tempfile
import urllib.parse

if __package__ in (None, ""):
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hls_boxes as mp4
from hls_asset import Asset, Playlist, attributes, mirror, probe_source

DURATION_TOLERANCE_S = 0.1
SYNC_TOLERANCE_S = 0.06
SEGMENT_S, GOP_S = 6, 2


# --- master playlist -----------------------------------------------------------------------------------------------

def master_head(asset):
    """EXTM3U first, a version that covers the tags, INDEPENDENT-SEGMENTS."""
    if asset.lines[:1] != ["#EXTM3U"]:
        yield "master", "does not begin with #EXTM3U"
    version = [int(line[15:]) for line in asset.lines if line.startswith("#EXT-X-VERSION:")]
    if len(version) != 1 or version[0] < 6:
        yield "master", f"versions {version}, EXT-X-MAP needs 6"
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in asset.lines:
        yield "master", "no EXT-X-INDEPENDENT-SEGMENTS"
    if not asset.variants:
        yield "master", "no variant"


def master_uris(asset):
    """Relative, inside of the asset, each once, and there."""
    uris = [uri for _, uri in asset.variants] + [tag["URI"] for tag in asset.media + asset.iframe_tags if "URI" in tag]
    for uri in uris:
        if urllib.parse.urlsplit(uri).scheme or uri.startswith("/") or ".." in uri.split("/"):
            yield uri, "not a relative address inside of the asset"
        elif not (asset.root / uri).is_file():
            yield uri, "missing"
        if uris.count(uri) > 1:
            yield uri, "named more than once"


def rates(playlist):
    """(peak, average) in bits a second: the peak over every run of 0.5 to 1.5 target durations."""
    target = int(playlist.tags["#EXT-X-TARGETDURATION"])
    sizes = [(playlist.file(uri).stat().st_size * 8, seconds) for seconds, uri, _ in playlist.segments]
    peak = average = sum(bits for bits, _ in sizes) / max(sum(seconds for _, seconds in sizes), 1e-9)
    for i in range(len(sizes)):
        bits = seconds = 0
        for more_bits, more_seconds in sizes[i:]:
            bits, seconds = bits + more_bits, seconds + more_seconds
            if seconds > 1.5 * target:
                break
            if seconds >= 0.5 * target:
                peak = max(peak, bits / seconds)
    return peak, average


def master_bandwidth(asset):
    """BANDWIDTH is the measured peak and AVERAGE-BANDWIDTH the measured average, audio included, within 10 %."""
    audio = rates(asset.audio[0]) if asset.audio and asset.video else (0, 0)
    for tag, uri in asset.variants:
        measured = rates(Playlist(asset.root, uri))
        for name, should in zip(("BANDWIDTH", "AVERAGE-BANDWIDTH"), (measured[0] + audio[0], measured[1] + audio[1])):
            if name not in tag:
                yield uri, f"no {name}"
            elif not 0.9 <= int(tag[name]) / should <= 1.1:
                yield uri, f"{name}={tag[name]}, measured {should:.0f}"


def master_codecs(asset):
    """What avcC and esds say."""
    audio = [asset.audio[0].load().init.codec] if asset.audio and asset.video else []
    for tag, uri in asset.variants:
        should = [Playlist(asset.root, uri).load().init.codec] + audio
        if tag.get("CODECS", "").split(",") != should:
            yield uri, f"CODECS={tag.get('CODECS')}, the boxes say {should}"


def master_picture(asset):
    """RESOLUTION and FRAME-RATE as the files have them; even, at most 60 frames a second, nothing twice."""
    for (tag, uri), playlist in zip([v for v in asset.variants if "RESOLUTION" in v[0]], asset.video):
        init = playlist.load().init
        if tag["RESOLUTION"] != f"{init.width}x{init.height}":
            yield uri, f"RESOLUTION={tag['RESOLUTION']}, the init file says {init.width}x{init.height}"
        if init.width % 2 or init.height % 2:
            yield uri, "odd size"
        durations = {sample.duration for f in playlist.fragments for one in f for sample in one.samples}
        if len(durations) != 1:
            yield uri, f"not a constant frame rate: durations {sorted(durations)}"
        rate = init.timescale / max(durations)
        if abs(float(tag.get("FRAME-RATE", 0)) - rate) > 0.001:
            yield uri, f"FRAME-RATE={tag.get('FRAME-RATE')}, measured {rate:.3f}"
        if rate > 60.01:
            yield uri, f"{rate:.3f} frames a second"
    sizes = [tag.get("RESOLUTION") for tag, _ in asset.variants]
    if len(set(sizes)) != len(sizes):
        yield "master", f"sizes {sizes}"


def master_audio(asset):
    """One group with LANGUAGE, NAME and CHANNELS, which every variant names; none in a silent film."""
    if not asset.video:
        return
    groups = {tag.get("GROUP-ID") for tag in asset.media}
    for tag in asset.media:
        for name in ("LANGUAGE", "NAME", "CHANNELS", "DEFAULT", "AUTOSELECT"):
            if name not in tag:
                yield "master", f"EXT-X-MEDIA without {name}"
    for tag, uri in asset.variants:
        if tag.get("AUDIO") not in (groups or {None}):
            yield uri, f"AUDIO={tag.get('AUDIO')}, groups are {groups}"


def master_iframes(asset):
    """An I-frame playlist for every video variant (Apple 6.1), with its rates."""
    sizes = [tag.get("RESOLUTION") for tag in asset.iframe_tags]
    for tag, uri in asset.variants:
        if "RESOLUTION" in tag and tag["RESOLUTION"] not in sizes:
            yield uri, "no EXT-X-I-FRAME-STREAM-INF of this size"
    for tag, playlist in zip(asset.iframe_tags, asset.iframes):
        peak = max(8 * (r or (0, 0))[0] / seconds for seconds, _, r in playlist.segments)
        if not 0.9 <= int(tag.get("BANDWIDTH", 0)) / max(peak, 1) <= 1.1:
            yield playlist.uri, f"BANDWIDTH={tag.get('BANDWIDTH')}, measured {peak:.0f}"


# --- media playlists -----------------------------------------------------------------------------------------------

def media_head(asset):
    """VOD, ended, a version that covers the tags, a map, independent segments."""
    for playlist in asset.playlists():
        if playlist.lines[:1] != ["#EXTM3U"] or playlist.lines[-1:] != ["#EXT-X-ENDLIST"]:
            yield playlist.uri, "not from #EXTM3U to #EXT-X-ENDLIST"
        for name, should in (("PLAYLIST-TYPE", "VOD"), ("VERSION", "6"), ("INDEPENDENT-SEGMENTS", "")):
            if playlist.tags.get(f"#EXT-X-{name}") != should:
                yield playlist.uri, f"EXT-X-{name} is {playlist.tags.get(f'#EXT-X-{name}')}, not {should or 'there'}"
        if "#EXT-X-MAP" not in playlist.tags or not playlist.segments:
            yield playlist.uri, "no EXT-X-MAP or no segment"


def media_target(asset):
    """The target duration is the longest segment's, rounded; segments last 6 s but for the last one, and for the first
    one of audio that begins late. Where the source's key frames decide, none is longer."""
    for playlist in asset.playlists():
        seconds = [segment[0] for segment in playlist.segments]
        target = int(playlist.tags["#EXT-X-TARGETDURATION"])
        if target != max(1, int(max(seconds) + 0.5)):
            yield playlist.uri, f"TARGETDURATION {target}, the longest is {max(seconds)}"
        for i, one in enumerate(seconds[:-1]):
            is_late_start = i == 0 and playlist in asset.audio and one < SEGMENT_S
            is_short = asset.copied and one < SEGMENT_S
            if abs(one - SEGMENT_S) > 0.5 and not is_late_start and not is_short:
                yield playlist.uri, f"segment {i + 1} lasts {one} s"


def media_files(asset):
    """Everything that is named is there, and nothing else."""
    named = {"master.m3u8"}
    for playlist in asset.playlists() + asset.iframes:
        folder = posixpath.dirname(playlist.uri)
        uris = [uri for _, uri, _ in playlist.segments] + [attributes(playlist.tags.get("#EXT-X-MAP", "")).get("URI", "")]
        named |= {posixpath.join(folder, uri) for uri in uris} | {playlist.uri}
    there = {str(file.relative_to(asset.root)) for file in asset.root.rglob("*") if file.is_file()}
    for uri in sorted(named - there):
        yield uri, "named and missing"
    for uri in sorted(there - named):
        yield uri, "there and not named"


def media_extinf(asset):
    """EXTINF is what the segment's samples last, to a thousandth of a second."""
    for playlist in asset.playlists():
        playlist.load()
        for (seconds, uri, _), fragments in zip(playlist.segments, playlist.fragments):
            is_last = uri == playlist.segments[-1][1]
            inside = sum(s.duration for f in fragments for s in f.samples) / playlist.init.timescale
            if abs(inside - seconds) > (0.025 if is_last else 0.001):
                yield f"{playlist.uri} {uri}", f"EXTINF {seconds}, its samples last {inside:.6f}"


def media_duration(asset):
    """Σ EXTINF within 0.1 s of the source's stream, and equal in all video renditions."""
    lengths = {round(playlist.seconds, 6) for playlist in asset.video}
    if len(lengths) > 1:
        yield "video", f"renditions last {sorted(lengths)}"
    if not asset.source:
        return
    source = probe_source(asset.source)
    for kind, playlists in (("video", asset.video), ("audio", asset.audio)):
        if kind in source and not playlists:
            yield kind, "missing"
        for playlist in playlists:
            if kind not in source:
                yield playlist.uri, f"the source has no {kind}"
            elif abs(playlist.seconds - source[kind][1]) > DURATION_TOLERANCE_S:
                yield playlist.uri, f"lasts {playlist.seconds:.3f} s, in the source {source[kind][1]:.3f}"


# --- segments ------------------------------------------------------------------------------------------------------

def segment_idr(asset):
    """Every video segment and every fragment begins with an IDR picture, at most 2 s after the one before; in a copied
    rendition at most a segment."""
    for playlist in asset.video:
        playlist.load()
        is_copied = asset.copied and playlist is asset.video[0]
        for (_, uri, _), data, fragments in zip(playlist.segments, playlist.data, playlist.fragments):
            for fragment in fragments:
                if not mp4.is_idr(data, fragment.samples[0]):
                    yield f"{playlist.uri} {uri}", f"the fragment at {fragment.start} does not begin with an IDR"
                seconds = sum(s.duration for s in fragment.samples) / playlist.init.timescale
                if seconds > (SEGMENT_S + 0.4 if is_copied else GOP_S) + 0.1:
                    yield f"{playlist.uri} {uri}", f"{seconds:.3f} s between IDR pictures"


def segment_aligned(asset):
    """Segment n is shown from the same time in every video rendition."""
    starts = []
    for playlist in asset.video:
        playlist.load()
        starts.append([fragments[0].samples[0].shown / playlist.init.timescale for fragments in playlist.fragments])
    for playlist, own in zip(asset.video[1:], starts[1:]):
        if len(own) != len(starts[0]) or any(abs(a - b) > 1e-4 for a, b in zip(own, starts[0])):
            yield playlist.uri, f"begins at {own}, {asset.video[0].uri} at {starts[0]}"


def segment_continuous(asset):
    """Decoding times follow each other without hole or overlap; pictures are shown once each, in an even rhythm."""
    for playlist in asset.playlists():
        playlist.load()
        samples = [s for fragments in playlist.fragments for f in fragments for s in f.samples]
        expected = samples[0].at
        for sample in samples:
            if sample.at != expected:
                yield playlist.uri, f"a sample at {sample.at}, expected {expected}"
                break
            expected += sample.duration
        shown = sorted(sample.shown for sample in samples)
        steps = {b - a for a, b in zip(shown, shown[1:])}
        if playlist in asset.video and len(steps) > 1:
            yield playlist.uri, f"pictures are shown in steps of {sorted(steps)[:5]}"


def segment_edits(asset):
    """No edit list, no negative composition offset: players disagree about both."""
    for playlist in asset.playlists():
        playlist.load()
        if playlist.init.edit_list:
            yield playlist.uri, "an edit list"
        if any(s.shown < s.at for fragments in playlist.fragments for f in fragments for s in f.samples):
            yield playlist.uri, "shown before it is decoded"


def segment_sync(asset):
    """Audio and video begin as far apart as in the source."""
    if not asset.source or not (asset.video and asset.audio):
        return
    source = probe_source(asset.source)
    starts = [p.load().fragments[0][0].samples[0].shown / p.init.timescale for p in (asset.video[0], asset.audio[0])]
    is_off = (starts[1] - starts[0]) - (source["audio"][0] - source["video"][0])
    if abs(is_off) > SYNC_TOLERANCE_S:
        yield "audio", f"begins {is_off:+.3f} s off"


def iframe_ranges(asset):
    """Each byte range is one fragment's head and its whole IDR picture, and there is one for every fragment."""
    by_folder = {posixpath.dirname(playlist.uri): playlist.load() for playlist in asset.video}
    for playlist in asset.iframes:
        video = by_folder.get(posixpath.dirname(playlist.uri))
        if "#EXT-X-I-FRAMES-ONLY" not in playlist.tags or not video:
            yield playlist.uri, "no EXT-X-I-FRAMES-ONLY, or of no variant"
            continue
        should = []
        for (_, uri, _), fragments in zip(video.segments, video.fragments):
            for f in fragments:
                should.append((uri, (f.samples[0].offset + f.samples[0].size - f.start, f.start)))
        if [(uri, r) for _, uri, r in playlist.segments] != should:
            yield playlist.uri, "its byte ranges are not the key frames of the segments"
        if abs(playlist.seconds - video.seconds) > 0.01:
            yield playlist.uri, f"lasts {playlist.seconds:.3f} s, the variant {video.seconds:.3f}"


def decodes(asset):
    """ffmpeg reads every rendition to its end without a word, and finds every frame."""
    for playlist in asset.playlists():
        playlist.load()
        if "#EXT-X-ENDLIST" not in playlist.tags:
            yield playlist.uri, "ffmpeg would wait for more"
            continue
        run = subprocess.run(["ffmpeg", "-v", "warning", "-nostdin", "-xerror", "-i", playlist.path, "-f", "null",
                              "-progress", "-", "-"], capture_output=True, text=True, timeout=600)
        if run.returncode or run.stderr.strip():
            yield playlist.uri, f"ffmpeg: {run.stderr.strip()[:300] or run.returncode}"
        frames = re.findall(r"^frame=\s*(\d+)", run.stdout, re.M)
        samples = sum(len(f.samples) for fragments in playlist.fragments for f in fragments)
        if playlist in asset.video and (not frames or int(frames[-1]) != samples):
            yield playlist.uri, f"{frames[-1:]} frames decoded of {samples}"


def segments_stand_alone(asset):
    """The first, the middle and the last segment decode with nothing but the init file."""
    for playlist in asset.video:
        init = playlist.file(attributes(playlist.tags["#EXT-X-MAP"])["URI"]).read_bytes()
        for index in sorted({0, len(playlist.segments) // 2, len(playlist.segments) - 1}):
            run = subprocess.run(["ffmpeg", "-v", "warning", "-nostdin", "-f", "mp4", "-i", "-", "-f", "null", "-"],
                                 input=init + playlist.load().data[index], capture_output=True, timeout=120)
            if run.returncode or run.stderr.strip():
                yield f"{playlist.uri} {playlist.segments[index][1]}", run.stderr.decode()[:300]


CHECKS = {
    "master-head": master_head,
    "master-uris": master_uris,
    "media-head": media_head,
    "media-files": media_files,
    "media-target": media_target,
    "media-extinf": media_extinf,
    "media-duration": media_duration,
    "master-bandwidth": master_bandwidth,
    "master-codecs": master_codecs,
    "master-picture": master_picture,
    "master-audio": master_audio,
    "master-iframes": master_iframes,
    "segment-idr": segment_idr,
    "segment-aligned": segment_aligned,
    "segment-continuous": segment_continuous,
    "segment-edits": segment_edits,
    "segment-sync": segment_sync,
    "iframe-ranges": iframe_ranges,
    "decodes": decodes,
    "segments-stand-alone": segments_stand_alone,
}


# --- running -------------------------------------------------------------------------------------------------------

def check(where, source=None, only=None):
    """Violations of the asset in a directory, or behind the URL of its master playlist; `source` is its source file."""
    if re.match(r"https?://", str(where)):
        with tempfile.TemporaryDirectory(prefix="hls-check-") as directory:
            return check(mirror(str(where), directory), source, only)
    try:
        asset = Asset(where, source)
    except (OSError, ValueError, KeyError) as error:
        return [f"master-uris: master: {error}"]
    violations = []
    for name, function in CHECKS.items():
        if only and name not in only:
            continue
        try:
            violations += [f"{name}: {place}: {what}" for place, what in function(asset)]
        except (OSError, ValueError, KeyError, IndexError, TypeError, subprocess.SubprocessError) as error:
            violations.append(f"{name}: {type(error).__name__}: {error}")
    return violations


if __name__ == "__main__":
    found = check(*sys.argv[1:3])
    print("\n".join(found) or "good")
    sys.exit(bool(found))
