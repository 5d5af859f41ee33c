"""Processes as /proc tells of them."""
import os
import pathlib
import signal
import time


def stat(pid):
    """State letter, parent and session of a process; None if there is none."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[3])


def alive(pid):
    found = stat(pid)
    return found is not None and found[0] != "Z"


def children(pid):
    """Its living children, the oldest first."""
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    found = ((child, stat(child)) for child in pids)  # once each: any may end between two looks
    return [child for child, what in found if what and what[0] != "Z" and what[1] == pid]


def name(pid):
    return os.path.basename(os.readlink(f"/proc/{pid}/exe"))


def threads_stand(pid):
    """Whether none of its threads runs."""
    found = [stat(thread) for thread in os.listdir(f"/proc/{pid}/task")]
    return {what[0] for what in found if what} == {"T"}  # without one: it has ended meanwhile


def stand_still(pid):
    """SIGSTOP, and waits until it took effect: one thread hears of it and tells the others, which go on until then."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: threads_stand(pid), 10, f"process {pid} to stand still")


def wait_gone(pids, timeout=10):
    """Waits until none of them lives any more."""
    wait_until(lambda: not any(alive(pid) for pid in pids), timeout, f"the end of {pids}")


def wait_until(condition, timeout, what):
    """Returns the first true value of condition(); fails when there is none in time."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.05)
