"""Measures figure by figure, the fleet and its peers in turn: A B A B A B. Started by tests/bench/run."""
import argparse
import contextlib
import os
import pathlib
import platform
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import table  # noqa: E402
from broker import Broker  # noqa: E402
from figures import ledger, media, services  # noqa: E402
from fleet_side import FleetSide  # noqa: E402
from peer_side import PeerSide  # noqa: E402
from support.fleet import Fleet  # noqa: E402

FIGURES = {"footprint": services.footprint, "accept": services.accept, "poll": services.poll, "drain": services.drain,
           "ladder": media.ladder, "thumbnails": media.thumbnails, "ledger": ledger.ledger}
NEED_WARM_SERVICES = {"accept", "poll", "drain"}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(FIGURES)}; without one: all")
    parser.add_argument("--pairs", type=int, default=3, help="how often each side is measured (3)")
    parser.add_argument("--seconds", type=int, default=8, help="of load, for accept and poll (8)")
    parser.add_argument("--jobs", type=int, default=20000, help="for drain (20000)")
    parser.add_argument("--objects", type=int, default=100000, help="for ledger (100000)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build-bench", help="where bench.md, bench.json go")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    unknown = set(asked.names) - set(FIGURES)
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    asked.names = asked.names or list(FIGURES)
    return asked


class Bench:
    """What the figures share: what was asked for, where things are, the two sides, the results."""

    def __init__(self, asked, scratch):
        self.asked, self.scratch = asked, scratch
        self.footage = pathlib.Path(os.environ.get("MEDIAFLEET_TEST_MEDIA", ROOT.parent / "shared/media"))
        self.peers = ROOT / "tests/bench/peers"
        self.fleet = self.ours = self.peer = None
        self.results = {"machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Linux {platform.release()}",
                        "figures": [], "footprint": {}, "ledger": [], "skipped": []}

    def sides(self):
        """The fleet and the peer, on services that they share; opened by the first figure that asks."""
        if not self.fleet:
            self.fleet = Fleet(self.scratch / "fleet", "--build", str(self.asked.build)).up()
            broker = Broker(self.fleet.env["AMQP_URL"])
            self.ours = FleetSide(self.fleet, broker, self.scratch)
            self.peer = PeerSide(self.peers, self.fleet, broker, self.scratch)
            if NEED_WARM_SERVICES & set(self.asked.names):
                self.warm_up()
        return self.ours, self.peer

    @contextlib.contextmanager
    def fleet_with(self, name, *options):
        """A fleet with services of its own, for one figure; destroyed at the end."""
        fleet = Fleet(self.scratch / name, "--build", str(self.asked.build), *options).up()
        try:
            yield fleet
        finally:
            fleet.destroy()

    def close(self):
        if self.peer:
            self.peer.stop()
        if self.fleet:
            self.fleet.destroy()

    def warm_up(self, seconds=10):
        """The development store runs on a Java machine, which is several times slower in its first minute."""
        for connections in (32, 128):
            self.ours.accept(connections, seconds)
        self.ours.drain(self.asked.jobs // 2, services.DRAIN_TIMEOUT_S)

    def compare(self, name, unit, ours, peers, *, less=False, goal=None, floor=None):
        """Measures in turn. ours, and each of peers {name: function}, returns a Sample. less: a smaller value is better.
        goal, floor: how many times better we mean to be, and must be."""
        figure = {"name": name, "unit": unit, "less": less, "goal": goal, "floor": floor, "mediafleet": [],
                  "peers": {peer: [] for peer in peers}}
        for number in range(self.asked.pairs):
            figure["mediafleet"].append(ours())
            for peer, samples in figure["peers"].items():
                samples.append(peers[peer]())
            print(f"{name} {number + 1}/{self.asked.pairs}: {figure['mediafleet'][-1]}",
                  *(f"{peer}: {samples[-1]}" for peer, samples in figure["peers"].items()), file=sys.stderr, flush=True)
        self.results["figures"].append(figure)

    def run(self):
        for name in self.asked.names:
            FIGURES[name](self)


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
