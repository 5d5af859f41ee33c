"""A fleet of real programs for tests: started by deploy/fleet, asked over HTTP, seen in its store and processes."""
import os
import pathlib
import shlex
import shutil
import subprocess

import pymongo
import requests

from support import processes
from support.processes import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
TERMINAL = {"succeeded", "failed", "cancelled"}
LOG_LINES = 60
fleets = []  # those that are up


class Fleet:
    """One instance. Every wait has an end; every request a timeout."""

    def __init__(self, state, *options, settings=None):
        """options: of `deploy/fleet up`; settings: further environment of the programs."""
        self.state = pathlib.Path(state)
        self.options = list(options)
        for name, value in (settings or {}).items():
            self.options += ["--env", f"{name}={value}"]
        self.http = requests.Session()
        self.http.trust_env = False
        self.promised = []  # ids of all jobs that were answered with 202 here

    def up(self, *options):
        """Starts what does not run; takes more options, which it remembers."""
        self.options += options
        self.command("up", *self.options)
        return self.look()

    def look(self):
        """Reads how to reach the instance, which somebody may have started before."""
        self.env = self.read_env()
        self.url = self.env["MEDIAFLEET_URL"]
        self.urls = self.env["MEDIAFLEET_URLS"].split()
        self.key = self.env["MEDIAFLEET_API_KEY"]
        self.admin_key = self.env["MEDIAFLEET_ADMIN_KEY"]
        self.viewer_key = self.env["MEDIAFLEET_VIEWER_KEY"]
        self.other_key = self.env["MEDIAFLEET_OTHER_KEY"]  # an operator's of another tenant
        self.workspace = pathlib.Path(self.env["MEDIAFLEET_WORKSPACE"])
        self.media_root = pathlib.Path(self.env["MEDIA_ROOT"]) if "MEDIA_ROOT" in self.env else None
        self.bin = pathlib.Path(self.env["MEDIAFLEET_BIN"])
        self.source_ports = [int(port) for port in self.env["MEDIAFLEET_SOURCE_PORTS"].split(",")]
        self.db = pymongo.MongoClient(self.env["MONGODB_URL"], serverSelectionTimeoutMS=5000).get_default_database()
        return self

    def down(self, *options):
        self.command("down", *options)

    def destroy(self):
        """Stops everything and removes its files."""
        self.down("--now")
        shutil.rmtree(self.state, ignore_errors=True)

    def scale(self, kind, count):
        """Also starts dead programs again."""
        self.command("scale", kind, str(count))
        self.urls = self.read_env()["MEDIAFLEET_URLS"].split()

    def command(self, verb, *arguments, timeout=300):
        """Runs deploy/fleet, returns what it printed."""
        done = subprocess.run([ROOT / "deploy/fleet", verb, "--state", self.state, *arguments], timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"fleet {verb} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def read_env(self):
        words = shlex.split(self.command("env"))
        return dict(word.split("=", 1) for word in words if word != "export")

    def read_services_env(self):
        """Of deploy/dev/services: the services' own URLs."""
        words = shlex.split(self.services("env"))
        return dict(word.split("=", 1) for word in words if word != "export")

    # --- requests ---

    def request(self, method, path, key=None, **options):
        """key: None for the operator's, "" for none. Never follows redirects. Headers may override everything."""
        key = self.key if key is None else key
        headers = ({"Authorization": f"Bearer {key}"} if key else {}) | options.pop("headers", {})
        url = path if path.startswith("http") else self.url + path
        return self.http.request(method, url, headers=headers, timeout=options.pop("timeout", 20),
                                 allow_redirects=False, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, **({"json": body} if body is not None else {}), **options)

    def store(self, url, project_id="tests", **fields):
        """Posts a media.store job; returns the answer's fields."""
        return self.accepted(self.post("/api/v1/media/store", {"url": url, "project_id": project_id, **fields}))

    def hello(self, **fields):
        """Posts a hello job (sleep_ms, fail); returns the answer's fields."""
        return self.accepted(self.post("/api/v1/debug/hello", fields))

    def accepted(self, answer):
        assert answer.status_code == 202, answer.text
        self.promised.append(answer.json()["task_id"])
        return answer.json()

    def job(self, job_id, **options):
        answer = self.get(f"/api/v1/jobs/{job_id}", **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_job(self, job_id, timeout=60, until=lambda job: job["state"] in TERMINAL):
        """Waits until the job has ended, or until it is as asked; returns it."""
        last = {}

        def reached():
            last["job"] = self.job(job_id)
            return until(last["job"])

        try:
            wait_until(reached, timeout, f"job {job_id}")
        except AssertionError as error:
            raise AssertionError(f"{error}, which is {last['job']}") from None
        return last["job"]

    # --- processes ---

    def program_pids(self, kind):
        """The started programs of a kind, the lowest number first; of workers the supervisors."""
        files = sorted(self.state.glob(f"run/{kind}-*.pid"), key=lambda file: int(file.stem.rpartition("-")[2]))
        pids = [int(file.read_text().split()[0]) for file in files]
        return [pid for pid in pids if processes.alive(pid)]

    def pids(self, kind):
        """The processes that do the work: gateways, and the children of workers' supervisors."""
        programs = self.program_pids(kind)
        if kind == "gateway":
            return programs
        return [child for pid in programs for child in processes.children(pid)]

    def kill(self, kind, signal_number):
        """Signals every working process of a kind; returns which."""
        pids = self.pids(kind)
        for pid in pids:
            os.kill(pid, signal_number)
        return pids

    def services(self, verb, *names, timeout=120):
        """deploy/dev/services of this fleet: restart, down … of rabbitmq, store, s3."""
        done = subprocess.run([ROOT / "deploy/dev/services", verb, "--state", self.state / "services", *names],
                              timeout=timeout, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"services {verb} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    # --- what must be so after tests ---

    def live_jobs(self):
        return [job["_id"] for job in self.db.jobs.find({"state": {"$in": ["queued", "running"]}}, {"_id": 1})]

    def job_directories(self):
        return [entry.name for entry in self.workspace.iterdir() if not entry.name.startswith(".")]

    def sanitizer_reports(self):
        return sorted((self.state / "log").glob("sanitizer.*"))

    def check_clean(self, timeout=30):
        """No report of a sanitizer, no live job, nothing left in the workspace. Reports are removed, so that only the
        module that made them fails."""
        reports = "\n".join(f"{file.name}:\n{file.read_text()[:8000]}" for file in self.sanitizer_reports())
        for file in self.sanitizer_reports():
            file.unlink()
        assert not reports, f"reports of sanitizers:\n{reports}"
        wait_until(lambda: not self.live_jobs(), timeout, "the end of all jobs")
        wait_until(lambda: not self.job_directories(), timeout, "an empty workspace")

    def tail(self):
        """The last lines of every log, for failed tests."""
        parts = []
        for file in sorted((self.state / "log").glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()[-LOG_LINES:]
            parts += [f"--- {file.name}", *lines]
        return "\n".join(parts)
