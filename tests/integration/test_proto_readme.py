"""proto/README.md says what the sources say."""
import re

from support import proto_tables

# What a client or a worker of another language needs; a table that is not on the page cannot be wrong.
NEEDED = {
    "routes", "errors", "metrics", "kinds", "indexes", "events",
    "request media_store", "request hello_params", "request job_search", "request ticket",
    "answer accepted", "answer job_view", "answer task_view", "answer job_fault", "answer log_line", "answer scene_view",
    "answer worker_view", "answer queue_view", "answer readiness", "answer problem",
    "stored job", "stored task", "stored stop", "stored scene", "stored file_path", "stored worker_beat",
}


def page():
    return proto_tables.PAGE.read_text()


def column(name, number):
    lines = proto_tables.render(proto_tables.Proto(), name).splitlines()[2:]
    return [line.split(" | ")[number].strip("| `") for line in lines]


def test_tables_are_those_of_the_sources():
    assert proto_tables.differing(page()) == [], "tests/support/proto_tables.py --write prints them anew"


def test_no_table_is_missing():
    assert NEEDED - set(proto_tables.names_of(page())) == set()


def test_no_table_is_empty():
    assert [name for name, body in re.findall(r"<!-- table ([^>]+?) -->\n(.*?)<!-- end -->", page(), re.S) if len(body) < 20] == []


def test_every_word_of_the_sources_is_found():
    """The printer itself is checked: counts by another, cruder look at the sources."""
    def crude(pattern, *files):
        return set(re.findall(pattern, "\n".join((proto_tables.ROOT / file).read_text() for file in files)))
    assert set(column("errors", 0)) == crude(r'X\([A-Z_]+, "([^"]+)"', "proto/error.h")
    assert {path.split("`")[0] for path in column("routes", 1)} == crude(r'\.path = "([^"]+)"', "proto/route.c")
    metrics = crude(r'"(mediafleet_\w+)"', *(str(p.relative_to(proto_tables.ROOT)) for p in
                                             sorted(proto_tables.ROOT.glob("gateway/*.c"))))
    summed = {"mediafleet_worker_" + name for name in crude(r'SUM\("(\w+)"', "gateway/api_metrics.c")}
    assert set(column("metrics", 0)) == metrics - {"mediafleet_worker_"} | summed
    states = crude(r'"(\w+)"', "proto/job.c") & {"waiting", "queued", "running", "succeeded", "failed", "cancelled"}
    assert len(states) == 6 and all(f"`{state}`" in page() for state in states)


def test_a_difference_is_seen():
    changed = page().replace("| `job-finished` | 409 |", "| `job-finished` | 410 |")
    assert changed != page() and proto_tables.differing(changed) == ["errors"]


def test_names_in_prose_exist():
    """Words that look like a name on the wire, a variable or a file of ours are one."""
    prose = proto_tables.BLOCK.sub("", page())
    settings = (proto_tables.ROOT / "proto" / "settings.c").read_text()
    for name in set(re.findall(r"`((?:MEDIAFLEET|MEDIA|R2)_[A-Z_]+)`", prose)):
        assert f'"{name}"' in settings, name
    sources = proto_tables.source("proto/*.[ch]", "common/broker*.c")
    for name in set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", prose)):
        assert f'"{name}"' in sources, name
    for name in set(re.findall(r"`((?:proto|common|worker|gateway|tests)/[\w/]+\.(?:c|h|py))", prose)):
        assert (proto_tables.ROOT / name).is_file(), name
