"""Posting, polling and draining, on the services that both sides share."""
DRAIN_TIMEOUT_S = 240


def accept(bench):
    ours, peer = bench.sides()
    for connections in (32, 256):
        bench.compare(f"accept, {connections} connections", "requests/s", lambda: ours.accept(connections, bench.asked.seconds),
                      {"FastAPI": lambda: peer.accept(connections, bench.asked.seconds)}, goal=10, floor=5)


def poll(bench):
    ours, peer = bench.sides()
    bench.compare("poll, 32 connections", "requests/s", lambda: ours.poll(32, bench.asked.seconds),
                  {"FastAPI": lambda: peer.poll(32, bench.asked.seconds)}, goal=10)


def drain(bench):
    ours, peer = bench.sides()
    bench.compare("drain", "tasks/s", lambda: ours.drain(bench.asked.jobs, DRAIN_TIMEOUT_S),
                  {"Celery, prefork 2": lambda: peer.drain(bench.asked.jobs, DRAIN_TIMEOUT_S)}, goal=10, floor=4)


def footprint(bench):
    ours, peer = bench.sides()
    bench.results["footprint"]["mediafleet"] = ours.footprint()
    bench.results["footprint"]["peer"] = peer.footprint()
