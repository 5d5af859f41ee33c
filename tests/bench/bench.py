"""Measures figure by figure, the fleet and its peer in turn: A B A B A B. Started by tests/bench/run."""
import argparse
import os
import pathlib
import platform
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import programs  # noqa: E402
import table  # noqa: E402
from broker import Broker  # noqa: E402
from fleet_side import FleetSide  # noqa: E402
from ledger import Ledger  # noqa: E402
from peer_side import PeerSide  # noqa: E402
from support.fleet import Fleet  # noqa: E402

NAMES = ["footprint", "accept", "poll", "drain", "ladder", "thumbnails", "ledger"]
NEED_SERVICES = {"accept", "poll", "drain"}
NEED_FLEET = NEED_SERVICES | {"footprint"}
DRAIN_TIMEOUT_S = 240


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; without one: all")
    parser.add_argument("--pairs", type=int, default=3, help="how often each side is measured (3)")
    parser.add_argument("--seconds", type=int, default=8, help="of load, for accept and poll (8)")
    parser.add_argument("--jobs", type=int, default=20000, help="for drain (20000)")
    parser.add_argument("--objects", type=int, default=100000, help="for ledger (100000)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build-bench", help="where bench.md, bench.json go")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    asked.names = asked.names or NAMES
    return asked


def peers_directory():
    """Where the peers are, or None."""
    directory = pathlib.Path(os.environ.get("MEDIAFLEET_PEERS", ROOT.parent / "shared/peers"))
    return directory if (directory / "fastapi_gateway.py").exists() else None


class Bench:
    def __init__(self, asked, scratch):
        self.asked, self.scratch = asked, scratch
        self.footage = pathlib.Path(os.environ.get("MEDIAFLEET_TEST_MEDIA", ROOT.parent / "shared/media"))
        self.peers = peers_directory()
        self.fleet = self.ours = self.peer = None
        self.results = {"machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Linux {platform.release()}",
                        "figures": [], "footprint": {}, "ledger": [], "skipped": []}
        if not self.peers:
            self.results["skipped"].append("the peers: no fastapi_gateway.py in MEDIAFLEET_PEERS")

    def open_fleet(self):
        self.fleet = Fleet(self.scratch / "fleet", "--build", str(self.asked.build)).up()
        broker = Broker(self.fleet.env["AMQP_URL"])
        self.ours = FleetSide(self.fleet, broker, self.scratch)
        if self.peers:
            self.peer = PeerSide(self.peers, self.fleet, broker, self.scratch)

    def close(self):
        if self.peer:
            self.peer.stop()
        if self.fleet:
            self.fleet.destroy()

    def warm_up(self, seconds=10):
        """The development store runs on a Java machine, which is several times slower in its first minute."""
        for connections in (32, 128):
            self.ours.accept(connections, seconds)
        self.ours.drain(self.asked.jobs // 2, DRAIN_TIMEOUT_S)

    def pairs(self, name, unit, higher, ours, peer):
        """Measures in turn; ours and peer return (value, CPU ms, services' CPU ms, peak MB)."""
        figure = {"name": name, "unit": unit, "higher": higher, "mediafleet": [], "peer": []}
        for number in range(self.asked.pairs):
            figure["mediafleet"].append(ours())
            if self.peers:
                figure["peer"].append(peer())
            print(f"{name} {number + 1}/{self.asked.pairs}: {figure['mediafleet'][-1]} {figure['peer'][-1:]}",
                  file=sys.stderr, flush=True)
        self.results["figures"].append(figure)

    def accept(self):
        for connections in (32, 256):
            self.pairs(f"accept, {connections} connections", "requests/s", True,
                       lambda: self.ours.accept(connections, self.asked.seconds),
                       lambda: self.peer.accept(connections, self.asked.seconds))

    def poll(self):
        self.pairs("poll, 32 connections", "requests/s", True, lambda: self.ours.poll(32, self.asked.seconds),
                   lambda: self.peer.poll(32, self.asked.seconds))

    def drain(self):
        self.pairs("drain", "tasks/s", True, lambda: self.ours.drain(self.asked.jobs, DRAIN_TIMEOUT_S),
                   lambda: self.peer.drain(self.asked.jobs, DRAIN_TIMEOUT_S))

    def ladder(self):
        source = programs.clip(self.scratch, self.footage)
        self.pairs(f"ladder of {programs.CLIP_S} s 1080p", "s", False,
                   lambda: programs.our_ladder(self.asked.build, source, self.scratch),
                   lambda: programs.peer_ladder(self.peers, source, self.scratch))

    def thumbnails(self):
        source = programs.photo(self.scratch, self.footage)
        self.pairs("thumbnails of 12 MP", "CPU ms", False,
                   lambda: programs.our_thumbnails(self.asked.build, source, self.scratch),
                   lambda: programs.peer_thumbnails(self.peers, source, self.scratch))

    def footprint(self):
        self.results["footprint"]["mediafleet"] = self.ours.footprint()
        if self.peers:
            self.results["footprint"]["peer"] = self.peer.footprint()

    def ledger(self):
        """A fleet of its own, with an S3 server; there is no peer that does this."""
        fleet = Fleet(self.scratch / "ledger", "--build", str(self.asked.build), "--s3").up()
        try:
            self.results["ledger"] = Ledger(fleet, self.asked.objects).run()
        finally:
            fleet.destroy()

    def run(self):
        if NEED_FLEET & set(self.asked.names):
            self.open_fleet()
        if NEED_SERVICES & set(self.asked.names):
            self.warm_up()
        for name in self.asked.names:
            getattr(self, name)()


def main():
    asked = arguments()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="mediafleet-bench-"))
    bench = Bench(asked, scratch)
    try:
        bench.run()
    finally:
        bench.close()
        shutil.rmtree(scratch, ignore_errors=True)
    table.write(bench.results, asked.out)
    print(table.markdown(bench.results))


if __name__ == "__main__":
    main()
