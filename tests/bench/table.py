"""The results as Markdown for people and as JSON for programs."""
import json
import statistics


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values):
    """Median and range."""
    values = [value for value in values if value is not None]
    if not values:
        return ""
    return f"{number(statistics.median(values))} ({number(min(values))}–{number(max(values))})"


def ratios(figure):
    """How many times better we are, pair by pair."""
    pairs = zip(figure["mediafleet"], figure["peer"])
    return [ours[0] / peer[0] if figure["higher"] else peer[0] / ours[0] for ours, peer in pairs]


def cpu_ratios(figure):
    """How many times less CPU one unit takes, that of the services included. On a machine shared with others this is
    steadier than the time."""
    pairs = zip(figure["mediafleet"], figure["peer"])
    return [(peer[1] + (peer[2] or 0)) / (ours[1] + (ours[2] or 0)) for ours, peer in pairs]


COLUMNS = ["figure", "unit", "mediafleet", "peer", "times better", "CPU ms each", "peer", "services' CPU ms each", "peer",
           "times less CPU in all", "peak MB", "peer"]


def column(samples, index):
    return spread([sample[index] for sample in samples])


def row(figure):
    ours, peer = figure["mediafleet"], figure["peer"]
    cells = [figure["name"], figure["unit"], column(ours, 0), column(peer, 0), spread(ratios(figure))]
    for index in (1, 2):
        cells += [column(ours, index), column(peer, index)]
    return [*cells, spread(cpu_ratios(figure)), column(ours, 3), column(peer, 3)]


def markdown_table(rows):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [rows[0], ["---"] * len(rows[0]), *rows[1:]])


def markdown(results):
    parts = []
    if results["figures"]:
        parts.append(markdown_table([COLUMNS, *map(row, results["figures"])]))
    if results["footprint"]:
        sizes = [[side, label, number(anon), number(rss)]
                 for side, programs in results["footprint"].items() for label, (anon, rss) in programs.items()]
        parts.append(markdown_table([["side", "idle process", "RssAnon MB", "VmRSS MB"], *sizes]))
    if results["ledger"]:
        lines = [[what, f"{units:,}", f"{seconds:.1f}", f"{units / seconds:,.0f}", number(peak)] for what, units, seconds, peak in results["ledger"]]
        parts.append(markdown_table([["ledger", "objects", "s", "objects/s", "peak MB"], *lines]))
    return "\n\n".join(parts + [f"Skipped: {reason}" for reason in results["skipped"]]) + "\n"


def write(results, directory):
    """bench.md and bench.json in the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "bench.md").write_text(markdown(results))
    (directory / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
