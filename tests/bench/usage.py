"""What processes have used so far, as /proc tells: CPU time, memory now and at its highest, open descriptors."""
import collections
import os
import pathlib
import threading

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
Sizes = collections.namedtuple("Sizes", "anon pss rss hwm fds")  # MB, MB, MB, MB, a number


def fields(pid):
    """Of /proc/PID/stat, from the state on; None if there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None


def family(roots):
    """The processes and all their descendants."""
    parents = {}
    for name in os.listdir("/proc"):
        found = fields(name) if name.isdigit() else None
        if found:
            parents.setdefault(int(found[1]), []).append(int(name))
    found, queue = [], list(roots)
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += parents.get(pid, [])
    return found


def cpu_ms(pids):
    """User and system time. Of the ended, that which their parents have collected."""
    return sum(TICK_MS * sum(map(int, found[11:15])) for found in map(fields, pids) if found)


def memory_mb(pid, name, file="status"):
    """One of the sizes in /proc/PID/status: VmRSS, RssAnon, VmHWM; or of another file: Pss of smaps_rollup, which counts
    a page that n processes share as a page / n."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":")), 0)


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def sizes(pid):
    return Sizes(memory_mb(pid, "RssAnon"), memory_mb(pid, "Pss", "smaps_rollup"), memory_mb(pid, "VmRSS"),
                 memory_mb(pid, "VmHWM"), descriptors(pid))


def total(many):
    return Sizes(*map(sum, zip(*many)))


def total_mb(pids, name):
    return sum(memory_mb(pid, name) for pid in pids)


class Meter:
    """CPU from its making on, and the highest memory. Pages that processes share count for each of them."""

    def __init__(self, roots, services=()):
        """The pids of what is measured, and of the services behind it."""
        self.roots, self.services = list(roots), family(services)
        for pid in family(self.roots):
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM starts again from now
        self.cpu, self.services_cpu = cpu_ms(family(self.roots)), cpu_ms(self.services)

    def read(self, units):
        """CPU in ms per unit, the services' CPU in ms per unit, peak in MB."""
        pids = family(self.roots)
        return ((cpu_ms(pids) - self.cpu) / units, (cpu_ms(self.services) - self.services_cpu) / units,
                total_mb(pids, "VmHWM"))


class Watch:
    """Looks at processes while something runs: with Watch(roots) as watch: …; then watch.sizes has the moment of the
    largest sum, {pid: Sizes}."""

    EVERY_S = 0.5

    def __init__(self, roots):
        self.roots, self.sizes = list(roots), {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def look(self):
        while not self.ended.wait(self.EVERY_S):
            now = {pid: sizes(pid) for pid in family(self.roots)}
            if not self.sizes or total(now.values()).anon > total(self.sizes.values()).anon:
                self.sizes = now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def warm_up_memory(megabytes):
    """A virtual machine may give memory that nobody used for seconds back to its host, and whoever takes it next waits for each page
    (1 ms a MB and more): that would always be the one who follows the slowest."""
    return len(b"\1" * (megabytes << 20))
