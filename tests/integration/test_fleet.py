"""deploy/fleet: instances side by side, scaling, death and what is left behind."""
import os
import pathlib
import re
import signal
import subprocess

from support import processes
from support.fleet import ROOT, Fleet

KINDS = {"gateway", "hello", "download", "transcode", "thumbnail", "upload", "cleanup", "storage"}


def test_status_shows_every_program_and_service(fleet):
    names = {line.split()[0] for line in fleet.command("status").splitlines()}
    assert names >= {f"{kind}-1" for kind in KINDS} | {"rabbitmq", "store"}


def test_env_is_for_the_shell(fleet):
    script = f'eval "$({ROOT}/deploy/fleet env --state {fleet.state})" && env'
    shell = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                           env={name: os.environ[name] for name in ("PATH", "HOME")})
    variables = dict(line.split("=", 1) for line in shell.stdout.splitlines() if "=" in line)
    for name in ("MEDIAFLEET_URL", "MEDIAFLEET_API_KEY", "MEDIAFLEET_ADMIN_KEY", "AMQP_URL", "MONGODB_URL",
                 "MEDIAFLEET_MANAGEMENT_URL", "MEDIAFLEET_WORKSPACE", "MEDIA_ROOT"):
        assert variables[name], name
    assert re.search(r"/mediafleet\b", variables["MONGODB_URL"]), "names its database"


def test_env_names_the_bucket(fleet_s3):
    assert {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_STORAGE_BUCKET_NAME"} <= set(fleet_s3.env)
    assert "MEDIA_ROOT" not in fleet_s3.env


def test_secrets_are_the_instances_own_and_private(fleet, fleet_s3):
    assert fleet.key != fleet_s3.key and fleet.admin_key != fleet.key
    assert fleet.state.stat().st_mode & 0o077 == 0
    for pid in fleet.program_pids("gateway") + fleet.program_pids("hello"):
        assert fleet.key.encode() not in pathlib.Path(f"/proc/{pid}/environ").read_bytes(), "a program knows only hashes"


def test_runs_jobs(fleet):
    job = fleet.wait_job(fleet.hello(sleep_ms=10)["task_id"])
    assert (job["state"], job["percent"]) == ("succeeded", 100)


def test_a_second_gateway_serves_the_same_jobs(fleet):
    fleet.scale("gateway", 2)
    try:
        assert len(fleet.urls) == 2
        task = fleet.hello(sleep_ms=10)["task_id"]
        answer = fleet.get(f"{fleet.urls[1]}/api/v1/jobs/{task}")
        assert answer.status_code == 200 and answer.json()["id"] == task
        fleet.wait_job(task)
    finally:
        fleet.scale("gateway", 1)
    assert len(fleet.program_pids("gateway")) == 1


def test_scale_starts_stops_and_starts_again(fleet):
    fleet.scale("hello", 3)
    before = fleet.program_pids("hello")
    assert len(before) == 3
    os.kill(before[1], signal.SIGKILL)
    processes.wait_gone([before[1]])
    assert subprocess.run([ROOT / "deploy/fleet", "status", "--state", fleet.state], capture_output=True).returncode != 0
    fleet.scale("hello", 3)
    after = fleet.program_pids("hello")
    assert len(after) == 3 and after[0] == before[0] and after[2] == before[2] and after[1] != before[1]
    fleet.scale("hello", 1)
    assert fleet.program_pids("hello") == before[:1]


def test_scale_refuses_nonsense(fleet):
    for arguments in (["seagull", "1"], ["hello", "x"], ["gateway", "99"], ["hello"], []):
        done = subprocess.run([ROOT / "deploy/fleet", "scale", "--state", fleet.state, *arguments], capture_output=True, text=True)
        assert done.returncode != 0 and done.stderr.startswith("fleet: "), arguments


def test_settings_are_remembered(make_fleet):
    fleet = make_fleet("settings", settings={"MEDIAFLEET_LOG_LEVEL": "warn"})

    def setting_of_gateway():
        environ = pathlib.Path(f"/proc/{fleet.program_pids('gateway')[0]}/environ").read_bytes()
        return b"MEDIAFLEET_LOG_LEVEL=warn\0" in environ

    assert setting_of_gateway()
    fleet.command("down")
    fleet.command("up")
    assert setting_of_gateway()


def test_a_program_that_cannot_start_is_told(scratch, request):
    build = request.config.getoption("--build-dir")
    fleet = Fleet(scratch / "broken", *(["--build", build] if build else ["--sanitize"]), settings={"MEDIAFLEET_LEASE_S": "x"})
    try:
        done = subprocess.run([ROOT / "deploy/fleet", "up", "--state", fleet.state, *fleet.options], capture_output=True,
                              text=True, timeout=120)
        assert done.returncode != 0 and "MEDIAFLEET_LEASE_S" in done.stderr
        processes.wait_until(lambda: not of_instance(fleet.state), 30, "the end of all that did start")  # helpers of RabbitMQ's
    finally:
        fleet.destroy()


def test_down_leaves_nothing_running(make_fleet):
    fleet = make_fleet("down")
    supervisor = fleet.program_pids("hello")[0]
    assert of_instance(fleet.state) > {supervisor}
    os.kill(supervisor, signal.SIGKILL)  # its children lose their supervisor
    fleet.command("down")
    processes.wait_until(lambda: not of_instance(fleet.state), 30, "the end of all that ran")  # helpers of RabbitMQ's
    fleet.command("down")  # nothing to do is fine


def of_instance(state):
    """Living processes that name the state directory in their command line or environment."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = b"".join(pathlib.Path(f"/proc/{name}/{part}").read_bytes() for part in ("cmdline", "environ"))
        except OSError:
            continue
        if str(state).encode() in text and processes.alive(int(name)) and int(name) != os.getpid():
            found.add(int(name))
    return found
