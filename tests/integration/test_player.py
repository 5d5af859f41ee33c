"""What is stored plays in a browser: hls.js in Chromium, every level from the first frame to the last."""
import pytest

import browser
import stored
from support.source import Source

SPEED = 2  # frames a second that a busy machine without a graphics card still shows
LEVELS = [(640, 360), (854, 480), (1280, 720)]  # as hls.js counts them
SECONDS, RATE = 8, 25


@pytest.fixture(scope="module")
def stage():
    assert browser.installed(), "Chromium or hls.js is missing: deploy/setup"
    stage = browser.Stage()
    yield stage
    stage.close()


def played(fleet, clips, stage):
    source = Source(fleet.source_ports[0])
    try:
        job = fleet.wait_job(fleet.store(source.serve_file(clips("hd.mp4")))["task_id"], 240)
        assert job["state"] == "succeeded", job
        return stage.play(stored.scene(fleet, job)["playlist_url"], SPEED, timeout=150)
    finally:
        source.close()


def check(results):
    assert [(one["width"], one["height"]) for one in results] == LEVELS, "hls.js offers every rendition"
    for one in results:
        assert not [error for error in one["errors"] if error["fatal"]], one
        assert one["ended"], one
        assert set(one["levels"]) == {one["level"]}, "the level that was forced, and no other"
        assert one["audio"] > 0, "the sound is a rendition of its own"
        assert one["frames"] >= 0.95 * SECONDS * RATE and one["corrupted"] == 0, one
        assert abs(one["duration"] - SECONDS) < 0.1, one


def test_local(make_fleet, clips, stage):
    """From a local directory through the gateway, on another origin than the page's."""
    fleet = make_fleet("player", settings={"MEDIAFLEET_CORS_ORIGINS": stage.origin})
    check(played(fleet, clips, stage))


def test_other_origins_are_refused(make_fleet, clips, stage):
    """A page of an origin that was not allowed sees nothing."""
    fleet = make_fleet("player-elsewhere", settings={"MEDIAFLEET_CORS_ORIGINS": "https://example.org"})
    (result,) = played(fleet, clips, stage)
    assert not result["ended"]
    assert {error["details"] for error in result["errors"]} == {"manifestLoadError"}
