"""What is written down agrees with the programs: units, compose file, configuration, the API's description."""
import json
import re
import shutil
import subprocess

import pytest
import yaml

from support.fleet import ROOT

KINDS = {"hello", "download", "transcode", "thumbnail", "upload", "cleanup", "storage"}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_compose_runs_every_program(compose):
    commands = {service["command"][0] for service in compose["services"].values() if service.get("image") == "mediafleet"}
    assert commands == {"mediafleet-gateway"} | {f"mediafleet-{kind}" for kind in KINDS}


def test_compose_is_careful(compose):
    for name, service in compose["services"].items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        if service["image"] == "mediafleet":
            assert service["user"] == "10001:10001" and service["read_only"] and service["cap_drop"] == ["ALL"], name
            assert service["healthcheck"]["test"][1:] == [service["command"][0], "--health"], name
            assert "workspace:/var/lib/mediafleet/workspace" in service["volumes"], name


def test_compose_sets_only_what_exists(compose, fleet):
    for service in compose["services"].values():
        if service["image"] == "mediafleet":
            known = settings_of(fleet, service["command"][0])
            assert set(service["environment"]) <= known | {"MEDIAFLEET_WORKSPACE"}


def test_compose_asks_for_every_secret():
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.findall(r"(?:PASSWORD|SECRET|KEYS?): (?!\$\{\w+:\?\})\S+", text)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("unit", ["mediafleet-gateway.service", "mediafleet-worker@.service",
                                  "mediafleet-storage-cleanup.service", "mediafleet-storage-cleanup.timer"])
def test_units_verify(unit, fleet, tmp_path):
    program = "hello" if "@" in unit else "gateway"
    if unit.endswith(".timer"):  # looks for what it starts
        service = (ROOT / "deploy/systemd" / unit.replace(".timer", ".service")).read_text()
        (tmp_path / unit.replace(".timer", ".service")).write_text(
            service.replace("/usr/local/bin/", f"{fleet.bin}/").replace("EnvironmentFile=/etc", "EnvironmentFile=-/etc"))
    text = (ROOT / "deploy/systemd" / unit).read_text()
    text = text.replace("/usr/local/bin/", f"{fleet.bin}/")
    copy = tmp_path / unit.replace("@.", f"@{program}.")
    copy.write_text(text.replace("EnvironmentFile=/etc", "EnvironmentFile=-/etc"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if unit.partition("@")[0].partition(".")[0] in line]
    assert done.returncode == 0 and not complaints, done.stderr


def test_the_codes_of_the_r2_page_exist():
    codes = set(re.findall(r'^    X\(\w+, "([a-z-]+)"', (ROOT / "proto/error.h").read_text(), re.M))
    told = set(re.findall(r"^\| `([a-z-]+)`", (ROOT / "deploy/R2.md").read_text(), re.M))
    assert {"storage-auth", "storage-bucket"} <= told <= codes


def cleanup_commands():
    """The command of the timer, of cron and of Kubernetes."""
    unit = (ROOT / "deploy/systemd/mediafleet-storage-cleanup.service").read_text()
    yield re.search(r"^ExecStart=/usr/local/bin/(.*)$", unit, re.M)[1].split()
    cron = (ROOT / "deploy/cron/mediafleet-storage-cleanup").read_text()
    line = re.search(r"^17 3 \* \* \* mediafleet .*/usr/local/bin/(mediafleetctl.*)$", cron, re.M)
    yield line[1].split()
    job = yaml.safe_load((ROOT / "deploy/kubernetes/storage-cleanup.yaml").read_text())
    assert (job["kind"], job["spec"]["concurrencyPolicy"]) == ("CronJob", "Forbid")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never" and pod["securityContext"]["runAsNonRoot"]
    yield pod["containers"][0]["command"]


def test_cleanup_runs_as_it_is_scheduled(fleet):
    """What timer, cron and Kubernetes run every night is a command that works."""
    commands = list(cleanup_commands())
    assert len(commands) == 3 and all(command == commands[0] for command in commands)
    env = {"MEDIAFLEET_URL": fleet.url, "MEDIAFLEET_API_KEY": fleet.admin_key}
    done = subprocess.run([fleet.bin / commands[0][0], *commands[0][1:]], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (done.stdout, done.stderr)


def settings_of(fleet, program):
    """Names of the variables in --help."""
    text = subprocess.run([fleet.bin / program, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    return set(re.findall(r"^ *([A-Z][A-Z0-9_]{3,})$", text, re.M))


def rows(text):
    """Rows of tables that begin with the name of a setting."""
    return {line for line in text.splitlines() if re.match(r"\| *`[A-Z][A-Z0-9_]{3,}`", line)}


def test_readme_lists_every_setting(fleet):
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README.md")
    printed = subprocess.run([fleet.bin / "mediafleet-gateway", "--settings"], capture_output=True, text=True, check=True).stdout
    assert rows(readme.read_text()) == rows(printed)
    names = {line.split("`")[1] for line in rows(printed)}
    assert set().union(*(settings_of(fleet, f"mediafleet-{kind}") for kind in ["gateway", *KINDS])) <= names


def test_openapi_is_what_the_gateway_prints(fleet):
    committed = ROOT / "proto/openapi.json"
    if not committed.exists():
        pytest.skip("no proto/openapi.json")
    printed = subprocess.run([fleet.bin / "mediafleet-gateway", "--openapi"], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == json.loads(committed.read_text())
    assert fleet.get("/openapi.json", key="").json() == json.loads(printed)
