"""What processes have used so far, as /proc tells: CPU time, and memory now and at its highest."""
import os
import pathlib

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


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


def memory_mb(pid, name):
    """One of the sizes in /proc/PID/status: VmRSS, RssAnon, VmHWM."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":")), 0)


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
