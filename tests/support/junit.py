"""Prints how many tests of a JUnit file passed, failed and were skipped."""
import sys
import xml.etree.ElementTree as ElementTree

counts = [0, 0, 0]
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    if case.find("failure") is not None or case.find("error") is not None:
        counts[1] += 1
    elif case.find("skipped") is not None:
        counts[2] += 1
    else:
        counts[0] += 1
print(*counts)
