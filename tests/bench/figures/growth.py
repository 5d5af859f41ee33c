"""Whether speed stays the same while ended jobs pile up in the store."""
import datetime

from broker import Broker
from figures.ledger import ulid
from figures.services import DRAIN_TIMEOUT_S
from fleet_side import FleetSide
from table import number, spread

SIZES = (1000, 10_000, 100_000)
CHUNK = 1000
SEEDS_END = ulid(10_000_000)  # the ids of jobs made now are later
FLAT = 0.8
# 100,000 jobs are 650 MB of Java objects: in the store's usual 1 GB it does little but collect garbage.
HEAP = "-Xms3g -Xmx3g"
NOTE = ("Growth is measured on the development store, whose indexes are kept in memory by the same rules as MongoDB's. "
        "What lists cost on a real MongoDB is not told by it.")


class Growth:
    def __init__(self, bench, fleet):
        self.bench, self.fleet = bench, fleet
        self.ours = FleetSide(fleet, Broker(fleet.env["AMQP_URL"]), bench.scratch, bench.asked.build)
        self.ours.measured = {"_id": {"$gt": SEEDS_END}}
        self.samples = {}  # (what, unit): {size: [Sample]}

    def ended_job(self):
        """As the fleet writes it."""
        self.fleet.scale("hello", 1)
        job = self.fleet.hello()["task_id"]
        self.fleet.wait_job(job)
        return self.fleet.db.jobs.find_one({"_id": job})

    def seed(self, model, begin, end):
        """A job each second, the last one a day ago."""
        for at in range(begin, end, CHUNK):
            self.fleet.db.jobs.insert_many([self.copy(model, number) for number in range(at, min(at + CHUNK, end))], ordered=False)

    def copy(self, model, number):
        earlier = datetime.timedelta(days=1, seconds=SIZES[-1] - number)
        times = {name: value - earlier for name, value in model.items()
                 if isinstance(value, datetime.datetime) and name != "expires_at"}
        return model | times | {"_id": ulid(number)}

    def take(self, size, what, unit, measure):
        sample = measure()
        self.samples.setdefault((what, unit), {}).setdefault(size, []).append(sample)
        print(f"growth, {size} ended jobs, {what}: {sample}", flush=True)

    def measure(self, size):
        asked, ours = self.bench.asked, self.ours
        self.take(size, "accept, 32 connections", "requests/s", lambda: ours.accept(32, asked.seconds))
        self.take(size, "drain", "tasks/s", lambda: ours.drain(max(asked.jobs // 4, 1000), DRAIN_TIMEOUT_S))
        ours.clear()
        paths = {"a job": f"/api/v1/jobs/{ulid(size // 2)}", "list of jobs": "/api/v1/jobs",
                 "list of the failed": "/api/v1/jobs?state=failed", "queues": "/api/v1/queues", "workers": "/api/v1/workers",
                 "metrics": "/metrics"}
        for what, path in paths.items():
            self.take(size, what, "requests/s", lambda: ours.get_load(path, ours.get, 8, max(asked.seconds // 2, 1)))

    def run(self):
        model = self.ended_job()
        self.bench.warm_up(self.ours)
        for _ in range(self.bench.asked.pairs):
            self.fleet.db.jobs.delete_many({})
            begin = 0
            for size in SIZES:
                self.seed(model, begin, size)
                self.measure(size)
                begin = size

    def rows(self):
        for (what, unit), sizes in self.samples.items():
            first, last = sizes[SIZES[0]], sizes[SIZES[-1]]
            ratios = [after.value / before.value for before, after in zip(first, last)]
            costs = [cost(after) / cost(before) for before, after in zip(first, last)]
            flat = sorted(ratios)[len(ratios) // 2] >= FLAT
            yield [what, unit, *(spread([sample.value for sample in sizes[size]]) for size in SIZES), spread(ratios),
                   spread(costs), "met" if flat else "missed"]


def cost(sample):
    return sample.cpu_ms + (sample.services_ms or 0)


def growth(bench):
    """A fleet of its own, whose store is only growth's."""
    with bench.fleet_with("growth", java=HEAP) as fleet:
        growing = Growth(bench, fleet)
        growing.run()
    columns = ["growth", "unit", *(f"{number(size)} ended jobs" for size in SIZES), "speed, last / first",
               "CPU in all, last / first", f"at least {FLAT} times as fast"]
    bench.table("Speed and the number of ended jobs", columns, list(growing.rows()))
    bench.results["notes"].append(NOTE)
