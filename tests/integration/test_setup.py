"""deploy/setup installs whatever the programs link and the scripts call; the image has what the programs link."""
import functools
import os
import re
import shutil
import subprocess

import pytest

from support.fleet import ROOT

BASE = {"essential", "required", "important"}  # priorities of what every Debian 12 has
# Words of the shell, of heredocs and of our own functions that happen to be commands of some package, too.
NOT_COMMANDS = {"server", "services", "fleet", "program", "record", "pytest", "docker"}


@pytest.fixture(scope="module")
def packages():
    """Installed packages: name -> (priority, names it depends on)."""
    lines = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${Priority}\t${Essential}\t${Provides}\t${Pre-Depends}, ${Depends}\n"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for line in lines:
        name, priority, essential, provides, depends = line.split("\t")
        names = {re.split(r"[ :(]", alternative.strip())[0] for part in depends.split(",") for alternative in part.split("|")}
        found[name] = ("essential" if essential == "yes" else priority, names - {""})
        for virtual in re.findall(r"[a-z0-9][a-z0-9.+-]+", re.sub(r"\(.*?\)", "", provides)):
            found.setdefault(virtual, (priority, {name}))
    return found


def closure(packages, names):
    seen, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name in packages and name not in seen:
            seen.add(name)
            todo += packages[name][1]
    return seen


def listed(*groups):
    return subprocess.run([ROOT / "deploy/setup", "--list", *groups], capture_output=True, text=True, check=True).stdout.split()


@functools.cache
def package_of(file):
    """Of a file, whichever way /usr was merged; None for what no package brought."""
    file = os.path.realpath(file)
    for path in (file, file.removeprefix("/usr")):
        done = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    return None


def needed(program):
    """Names of the libraries that a program itself asks for."""
    text = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))


def libraries(fleet):
    """Library -> package, of all programs."""
    names, files = set(), {}
    for program in fleet.bin.glob("mediafleet*"):
        names |= needed(program)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        assert "not found" not in linked, linked
        files |= dict(re.findall(r"(\S+) => (\S+)", linked))
    return {name: package_of(files[name]) for name in names if name in files}


def test_every_library_comes_from_a_listed_package(fleet, packages):
    allowed = closure(packages, listed("build")) | {name for name, (priority, _) in packages.items() if priority in BASE}
    for library, package in libraries(fleet).items():
        assert package in allowed, f"{library} is of {package}"


def test_the_image_has_every_library(fleet):
    text = (ROOT / "deploy/Dockerfile").read_text().rpartition("FROM")[2]
    installed = set(re.search(r"install -y --no-install-recommends(.*?)&&", text, re.S)[1].replace("\\", "").split())
    sanitizers = {"libasan8", "libubsan1", "libtsan2"}
    missing = set(libraries(fleet).values()) - installed - sanitizers - {"libc6", "libgcc-s1", "libm6"}
    assert not missing


def commands_of(script):
    """Words that stand where the shell expects a command."""
    text = re.sub(r"(?m)^\s*#.*$", "", script.read_text())
    text = re.sub(r"<<-?'?END'?\n.*?\nEND\n", "\n", text, flags=re.S)
    text = re.sub(r"'[^'\n]*'", "''", text)
    position = r"(?:^|[|;&(!]|\b(?:then|do|else|if|until|while|exec|setsid|xargs(?: -0)?|retry|run_quietly|spawn \S+)\s)\s*"
    return set(re.findall(position + r"([a-z][a-z0-9_.-]+)(?=\s|$|\))", text, re.M)) - NOT_COMMANDS


def scripts():
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "deploy", "tests", ".ci"],
                           capture_output=True, text=True, check=True).stdout.split()
    files = [ROOT / name for name in names if (ROOT / name).is_file()]
    return [file for file in files if file.suffix == ".sh" or file.read_bytes().startswith(b"#!/bin/bash")]


def test_every_command_comes_from_a_listed_package(packages):
    allowed = closure(packages, listed()) | {name for name, (priority, _) in packages.items() if priority in BASE}
    replaced = {"go", "mvn", "npm", "java", "javac", "systemctl"}  # often from elsewhere; setup says so, or asks first
    for script in scripts():
        for command in sorted(commands_of(script) - replaced):
            path = shutil.which(command, path="/usr/sbin:/usr/bin:/sbin:/bin")
            if path is None:
                continue  # a function, a word of the shell
            assert package_of(path) in allowed, f"{script.name}: {command} is of {package_of(path)}"


def test_commands_are_found_in_scripts():
    """The test above would pass if it found nothing."""
    found = set().union(*(commands_of(script) for script in scripts()))
    assert {"curl", "ffmpeg", "jq", "openssl", "cmake", "ninja", "flock", "setsid", "sha256sum"} <= found


def test_nothing_is_installed_twice():
    done = subprocess.run([ROOT / "deploy/setup"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "installing" not in done.stderr
