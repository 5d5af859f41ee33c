"""The README's table of faults is printed from the tests, and they are all there."""
import table


def test_every_fault_says_what_holds():
    assert [test for _, fault, injected, holds, test in table.faults() if not (fault and injected and holds)] == []


def test_a_difference_is_seen():
    page = f"<!-- table faults -->\n{table.table(table.faults())}<!-- end -->"
    assert not table.differs(page) and table.differs(page.replace("| 3 |", "| 4 |", 1)) and table.differs("")


def test_a_marker_is_read():
    text = 'WORD = "app"\n@pytest.mark.fault(14, "broker | down", f"stop_{WORD}")\ndef test_x(rig):\n    """it <waits>.\n    Long.\n\n    More."""\n'
    (found,) = table.markers(text, "test_y.py")
    assert found == (14, "broker | down", "stop_app", "it <waits>. Long", "test_y.py::test_x")
    assert table.table([found]).endswith("| 14 | Broker \\| down | Stop_app | It &lt;waits>. Long |\n")
    assert 13 in table.uncovered([found]) and 14 not in table.uncovered([found])
