"""Memory and open descriptors of the programs, idle and under load."""
import statistics

import usage
from figures.services import DRAIN_TIMEOUT_S
from sample import Sample
from table import number

CONNECTIONS = 32
FAMILIES = (("gateway", "uvicorn"), ("hello", "celery"))  # whose memory is compared: parents and children
MEASURES = (("anon", "RssAnon"), ("pss", "Pss"))
GOALS = {"less": True, "goal": 5, "floor": 3}


def footprint(bench):
    ours, peer = bench.sides()
    load = CONNECTIONS, bench.asked.seconds, max(bench.asked.jobs // 4, 1000), DRAIN_TIMEOUT_S
    for when, measure in (("idle", lambda side: side.idle()), ("under load", lambda side: side.loaded(*load))):
        mine, others = bench.pairs(f"memory {when}", lambda: measure(ours), {"peer": lambda: measure(peer)}, quiet=True)
        for program, other in FAMILIES:
            for measured, shown in MEASURES:
                bench.figure(f"{shown} of {program}, {when}", "MB", sums(mine, program, measured),
                             {other: sums(others["peer"], other, measured)}, **GOALS)
        rows = [*lines(mine), *lines(others["peer"])]
        bench.table(f"Processes {when}", ["program", "RssAnon MB", "Pss MB", "VmRSS MB", "VmHWM MB", "descriptors"], rows)


def sums(samples, program, measured):
    """Of all processes of a program."""
    return [Sample(getattr(usage.total(found[program].values()), measured)) for found in samples]


def lines(samples):
    """A row for the parent of each program and one for each of its children; the median of all rounds."""
    for program in samples[0]:
        for at in range(len(samples[0][program])):
            sizes = [list(found[program].values())[at] for found in samples if at < len(found[program])]
            label = f"{program}, child" if at else program
            yield [label, *(number(statistics.median(values)) for values in zip(*sizes))]
