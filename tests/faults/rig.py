"""A fleet to break: between it and each of its services stands a proxy, and everything is put right again afterwards."""
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

from s3_faults import S3Proxy
from support import processes
from support.fleet import ROOT, Fleet
from support.processes import wait_until
from support.proxy import Proxy
from support.source import Source

SERVICES = {"broker": "AMQP_URL", "store": "MONGODB_URL", "s3": "AWS_ENDPOINT_URL"}
KINDS = ("gateway", "download", "transcode", "thumbnail", "upload", "cleanup", "storage", "hello")

SETTINGS = {
    "MEDIAFLEET_DRAIN_S": 5,
    "MEDIAFLEET_LEASE_S": 10,  # what waits for the end of a lease waits less
    "MEDIAFLEET_TOMBSTONE_S": 2,
}
# Small stacks of what has returned: of 64 threads they would grow by megabytes each, and look like a leak.
ASAN = "detect_stack_use_after_return=1:max_uar_stack_size_log=16:quarantine_size_mb=4:malloc_context_size=8"


def open_rig(state, *options, build=None, settings=None):
    """A rig whose files are below `state`. build: programs to test from there, not those with sanitizers."""
    programs = ["--build", build] if build else ["--sanitize"]
    sanitizer = {"ASAN_OPTIONS": f"log_path={state}/log/sanitizer:log_exe_name=1:{ASAN}"}
    return Rig(Fleet(state, *programs, *options, settings=SETTINGS | sanitizer | (settings or {})))


class Rig:
    """A fleet and its services, reached through proxies, a source server and programs of its own.

    fleet                the programs; fleet.db and stored.s3(fleet) ask the services themselves, not through the proxies
    broker, store, s3    the proxies (support/proxy.py, s3_faults.py); s3 is None where media is kept in a directory
    source               a scriptable server of media (support/source.py)
    """

    def __init__(self, fleet):
        self.fleet = fleet
        self.s3 = None
        self.programs = []
        self.counts = dict.fromkeys(KINDS, 1)  # how many programs there are between tests
        self.dead = 0
        self.open_proxies()
        fleet.up(*(word for name, url in self.urls.items() for word in ("--env", f"{name}={url}")))
        self.source = Source(fleet.source_ports[-1])

    def open_proxies(self):
        """The services come first: the programs are told the proxies' ports."""
        with_s3 = "--s3" in self.fleet.options
        store = [word for pair in zip(self.fleet.options, self.fleet.options[1:]) if pair[0] == "--store" for word in pair]
        self.fleet.state.mkdir(parents=True, exist_ok=True)
        self.fleet.services("up", *store, *(["--s3"] if with_s3 else []))
        env = self.fleet.read_services_env()
        self.urls = {}
        for name, variable in SERVICES.items():
            if variable in env:
                url = urllib.parse.urlsplit(env[variable])
                proxy = (S3Proxy if name == "s3" else Proxy)(url.hostname, url.port)
                setattr(self, name, proxy)
                user, at, _ = url.netloc.rpartition("@")
                self.urls[variable] = url._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}").geturl()

    @property
    def proxies(self):
        return [proxy for proxy in (self.broker, self.store, self.s3) if proxy]

    # --- programs beside the fleet's own ---

    def start(self, kind, *, env=None, wrap=()):
        """A further program of the fleet (deploy/fleet scale KIND 0 leaves it alone), with more environment; wrap: a command
        before it, e.g. ("prlimit", "--nofile=64"). Ended by restore()."""
        program = Program(self, kind, len(self.programs), env or {}, wrap)
        self.programs.append(program)
        return program

    def ctl(self, *arguments, timeout=60):
        """rabbitmqctl."""
        return self.fleet.services("ctl", *arguments, timeout=timeout)

    def service_pid(self, name):
        """rabbitmq, store or s3."""
        return int((self.fleet.state / f"services/run/{name}.pid").read_text().split()[0])

    def expect_dead(self, count):
        """This test makes so many messages end in mediafleet.dead."""
        self.dead = count

    # --- putting right ---

    def restore(self):
        """Ends every fault: proxies pass, services and programs run as at the start."""
        for proxy in self.proxies:
            proxy.heal()
        for name in ("rabbitmq", "store", "s3"):
            if (self.fleet.state / f"services/run/{name}.pid").exists():
                signal_if_alive(self.service_pid(name), signal.SIGCONT)
        for program in self.programs:
            program.end()
        self.programs.clear()
        for kind in KINDS:
            for pid in self.fleet.program_pids(kind):
                for one in (pid, *processes.children(pid)):
                    signal_if_alive(one, signal.SIGCONT)
        self.fleet.up()
        for kind, count in self.counts.items():
            if len(self.fleet.program_pids(kind)) != count:
                self.fleet.scale(kind, count)

    def close(self):
        for program in self.programs:
            program.end()
        self.source.close()
        for proxy in self.proxies:
            proxy.close()


class Program:
    """A program that a test started with an environment of its own."""

    def __init__(self, rig, kind, number, env, wrap):
        self.kind = kind
        self.log_path = rig.fleet.state / f"log/own-{kind}-{number}.log"
        environment = program_environment(rig.fleet, kind) | env
        if kind == "gateway":
            port = rig.fleet.source_ports[0] + number % 4
            environment["MEDIAFLEET_LISTEN"] = f"127.0.0.1:{port}"
            self.url = f"http://127.0.0.1:{port}"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([*wrap, rig.fleet.bin / f"mediafleet-{kind}"], env=environment, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def child(self):
        """The worker's process that does the work."""
        return wait_until(lambda: processes.children(self.pid), 20, f"the process of {self.kind}")[0]

    def wait(self, timeout=60):
        """Its exit status, negative for a signal."""
        return self.process.wait(timeout)

    def end(self):
        """Lets it drain; kills what is left of it."""
        family = [self.pid, *processes.children(self.pid)]
        for pid in family:
            signal_if_alive(pid, signal.SIGCONT)
        signal_if_alive(self.pid, signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        for pid in family[1:]:
            signal_if_alive(pid, signal.SIGKILL)


def program_environment(fleet, kind):
    """What deploy/fleet told its own program of that kind."""
    pids = fleet.program_pids(kind) or fleet.program_pids("gateway")
    text = pathlib.Path(f"/proc/{pids[0]}/environ").read_bytes().decode()
    return dict(word.split("=", 1) for word in text.split("\0") if "=" in word)


def signal_if_alive(pid, number):
    if processes.alive(pid):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
