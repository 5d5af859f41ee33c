"""Breaks one line of our code at a time and demands that a fault test finds it.

A suite that stays green over a broken promise proves nothing. Each break is made in a copy of the tree, built with sanitizers, and the
fault tests that stand for it must turn red; before that they are green on the unbroken copy.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

from breaks import BREAKS

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build-sabotage"
BUILD_S, TEST_S = 1200, 600
BUILT = ("proto", "common", "gateway", "worker", "tests", "deploy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="breaks to try, of: " + " ".join(one.name for one in BREAKS))
    chosen = parser.parse_args().names
    breaks = [one for one in BREAKS if not chosen or one.name in chosen]
    if not breaks:
        parser.error("no such break")
    mirror()
    build()
    tests = sorted({test for one in breaks for test in one.tests})
    if not run(tests, "unbroken"):
        sys.exit(f"the tests are red without any break: see {log_of('unbroken')}")
    print(f"{len(tests)} tests are green on the unbroken tree", flush=True)
    found = sum(attempt(one) for one in breaks)
    print(f"{found} of {len(breaks)} breaks were found")
    sys.exit(found < len(breaks))


def attempt(one):
    """Whether the tests find it."""
    start = time.monotonic()
    with broken(one):
        build()
        found = not run(one.tests, one.name)
    took = time.monotonic() - start
    print(f"{one.name:24} {'found' if found else 'NOT FOUND':10} {took:4.0f} s  {one.what} ({one.file}): {red(one) if found else '-'}",
          flush=True)
    return found


def mirror():
    """The tree as git sees it, in COPY. Files that are the same are left alone, so that only what changed is built again."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True, timeout=60).stdout
    names = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in names:
        to = COPY / name
        if not to.exists() or to.read_bytes() != (ROOT / name).read_bytes():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to)
    for top in BUILT:
        for file in (COPY / top).rglob("*"):
            if file.is_file() and str(file.relative_to(COPY)) not in names and "__pycache__" not in file.parts:
                file.unlink()


@contextlib.contextmanager
def broken(one):
    file = COPY / one.file
    text = file.read_text()
    if text.count(one.old) != 1:
        sys.exit(f"{one.name}: {one.file} has {text.count(one.old)} times: {one.old!r}")
    file.write_text(text.replace(one.old, one.new))
    try:
        yield
    finally:
        file.write_text(text)


def build():
    done = subprocess.run([COPY / "deploy/build", "--sanitize"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=BUILD_S)
    if done.returncode:
        sys.exit(f"does not build:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def run(tests, name):
    """Whether all of them are green."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    log = log_of(name)
    log.parent.mkdir(exist_ok=True)
    at_once = ["-n", str(min(4, len(tests)))] if len(tests) > 1 else []
    with open(log, "w") as output:
        done = subprocess.run([sys.executable, "-m", "pytest", "-c", "pytest.ini", *at_once, *tests], cwd=COPY / "tests", env=environment,
                              stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=TEST_S * max(1, len(tests) // 2))
    if done.returncode not in (0, 1):
        sys.exit(f"pytest itself failed ({done.returncode}): see {log}")
    return done.returncode == 0


def red(one):
    """The tests that said so."""
    lines = log_of(one.name).read_text().splitlines()
    names = [line.split(" ")[1].rpartition("::")[2] for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return ", ".join(sorted(set(names)))


def log_of(name):
    return COPY / "log" / f"{name}.log"


if __name__ == "__main__":
    main()
