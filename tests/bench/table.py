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


def pairs(figure, peer):
    return zip(figure["mediafleet"], figure["peers"][peer])


def quotients(pairs):
    """Pair by pair; without what was not measured."""
    return [above / below for above, below in pairs if above is not None and below]


def ratios(figure, peer):
    """How many times better we are, pair by pair."""
    if figure["less"]:
        return quotients((other.value, ours.value) for ours, other in pairs(figure, peer))
    return quotients((ours.value, other.value) for ours, other in pairs(figure, peer))


def own_cpu_ratios(figure, peer):
    """How many times less CPU one unit takes in the side's own processes."""
    return quotients((other.cpu_ms, ours.cpu_ms) for ours, other in pairs(figure, peer))


def cpu_of(sample):
    return sample.cpu_ms and sample.cpu_ms + (sample.services_ms or 0)


def cpu_ratios(figure, peer):
    """The same with the services. On a machine shared with others these two are steadier than the time."""
    return quotients((cpu_of(other), cpu_of(ours)) for ours, other in pairs(figure, peer))


def judged(got, goal, floor):
    """The floor only where the goal is missed."""
    if got >= goal:
        return f"goal {number(goal)}: met"
    missed = f"goal {number(goal)}: missed"
    return missed if not floor else f"{missed}, floor {number(floor)}: {'met' if got >= floor else 'missed'}"


def verdict(figure, peer):
    """What was meant to be reached, and what came of it; and whether the peer is better."""
    parts, got = [], ratios(figure, peer)
    if figure["goal"] and got:
        parts.append(judged(statistics.median(got), figure["goal"], figure["floor"]))
    if figure["limit"]:
        below = statistics.median(sample.value for sample in figure["mediafleet"]) < figure["limit"]
        parts.append(f"below {number(figure['limit'])} {figure['unit']}: {'met' if below else 'missed'}")
    if got and statistics.median(got) < 0.98:
        parts.append("worse than the peer")
    return "; ".join(parts)


def cpu_verdict(figure, peer):
    got = own_cpu_ratios(figure, peer)
    return judged(statistics.median(got), figure["cpu_goal"], None) if figure["cpu_goal"] and got else ""


SPEED = ["figure", "unit", "mediafleet", "peer", "the peer's", "times better", "goal"]
USED = ["figure", "peer", "CPU ms each", "the peer's", "times less", "goal", "services' CPU ms each", "with the peer",
        "times less CPU in all", "peak MB", "the peer's"]


def column(samples, index):
    return spread([sample[index] for sample in samples])


def speed_rows(figure):
    ours = [figure["name"], figure["unit"], column(figure["mediafleet"], 0)]
    for peer, samples in figure["peers"].items():
        yield [*ours, peer, column(samples, 0), spread(ratios(figure, peer)), verdict(figure, peer)]
    if not figure["peers"]:
        yield [*ours, "", "", "", ""]


def used_rows(figure):
    ours = figure["mediafleet"]
    for peer, samples in figure["peers"].items():
        yield [figure["name"], peer, column(ours, 1), column(samples, 1), spread(own_cpu_ratios(figure, peer)), cpu_verdict(figure, peer),
               column(ours, 2), column(samples, 2), spread(cpu_ratios(figure, peer)), column(ours, 3), column(samples, 3)]
    if not figure["peers"]:
        yield [figure["name"], "", column(ours, 1), "", "", "", column(ours, 2), "", "", column(ours, 3), ""]


def was_used(figure):
    """Not where memory itself is the figure."""
    return any(sample.cpu_ms is not None or sample.peak_mb is not None for sample in figure["mediafleet"])


def markdown_table(title, columns, rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in [columns, ["---"] * len(columns), *rows]]
    return f"## {title}\n\n" + "\n".join(lines)


def listed(values):
    return ", ".join(f"{name} {value}" for name, value in values.items())


def rounds_told(results):
    """Some figures are measured more often than was asked for."""
    names = {}
    for figure in results["figures"]:
        if len(figure["mediafleet"]) != results["pairs"]:
            names.setdefault(len(figure["mediafleet"]), {})[figure["name"]] = True
    return "; ".join([f"{results['pairs']} rounds", *(f"{count} of {', '.join(found)}" for count, found in names.items())])


def markdown(results):
    parts = ["# mediafleet beside its peers",
             f"Median (range) of {rounds_told(results)}, both sides in turn; ratios are formed pair by pair.",
             f"Machine: {listed(results['machine'])}.", f"Versions: {listed(results['versions'])}."]
    figures = results["figures"]
    if figures:
        parts.append(markdown_table("Speed", SPEED, [row for figure in figures for row in speed_rows(figure)]))
    used = [row for figure in figures if was_used(figure) for row in used_rows(figure)]
    if used:
        parts.append(markdown_table("CPU and memory, of one unit", USED, used))
    parts += [markdown_table(table["title"], table["columns"], table["rows"]) for table in results["tables"]]
    parts += results["notes"]
    parts += [f"**Failed: {failed['figure']}**: {failed['reason']}" for failed in results["failed"]]
    return "\n\n".join(parts) + "\n"


def plain(results):
    """With names for the values of samples, and the ratios."""
    def named(samples):
        return [sample._asdict() for sample in samples]

    figures = [figure | {"mediafleet": named(figure["mediafleet"]),
                         "peers": {peer: {"samples": named(samples), "times_better": ratios(figure, peer),
                                          "times_less_own_cpu": own_cpu_ratios(figure, peer),
                                          "times_less_cpu_in_all": cpu_ratios(figure, peer), "verdict": verdict(figure, peer)}
                                   for peer, samples in figure["peers"].items()}} for figure in results["figures"]]
    return results | {"figures": figures}


def write(results, directory):
    """bench.md and bench.json in the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "bench.md").write_text(markdown(results))
    (directory / "bench.json").write_text(json.dumps(plain(results), indent=1) + "\n")
