"""Faults inside of a program: calls of its libraries that fail, are cut short, kill it, or tell another time.

A program started with Faults.env() loads tests/faults/libfault.c before its libraries; rules may be added and ended while it
runs, and hold for every process that it forks.
"""
import fcntl
import mmap
import pathlib
import shlex
import struct
import subprocess
import uuid

from support.fleet import ROOT

SOURCE = ROOT / "tests/faults/libfault.c"
LIBRARY = ROOT / "build-tests/libfault.so"
FLAGS = "-std=c17 -D_GNU_SOURCE -O2 -g -fPIC -shared -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror".split()
PACKAGES = ("librabbitmq", "libmongoc-1.0", "libavcodec")

RULES = 256
RECORD = struct.Struct("48s208s8q")  # struct rule: function, subject, action, value, nth, times, after, active, seen, fired
ACTIVE_AT, FIRED_AT = RECORD.size - 24, RECORD.size - 8
FAIL, SHORT, LOSE, KILL, SPIN, VALUE = range(1, 7)
FOREVER = 0


class Faults:
    """The rules of one or more programs. Functions that can fail by a path: write (and pwrite, writev, fwrite), open (and
    fopen), close, ftruncate, fsync, fdatasync, mkdir, rename, statvfs; that a program can die at: amqp_basic_ack,
    amqp_basic_publish, mongoc_bulk_operation_execute, avcodec_send_packet, and all those."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f"faults-{uuid.uuid4().hex[:8]}"
        self.path.write_bytes(bytes(RULES * RECORD.size))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.functions = []  # of the rules, in order

    def env(self):
        """What a program needs to meet these faults (rig.start(kind, env=faults.env()))."""
        return {"LD_PRELOAD": str(library()), "FAULTS_FILE": str(self.path)}

    # --- rules; path: a part of it. nth: the first call that acts; times: how many do, None for all that follow ---

    def fail(self, function, error, *, path="", nth=1, times=None):
        """Calls fail with that errno."""
        return self.add(function, FAIL, subject=path, value=error, nth=nth, times=times)

    def short(self, function="write", *, path="", nth=1, times=None):
        """Half is written, and said to be."""
        return self.add(function, SHORT, subject=path, nth=nth, times=times)

    def lose(self, function="write", *, path="", nth=1, times=None):
        """Half is written, all of it is said to be: what a broken disk does."""
        return self.add(function, LOSE, subject=path, nth=nth, times=times)

    def exit_on(self, function, nth=1, *, about="", when="before", times=1):
        """The process dies of SIGKILL at that call: before or after it is made. about: a part of what the call is about:
        a path, the queue of a publish, "<collection> insert" or "<collection> update" of a bulk write."""
        return self.add(function, KILL, subject=about, nth=nth, times=times, after=when == "after")

    def spin(self, function, *, nth=1, times=None):
        """Calls never return, and burn their thread's time; until the rule ends."""
        return self.add(function, SPIN, nth=nth, times=times)

    def clock(self, offset_s):
        """The wall clock is off by so much, instead of by what it was before."""
        self.end("clock")
        return self.add("clock", VALUE, value=int(offset_s * 1000))

    def host(self, name):
        """Programs that start from now on are on that host."""
        self.end("gethostname")
        return self.add("gethostname", VALUE, subject=name)

    def space(self, free_bytes):
        """File systems have so much room, or say so."""
        self.end("statvfs")
        return self.add("statvfs", VALUE, value=free_bytes)

    def clear(self):
        """Ends all rules; what fired stays counted."""
        for index in range(len(self.functions)):
            self.set_active(index, False)

    def end(self, function):
        """Ends the rules of a function."""
        for index, name in enumerate(self.functions):
            if name == function:
                self.set_active(index, False)

    def fired(self, function):
        """How many calls have met a rule."""
        return sum(self.number(index, FIRED_AT) for index, name in enumerate(self.functions) if name == function)

    # --- the records ---

    def add(self, function, action, *, subject="", value=0, nth=1, times=None, after=False):
        index = len(self.functions)
        assert index < RULES, "no room for more rules"
        assert len(function) < 48 and len(subject) < 208, "too long for a record"
        RECORD.pack_into(self.map, index * RECORD.size, function.encode(), subject.encode(), action, value, nth,
                         times or FOREVER, after, 0, 0, 0)
        self.functions.append(function)
        self.set_active(index, True)
        return index

    def set_active(self, index, active):
        struct.pack_into("q", self.map, index * RECORD.size + ACTIVE_AT, active)

    def number(self, index, at):
        return struct.unpack_from("q", self.map, index * RECORD.size + at)[0]


def library():
    """Builds it when it is older than its source."""
    LIBRARY.parent.mkdir(exist_ok=True)
    with open(LIBRARY.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
            compile_library()
    return LIBRARY


def compile_library():
    asked = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True)
    foreign = [word.replace("-I", "-isystem") for word in shlex.split(asked.stdout)]
    made = LIBRARY.with_suffix(".new")
    done = subprocess.run(["cc", *FLAGS, *foreign, SOURCE, "-o", made], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made.rename(LIBRARY)
