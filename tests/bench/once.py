"""Runs a command once and writes what it took: wall s, CPU s, peak MB, as JSON, into the file given first. In a process of its own,
because a child begins with its parent's size as its peak: this one has 10 MB."""
import os
import sys
import time


def main(told, *command):
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - start
    with open(told, "w", encoding="ascii") as file:
        file.write(f"[{wall}, {used.ru_utime + used.ru_stime}, {used.ru_maxrss / 1024}]")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
