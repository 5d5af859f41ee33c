#!/usr/bin/env python3
"""Faults at random for a long time, while jobs of all sorts flow; then everything that must be true is asserted.

    tests/faults/soak.py [--minutes M] [--seed N] [--pace JOBS_A_SECOND] [--build DIR] [--only FAULT,FAULT]

One fault at a time, each kind before any comes again, in an order that the seed gives; after each one a job must run again. Prints
the seed, every fault, the jobs by sort and end. The status is 0 only if every fault fired and nothing is wrong.
"""
import argparse
import collections
import faulthandler
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

tests = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(tests), str(tests / "integration")]

from invariants import Invariants
from rig import open_rig
from soak_faults import FAULTS, GATEWAYS, WORKERS, Injector
from soak_flow import Flow
from support.processes import wait_until

RECOVER_S = 90  # after a fault, until a new job has run
END_S = 300  # after the last one, until all jobs have ended
LATE_S = 1200  # longer than the minutes asked for: something hangs
SETTINGS = {"MEDIAFLEET_TOMBSTONE_S": 20}  # longer than a process stands still: a PUT comes later than that only here


class Soak:
    def __init__(self, options, directory):
        self.prepare(options)
        self.rig = open_rig(directory / "rig", "--s3", "--store", "h2", build=options.build, settings=SETTINGS)
        self.invariants = Invariants(self.rig)
        self.flow = Flow(self.rig, options.seed, options.pace)
        self.injector = Injector(self.rig, self.flow, options.seed)

    def prepare(self, options):
        self.options, self.began = options, time.monotonic()
        self.random = random.Random(f"{options.seed}-pauses")
        self.fired, self.recovered, self.problems = collections.Counter(), [], []

    def pause(self):
        time.sleep(self.random.uniform(1, 4))

    def say(self, *words):
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"{minutes:3}:{seconds:02}", *words, flush=True)

    def run(self):
        self.rig.counts = {**WORKERS, "gateway": GATEWAYS}
        for kind, count in self.rig.counts.items():
            self.rig.fleet.scale(kind, count)
        self.invariants.ended_s = END_S
        self.invariants.begin()
        self.began = time.monotonic()
        self.flow.start(lambda: self.invariants.watch.live)
        try:
            self.fire_all(time.monotonic() + self.options.minutes * 60)
        finally:
            self.say("no more faults, no more jobs")
            self.flow.stop()
        self.finish()

    def fire_all(self, end):
        names = self.options.only or self.injector.order()
        for name in names:
            self.pause()
            if time.monotonic() >= end:
                return
            began = time.monotonic()
            try:
                what = self.injector.fire(name)
                self.fired[name] += 1
                lasted = time.monotonic() - began
                self.recover()
                self.say(f"{name}{f' ({what})' if what else ''}: {lasted:.1f} s, a job ran {self.recovered[-1]:.1f} s later, "
                         f"{self.invariants.watch.live} live")
            except Exception as problem:  # whatever kept the fault from firing, or the fleet from recovering
                self.problems.append(f"{name}: {type(problem).__name__} {problem}")
                self.say(f"{name} FAILED: {problem}")
                self.rig.restore()
            self.invariants.meet()
            self.rig.s3.requests.clear()  # nobody looks at them here

    def recover(self):
        """A job that is posted now runs."""
        began = time.monotonic()
        job = self.flow.add("hello")
        jobs = self.rig.fleet.db.jobs
        wait_until(lambda: jobs.count_documents({"_id": job, "state": "succeeded"}), RECOVER_S, f"job {job} after the fault")
        self.recovered.append(time.monotonic() - began)

    def finish(self):
        self.rig.restore()
        try:
            self.invariants.check()
        except AssertionError as problem:
            self.problems.append(str(problem))
        self.invariants.end()
        self.growth = self.invariants.growth()
        table, wrong = self.flow.outcomes()
        self.problems += wrong + self.flow.problems
        self.report(table)

    def report(self, table):
        rows = self.rig.fleet.db.r2_file_paths
        sizes = [row["size_bytes"] for row in rows.find({}, {"size_bytes": 1})]
        stores = sum(post.path == "/api/v1/media/store" for post in self.flow.posts)
        print(f"\nseed {self.options.seed}, {self.options.minutes} minutes, {(time.monotonic() - self.began) / 60:.1f} with the end")
        print(f"jobs: {len(self.flow.posts)}, {stores} of them media.store; {len(sizes)} objects, {sum(sizes):,} bytes")
        for sort, ends in sorted(table.items()):
            print(f"  {sort:16} {', '.join(f'{number} {end}' for end, number in ends.most_common())}")
        print(f"answers: {dict(self.flow.answers)}")
        print(f"faults: {sum(self.fired.values())} of {len(self.fired)} kinds; the slowest recovery {max(self.recovered, default=0):.1f} s")
        print("  " + ", ".join(f"{number} {name}" for name, number in sorted(self.fired.items())))
        fds, threads, size = self.growth
        print(f"most growth of a process: {fds} fds, {threads} threads, {size / (1 << 20):.0f} MiB")
        print(f"samples: {dict(self.invariants.watch.samples)}, {len(self.invariants.watch.stories)} jobs watched")
        print("\n".join(["PROBLEMS", *self.problems]) if self.problems else "every invariant holds")


def options():
    parser = argparse.ArgumentParser(description="Faults at random while jobs flow.")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--pace", type=float, default=3.5, help="jobs a second")
    parser.add_argument("--build", help="programs to test, from DIR/bin, instead of building with sanitizers")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these faults, in this order")
    found = parser.parse_args()
    found.seed = found.seed if found.seed is not None else random.SystemRandom().randrange(1 << 30)
    if unknown := set(found.only or ()) - FAULTS.keys():
        parser.error(f"no such faults: {unknown}; there are {', '.join(FAULTS)}")
    return found


def end(*_):
    sys.exit(143)


def hang(*_):
    faulthandler.dump_traceback()
    raise AssertionError("the soak hangs")


def main():
    asked = options()
    print(f"seed {asked.seed}", flush=True)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGALRM, hang)
    signal.alarm(int(asked.minutes * 60) + LATE_S)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="mediafleet-soak-"))
    soak = Soak(asked, directory)
    failed = True
    try:
        soak.run()
        failed = bool(soak.problems)
    finally:
        signal.alarm(0)
        soak.rig.fleet.down()
        soak.rig.close()
        if failed:
            print(f"its files: {directory}")
        else:
            shutil.rmtree(directory)
    return failed


if __name__ == "__main__":
    sys.exit(main())
