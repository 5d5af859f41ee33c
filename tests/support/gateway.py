"""One more gateway of a fleet, with settings of its own."""
import json
import os
import pathlib
import signal
import subprocess

from support.processes import wait_until


class Gateway:
    """Runs inside of a with; asked through the fleet: fleet.get(gateway.url + path)."""

    def __init__(self, fleet, directory, **settings):
        """settings: environment on top of the fleet's first gateway's; None removes a variable."""
        pid = fleet.program_pids("gateway")[0]
        words = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        env = dict(word.decode().split("=", 1) for word in words if b"=" in word)
        env |= {"MEDIAFLEET_LISTEN": "127.0.0.1:0"} | settings
        self.env = {name: value for name, value in env.items() if value is not None}
        self.program = [fleet.bin / "mediafleet-gateway"]
        self.log = pathlib.Path(directory) / "gateway.log"

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.program, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.url = "http://" + wait_until(self.address, 60, "the gateway's address")
        return self

    def address(self):
        assert self.process.poll() is None, self.log.read_text()
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return next((line["address"] for line in lines if line.get("event") == "listening"), None)

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(60) in (0, -signal.SIGKILL), self.log.read_text()
        assert not [name for name in os.listdir(self.log.parent) if name.startswith("sanitizer.")]
