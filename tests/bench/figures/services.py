"""Posting, polling and draining, on the services that both sides share."""
from load import PATIENCE_S
from peer_side import GEVENT, PREFORK
from sample import Sample

DRAIN_TIMEOUT_S = 1800
LATENCY_CONNECTIONS = 64
LATENCY_GOAL_MS = 20
RATES = (300, 1000)  # the first is one that both sides reach


def accept(bench):
    ours, peer = bench.sides()
    for connections in (32, 256):
        bench.compare(f"accept, {connections} connections", "requests/s", lambda: ours.accept(connections, bench.asked.seconds),
                      {"FastAPI": lambda: peer.accept(connections, bench.asked.seconds)}, goal=10, floor=5)


def latency(bench):
    ours, peer = bench.sides()
    for rate in RATES:
        name = f"accept at {rate}/s"
        arguments = rate, LATENCY_CONNECTIONS, bench.asked.seconds
        mine, others = bench.pairs(name, lambda: ours.latency(*arguments), {"FastAPI": lambda: peer.latency(*arguments)})
        goals = {"limit": LATENCY_GOAL_MS} if rate == RATES[-1] else {}
        for value in ("p50_ms", "p99_ms", "p999_ms"):
            bench.figure(f"{name}, {value[:-3]}", "ms", *picked(mine, others, value), less=True, **(goals if value == "p99_ms" else {}))
        bench.figure(f"{name}, answered in time", "requests/s", *picked(mine, others, "per_s"))
        told = {"mediafleet": [told for told, _ in mine], **{other: [told for told, _ in got] for other, got in others.items()}}
        bench.results["rates"][name] = told
        bench.results["notes"] += [f"{name}, {side}: {errors} of {due} requests were not answered well within {PATIENCE_S} s of the end."
                                   for side, errors, due in failures(told)]
        assert not any(each["errors"] for each in told["mediafleet"]), f"{name}: requests of the fleet failed"


def failures(told):
    """Of each side that has some: errors, and how many requests were due."""
    for side, many in told.items():
        errors = sum(each["errors"] for each in many)
        if errors:
            yield side, errors, sum(each["due"] for each in many)


def picked(mine, others, value):
    """Samples of one of the values that bench-rate told; what was used is told once for all of them."""
    def samples(pairs):
        return [Sample(told[value], *(used if value == "per_s" else ())) for told, used in pairs]

    return samples(mine), {peer: samples(pairs) for peer, pairs in others.items()}


def poll(bench):
    ours, peer = bench.sides()
    load = 32, bench.asked.seconds
    bench.compare("poll, 32 connections", "requests/s", lambda: ours.poll(*load), {"FastAPI": lambda: peer.poll(*load)}, goal=10)
    bench.compare("poll, while the job runs", "requests/s", lambda: ours.poll_running(*load),
                  {"FastAPI": lambda: peer.poll_running(*load)}, goal=10)
    bench.compare("poll, unchanged (304; the peer's 200)", "requests/s", lambda: ours.poll_unchanged(*load),
                  {"FastAPI": lambda: peer.poll(*load)}, goal=10)


def drain(bench):
    ours, peer = bench.sides()
    bench.compare("drain", "tasks/s", lambda: ours.drain(bench.asked.jobs, DRAIN_TIMEOUT_S),
                  {pool: lambda pool=pool: peer.drain(pool, bench.asked.jobs, DRAIN_TIMEOUT_S) for pool in (PREFORK, GEVENT)},
                  goal=10, floor=4, cpu_goal=10)
