"""Each break of tests/sabotage still finds its line, and the tests that must find the break still exist."""
import pathlib
import re
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "sabotage"))

from breaks import BREAKS  # noqa: E402


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_break_applies(one):
    assert (TESTS.parent / one.file).read_text().count(one.old) == 1
    assert one.new != one.old
    for named in one.tests:
        file, _, test = named.partition("::")
        name = re.escape(test.partition("[")[0])
        assert not test or re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.M), named
