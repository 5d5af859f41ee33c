"""One measurement of one side."""
import typing


class Sample(typing.NamedTuple):
    value: float
    cpu_ms: float | None = None  # of the side's own processes, for each unit
    services_ms: float | None = None  # of the services behind it, for each unit
    peak_mb: float | None = None
