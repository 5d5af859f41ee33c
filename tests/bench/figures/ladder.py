"""Our ladder beside one ffmpeg process: time, CPU, memory, and the quality of each rendition at the same bit rate."""
import math
import pathlib
import re
import shutil
import subprocess

from figures.media import make, timed
from sample import Sample

CLIP_S = 30
RENDITIONS = {"1080p": (1920, 1080), "720p": (1280, 720), "480p": (854, 480), "360p": (640, 360)}
SAME_RATE = 0.01
TRIES = 4


def clip(scratch, footage):
    """CLIP_S seconds in 1080p with sound in stereo: the real footage scaled up, or a test picture where there is none. The only
    key frame is the first, so that no rendition could be a copy of it even if that were not switched off."""
    film = footage / "big-buck-bunny-480p-30s.mp4"
    source = ["-i", film, "-t", str(CLIP_S)] if film.exists() else [
        "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate=24:duration={CLIP_S}",
        "-f", "lavfi", "-i", f"sine=duration={CLIP_S}"]
    return make(scratch / "ladder.mp4", *source, "-vf", "scale=1920:1080,setsar=1", "-c:v", "libx264", "-preset", "veryfast",
                "-crf", "18", "-x264-params", "keyint=infinite:scenecut=0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2")


class Side:
    """command SOURCE DIRECTORY makes a ladder; where(directory, index) are the files of a rendition, the largest first."""

    def __init__(self, command, where, source, scratch):
        self.command, self.where, self.source = command, where, source
        self.out = pathlib.Path(scratch) / "renditions"

    def make(self):
        """Seconds for the whole clip, CPU ms per second of film."""
        shutil.rmtree(self.out, ignore_errors=True)
        wall, cpu, peak, _ = timed([*self.command, self.source, self.out])
        return Sample(wall, 1000 * cpu / CLIP_S, None, peak)

    def rates(self):
        """Bits per second of each rendition, as its segments lie there."""
        return [8 * sum(file.stat().st_size for file in self.where(self.out, index)[1:]) / CLIP_S for index in range(len(RENDITIONS))]

    def qualities(self):
        """(PSNR in dB, SSIM) of each rendition."""
        return [quality(joined(self.where(self.out, index), self.out / "rendition.mp4"), self.source, *size)
                for index, size in enumerate(RENDITIONS.values())]


def our_files(directory, index):
    folder = directory / f"v{list(RENDITIONS)[index][:-1]}"
    return [folder / "init.mp4", *sorted(folder.glob("seg-*.m4s"))]


def peer_files(directory, index):
    return [directory / f"init_{index}.mp4", *sorted(directory.glob(f"v{index}_*.m4s"))]


def joined(files, whole):
    """Init file and segments in one file, which any demuxer reads."""
    whole.write_bytes(b"".join(file.read_bytes() for file in files))
    return whole


def quality(rendition, source, width, height):
    """Frame by frame against the source, scaled by a library that neither side uses; all planes, the mean over all frames."""
    frames = "settb=1/1000,setpts=N"
    graph = (f"[0:v]{frames},split[a][b];[1:v]zscale=w={width}:h={height}:filter=spline36,{frames},split[c][d];"
             "[a][c]psnr=shortest=1[e];[b][d]ssim=shortest=1[f]")
    done = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", rendition, "-i", source, "-filter_complex", graph, "-map",
                           "[e]", "-map", "[f]", "-f", "null", "-"], check=True, capture_output=True, text=True, timeout=1800)
    return (float(re.search(r"PSNR .*average:(inf|[\d.]+)", done.stderr)[1]), float(re.search(r"SSIM .*All:([\d.]+)", done.stderr)[1]))


def with_rates(script, rates, scratch):
    """The peer's script with other average bit rates; its caps stay."""
    text = script.read_text()
    for index, rate in enumerate(rates):
        text, found = re.subn(rf"-b:v:{index} \d+k", f"-b:v:{index} {rate:.0f}", text)
        assert found == 1, script
    other = scratch / "ffmpeg_ladder_same_rate.sh"
    other.write_text(text)
    return other


def at_our_rates(script, rates, source, scratch):
    """The peer asked for bit rates until its files have ours: an average bit rate is met only roughly in a short film."""
    asked = rates
    for _ in range(TRIES):
        side = Side(["sh", with_rates(script, asked, scratch)], peer_files, source, scratch)
        side.make()
        got = side.rates()
        if all(abs(is_ / should - 1) <= SAME_RATE for is_, should in zip(got, rates)):
            break
        asked = [ask * should / is_ for ask, is_, should in zip(asked, got, rates)]
    return side


def interpolated(rate, points):
    """[(rate, value)] of two encodings; the value at another rate on the line over the rate's logarithm."""
    (rate_a, a), (rate_b, b) = points
    return a + (b - a) * math.log(rate / rate_a) / math.log(rate_b / rate_a)


def quality_rows(rates, ours, peer_rates, peers):
    """peer_rates, peers: of the peer as it is, and at about our rates. What is left between the rates is interpolated."""
    for index, name in enumerate(RENDITIONS):
        is_, near = ([peer_rates[run][index], peers[run][index]] for run in (0, 1))
        psnr, ssim = (interpolated(rates[index], [(is_[0], is_[1][value]), (near[0], near[1][value])]) for value in (0, 1))
        own_psnr, own_ssim = ours[index]
        yield [name, f"{rates[index] / 1000:.0f}", f"{near[0] / 1000:.0f}", f"{own_psnr:.2f}", f"{psnr:.2f}",
               f"{own_psnr - psnr:+.2f}", f"{own_ssim:.5f}", f"{ssim:.5f}", f"{own_ssim - ssim:+.5f}",
               f"{is_[0] / 1000:.0f}", f"{is_[1][0]:.2f}", f"{is_[1][1]:.5f}"]


QUALITY = ["rendition", "kb/s", "the peer's", "PSNR dB", "the peer's", "difference", "SSIM", "the peer's", "difference",
           "the peer as it is: kb/s", "PSNR dB", "SSIM"]


def ladder(bench):
    source, script = clip(bench.scratch, bench.footage), bench.peers / "ffmpeg_ladder.sh"
    ours = Side([bench.asked.build / "bin/bench-hls", "encoded"], our_files, source, bench.scratch)
    peer = Side(["sh", script], peer_files, source, bench.scratch)
    ours.make()
    rates, qualities = ours.rates(), ours.qualities()
    peer.make()
    peer_rates, peer_qualities = peer.rates(), peer.qualities()
    same = at_our_rates(script, rates, source, bench.scratch)
    bench.table("Quality of the ladder at the same bit rate", QUALITY,
                list(quality_rows(rates, qualities, [peer_rates, same.rates()], [peer_qualities, same.qualities()])))
    bench.compare(f"ladder of {CLIP_S} s 1080p, all encoded", "s", ours.make,
                  {"ffmpeg": peer.make, "ffmpeg at our bit rates": same.make}, less=True, goal=1)
