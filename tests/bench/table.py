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


def ratios(figure, peer):
    """How many times better we are, pair by pair."""
    pairs = zip(figure["mediafleet"], figure["peers"][peer])
    return [other.value / ours.value if figure["less"] else ours.value / other.value for ours, other in pairs]


def cpu_of(sample):
    return sample.cpu_ms and sample.cpu_ms + (sample.services_ms or 0)


def cpu_ratios(figure, peer):
    """How many times less CPU one unit takes, that of the services included. On a machine shared with others this is
    steadier than the time."""
    pairs = zip(figure["mediafleet"], figure["peers"][peer])
    return [cpu_of(other) / cpu_of(ours) for ours, other in pairs if cpu_of(ours) and cpu_of(other)]


def verdict(figure, peer):
    """Goal, and what came of it; the floor only where the goal is missed."""
    if not figure["goal"]:
        return ""
    got = statistics.median(ratios(figure, peer))
    for name in ("goal", "floor"):
        if figure[name] and got >= figure[name]:
            return f"{name} {number(figure[name])}: met"
    return f"goal {number(figure['goal'])}: missed"


COLUMNS = ["figure", "unit", "mediafleet", "peer", "it", "times better", "goal", "CPU ms each", "peer", "services' CPU ms each",
           "peer", "times less CPU in all", "peak MB", "peer"]


def column(samples, index):
    return spread([sample[index] for sample in samples])


def row(figure, peer):
    ours, other = figure["mediafleet"], figure["peers"][peer]
    cells = [figure["name"], figure["unit"], column(ours, 0), peer, column(other, 0), spread(ratios(figure, peer)),
             verdict(figure, peer)]
    for index in (1, 2):
        cells += [column(ours, index), column(other, index)]
    return [*cells, spread(cpu_ratios(figure, peer)), column(ours, 3), column(other, 3)]


def lone_row(figure):
    ours = figure["mediafleet"]
    return [figure["name"], figure["unit"], column(ours, 0), *[""] * 4, column(ours, 1), "", column(ours, 2), "", "",
            column(ours, 3), ""]


def rows(figures):
    for figure in figures:
        if not figure["peers"]:
            yield lone_row(figure)
        for peer in figure["peers"]:
            yield row(figure, peer)


def markdown_table(rows):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [rows[0], ["---"] * len(rows[0]), *rows[1:]])


def markdown(results):
    parts = []
    if results["figures"]:
        parts.append(markdown_table([COLUMNS, *rows(results["figures"])]))
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
