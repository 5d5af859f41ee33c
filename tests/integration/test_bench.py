"""The parts of tests/bench which could lie unnoticed: the client of a constant rate, how the table judges, what is called quality."""
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from media_pipeline import program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

import table  # noqa: E402
from figures import ladder  # noqa: E402
from sample import Sample  # noqa: E402

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
REQUEST = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers on one connection after the other what answer(number of the request) returns."""

    def __init__(self, answer):
        self.answer, self.count = answer, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                while connection.recv(65536):
                    self.count += 1
                    connection.sendall(self.answer(self.count))


@pytest.fixture
def rate_program(request):
    return program(request.config, "bench-rate")


@pytest.fixture
def server():
    servers = []

    def make(answer):
        servers.append(Server(answer))
        return servers[-1]

    yield make
    for one in servers:
        one.socket.close()


def run_rate(program, port, rate, seconds):
    done = subprocess.run([program, str(port), str(rate), str(seconds), "1"], input=REQUEST,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_stall_makes_what_waits_behind_it_late(server, rate_program):
    """One answer of 400 takes 500 ms; a client that counts from its own sending would see one late answer, and no p90."""
    def answer(number):
        if number == 100:
            time.sleep(0.5)
        return ANSWER

    told = run_rate(rate_program, server(answer).port, 200, 2)
    assert told["due"] == 400 and told["errors"] == 0
    assert told["max_ms"] >= 499
    assert told["p90_ms"] >= 250  # a fifth of all came due in the last 400 of those 500 ms


def test_server_that_is_too_slow_does_not_reach_the_rate(server, rate_program):
    def answer(_):
        time.sleep(0.02)
        return ANSWER

    told = run_rate(rate_program, server(answer).port, 100, 2)
    assert told["per_s"] <= 50
    assert told["p50_ms"] >= 500


@pytest.mark.parametrize("wrong", [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 202 Accepted\r\n\r\n", b"nonsense\r\n\r\n"])
def test_wrong_answers_are_errors(server, rate_program, wrong):
    told = run_rate(rate_program, server(lambda number: ANSWER if number % 2 else wrong).port, 50, 1)
    assert told["due"] == 50
    assert told["errors"] == 25


def figure(ours, peer, **options):
    return {"name": "x", "unit": "ms", "less": False, "goal": None, "floor": None, "limit": None, "cpu_goal": None,
            "mediafleet": ours, "peers": {"peer": peer}} | options


def test_ratios_are_formed_pair_by_pair():
    """The median of the ratios, not the ratio of the medians."""
    ours = [Sample(100.0), Sample(10.0), Sample(30.0)]
    peer = [Sample(10.0), Sample(5.0), Sample(1.0)]
    assert table.ratios(figure(ours, peer), "peer") == [10, 2, 30]
    assert table.ratios(figure(ours, peer, less=True), "peer") == [0.1, 0.5, 1 / 30]


@pytest.mark.parametrize("value, said", [(10, "goal 10: met"), (9, "goal 10: missed, floor 5: met"),
                                         (4, "goal 10: missed, floor 5: missed"),
                                         (0.5, "goal 10: missed, floor 5: missed; worse than the peer")])
def test_goal_and_floor(value, said):
    assert table.verdict(figure([Sample(value)], [Sample(1)], goal=10, floor=5), "peer") == said


@pytest.mark.parametrize("value, said", [(19.9, "below 20 ms: met"), (20, "below 20 ms: missed")])
def test_limit_is_of_our_own_value(value, said):
    assert table.verdict(figure([Sample(value)], [Sample(900)], less=True, limit=20), "peer") == said


def test_cpu_of_ones_own_is_judged_without_that_of_the_services():
    ours, peer = [Sample(1, cpu_ms=0.1, services_ms=0.9)], [Sample(1, cpu_ms=1.0, services_ms=1.0)]
    judged = figure(ours, peer, cpu_goal=10)
    assert table.cpu_verdict(judged, "peer") == "goal 10: met"
    assert table.cpu_ratios(judged, "peer") == [2]


def test_results_are_whole_although_a_figure_failed(tmp_path):
    results = {"machine": {"cores": 2}, "versions": {"wrk": "4"}, "pairs": 1, "figures": [figure([Sample(2)], [Sample(1)])],
               "tables": [{"title": "T", "columns": ["a"], "rows": [["1"]]}], "notes": ["A note."],
               "failed": [{"figure": "poll", "reason": "no answer"}]}
    table.write(results, tmp_path)
    text = (tmp_path / "bench.md").read_text()
    for line in ("| x | ms | 2 (2–2) | peer | 1 (1–1) | 2 (2–2) |  |", "| a |", "A note.", "**Failed: poll**: no answer"):
        assert line in text
    read = json.loads((tmp_path / "bench.json").read_text())
    assert read["figures"][0]["peers"]["peer"]["times_better"] == [2]
    assert read["failed"][0]["figure"] == "poll"


def test_quality_at_another_rate_lies_on_the_line_over_the_rates_logarithm():
    assert ladder.interpolated(2000, [(1000, 40.0), (4000, 44.0)]) == pytest.approx(42)
    assert ladder.interpolated(4000, [(1000, 40.0), (4000, 44.0)]) == pytest.approx(44)


def test_quality_row_compares_at_our_rate():
    """The peer had 1 % less than we; its quality counts as if it had as much."""
    row = next(ladder.quality_rows([1000.0] * 4, [(40.0, 0.98)] * 4, [[2000.0] * 4, [990.0] * 4], [[(45.0, 0.99)] * 4, [(39.9, 0.97)] * 4]))
    assert row[:6] == ["1080p", "1", "1", "40.00", "39.97", "+0.03"]


def test_peer_at_other_rates_is_the_same_script_else(tmp_path):
    script = ladder.pathlib.Path(__file__).resolve().parents[1] / "bench/peers/ffmpeg_ladder.sh"
    before = script.read_text().split()
    after = ladder.with_rates(script, [4, 3, 2, 1], tmp_path).read_text().split()
    assert [(a, b) for a, b in zip(before, after) if a != b] == [("4500k", "4"), ("2500k", "3"), ("1200k", "2"), ("700k", "1")]


def test_quality_is_that_of_the_same_frames(tmp_path):
    """Times differ, as they do between HLS and a file: frames are compared in their order."""
    def make(name, *arguments):
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *arguments, tmp_path / name], check=True, timeout=60)
        return tmp_path / name

    source = make("source.mkv", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=24:duration=1", "-c:v", "ffv1")
    same = make("same.mkv", "-i", source, "-c:v", "ffv1", "-vf", "setpts=PTS+0.08/TB")
    worse, worst = (make(f"{crf}.mp4", "-i", source, "-c:v", "libx264", "-crf", crf) for crf in ("23", "40"))
    assert ladder.quality(same, source, 128, 72) == (float("inf"), 1)
    assert 20 < ladder.quality(worst, source, 128, 72)[0] < ladder.quality(worse, source, 128, 72)[0] < 60
