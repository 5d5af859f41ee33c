"""Measures figure by figure, the fleet and its peers in turn: A B A B A B. Started by tests/bench/run."""
import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
import traceback
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import table  # noqa: E402
from broker import Broker  # noqa: E402
from figures import footprint, growth, ladder, ledger, media, pipeline, services, transfers  # noqa: E402
from fleet_side import FleetSide  # noqa: E402
from machine import machine, versions  # noqa: E402
from peer_side import GEVENT, PREFORK, PeerSide  # noqa: E402
from support.fleet import Fleet  # noqa: E402

FIGURES = {"footprint": footprint.footprint, "accept": services.accept, "latency": services.latency, "poll": services.poll,
           "drain": services.drain, "growth": growth.growth, "ladder": ladder.ladder, "ladder_copied": media.ladder_copied,
           "remux": media.remux, "thumbnails": media.thumbnails, "upload": transfers.upload, "download": transfers.download,
           "pipeline": pipeline.pipeline, "ledger": ledger.ledger}
NEED_WARM_SERVICES = {"accept", "latency", "poll", "drain"}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(FIGURES)}; without one: all")
    parser.add_argument("--pairs", type=int, default=3, help="how often each side is measured (3)")
    parser.add_argument("--seconds", type=int, default=8, help="of load, for accept, latency, poll, growth (8)")
    parser.add_argument("--jobs", type=int, default=20000, help="for drain (20000)")
    parser.add_argument("--clips", type=int, default=200, help="for pipeline (200)")
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
        self.results = {"machine": machine(), "versions": versions(), "pairs": asked.pairs, "figures": [], "tables": [],
                        "rates": {}, "notes": [], "failed": []}

    def sides(self):
        """The fleet and the peer, on services that they share; opened by the first figure that asks."""
        if not self.fleet:
            self.fleet = Fleet(self.scratch / "fleet", "--build", str(self.asked.build)).up()
            broker = Broker(self.fleet.env["AMQP_URL"])
            self.ours = FleetSide(self.fleet, broker, self.scratch, self.asked.build)
            self.peer = PeerSide(self.peers, self.fleet, broker, self.scratch, self.asked.build)
            if NEED_WARM_SERVICES & set(self.asked.names):
                self.warm_up(self.ours)
                self.warm_up_peer()
        return self.ours, self.peer

    @contextlib.contextmanager
    def fleet_with(self, name, *options, java=""):
        """A fleet with services of its own, for one figure; destroyed at the end. java: options of the store's Java machine."""
        with unittest.mock.patch.dict(os.environ, MEDIAFLEET_STORE_JAVA=java):
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
        self.fleet = self.ours = self.peer = None

    def warm_up(self, ours, seconds=10):
        """The development store runs on a Java machine, which is several times slower in its first minute, and goes on
        getting faster while its compiler has little time: drains by ours took 230 µs of it a task, then 110 in the fifth."""
        for connections in (32, 128):
            ours.accept(connections, seconds)
        for _ in range(4):
            ours.drain(self.asked.jobs // 2, services.DRAIN_TIMEOUT_S)

    def warm_up_peer(self, seconds=10):
        """Other commands of the store."""
        self.peer.accept(32, seconds)
        for pool in (PREFORK, GEVENT):
            self.peer.drain(pool, self.asked.jobs // 4, services.DRAIN_TIMEOUT_S)

    def pairs(self, name, ours, peers, quiet=False, often=1):
        """Measures in turn: what ours and each of peers {name: function} returned, as lists. often: so many times the rounds that
        were asked for, for what takes little time and differs much from one round to the next."""
        mine, others = [], {peer: [] for peer in peers}
        rounds = self.asked.pairs * often
        for number in range(rounds):
            mine.append(ours())
            for peer, measure in peers.items():
                others[peer].append(measure())
            told = [] if quiet else [mine[-1], *(f"{peer}: {got[-1]}" for peer, got in others.items())]
            print(f"{name} {number + 1}/{rounds}:", *told, file=sys.stderr, flush=True)
        return mine, others

    def figure(self, name, unit, ours, peers, *, less=False, goal=None, floor=None, limit=None, cpu_goal=None):
        """A row of the table for each of peers {name: [Sample]}. less: a smaller value is better. goal, floor: how many times
        better we mean to be, and must be; cpu_goal: how many times less CPU our own processes mean to take; limit: what our
        value means to stay below."""
        self.results["figures"].append({"name": name, "unit": unit, "less": less, "goal": goal, "floor": floor, "limit": limit,
                                        "cpu_goal": cpu_goal, "mediafleet": ours, "peers": peers})

    def compare(self, name, unit, ours, peers, often=1, **options):
        """pairs and figure in one: ours, and each of peers {name: function}, returns a Sample."""
        self.figure(name, unit, *self.pairs(name, ours, peers, often=often), **options)

    def table(self, title, columns, rows):
        """A table of its own; the cells are text."""
        self.results["tables"].append({"title": title, "columns": columns, "rows": rows})

    def run(self):
        """What fails costs no other figure its results; the next one begins with new services."""
        for name in self.asked.names:
            try:
                FIGURES[name](self)
            except Exception as error:
                traceback.print_exc()
                self.results["failed"].append({"figure": name, "reason": f"{type(error).__name__}: {error}"})
                self.close()
            table.write(self.results, self.asked.out)


def main():
    asked = arguments()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="mediafleet-bench-"))
    bench = Bench(asked, scratch)
    try:
        bench.run()
    finally:
        bench.close()
        shutil.rmtree(scratch, ignore_errors=True)
    print(table.markdown(bench.results))
    return 1 if bench.results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
