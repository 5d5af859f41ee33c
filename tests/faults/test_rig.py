"""The suite's own tools: what the injectors claim to do, they do."""
import time

import pytest
import requests

from support.processes import wait_until


def test_the_broker_is_reached_through_the_proxy(rig):
    job = rig.fleet.wait_job(rig.fleet.hello()["task_id"])
    assert job["state"] == "succeeded"
    assert rig.broker.passed["up"] > 0 and rig.store.passed["up"] > 0


def test_reset(rig):
    """Every connection to the broker is cut; the next job runs all the same."""
    assert rig.broker.reset() > 0
    assert rig.fleet.wait_job(rig.fleet.hello()["task_id"], 30)["state"] == "succeeded"
    assert rig.broker.fired["reset"] > 0


def test_own_program(rig):
    rig.fleet.scale("hello", 0)
    worker = rig.start("hello")
    job = rig.fleet.wait_job(rig.fleet.hello()["task_id"], 30)
    assert f".{worker.child()}." in job["tasks"][0]["worker"]
