"""What `compare` shows: tables of its measurements, and a chart."""

from __future__ import annotations

from collections.abc import Sequence

from . import chart, markdown
from .memory import Weight
from .throughput import Row


def throughput_table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """One line per test, depth and server, the ratio of CPU per operation against each peer on Ochre's line."""
    ours, peers = names[0], names[1:]
    header = ["test", "P", "server", "CPU us/op", *(f"vs {peer}" for peer in peers)]
    header += ["requests/s", "p50 ms", "p99 ms", "p99.9 ms"]
    lines = []
    for row in rows:
        for name in names:
            first = name == ours
            ratios = [markdown.ratio(row.cpu_us(ours), row.cpu_us(peer)) if first else "" for peer in peers]
            mark = "*" if row.generator_bound(name) else ""
            latencies = [f"{value / 1000:.3f}" for value in row.latency_us(name)]
            label = [row.test, str(row.pipeline)] if first else ["", ""]
            lines.append([*label, name, f"{row.cpu_us(name):.3f}", *ratios, f"{row.rps(name):,.0f}{mark}", *latencies])
    return markdown.table(header, lines)


def scaling_table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Requests per second for each number of workers, and the ratio of each to the first."""
    counts = list(dict.fromkeys(row.workers for row in rows))
    header = ["test", "P", "server", f"{counts[0]} worker(s)"]
    for workers in counts[1:]:
        header += [f"{workers} workers", f"vs {counts[0]}"]
    lines = []
    for test, pipeline in dict.fromkeys((row.test, row.pipeline) for row in rows):
        found = {row.workers: row for row in rows if (row.test, row.pipeline) == (test, pipeline)}
        for name in names:
            base = found[counts[0]].rps(name)
            cells = [f"{base:,.0f}"]
            for workers in counts[1:]:
                rps = found[workers].rps(name)
                cells += [f"{rps:,.0f}", markdown.ratio(rps, base)]
            lines.append([*([test, str(pipeline)] if name == names[0] else ["", ""]), name, *cells])
    return markdown.table(header, lines)


def memory_table(weights: Sequence[Weight], names: Sequence[str]) -> str:
    """Bytes per key: used_memory / resident set."""
    header = ["bytes per key: used_memory / resident", "keys", *names, *(f"vs {peer}" for peer in names[1:])]
    lines = []
    for case, keys in dict.fromkeys((weight.case, weight.keys) for weight in weights):
        found = {weight.server: weight for weight in weights if (weight.case, weight.keys) == (case, keys)}
        cells = [f"{found[name].used:.1f} / {found[name].rss:.1f}" for name in names]
        ours = found[names[0]]
        pairs = [
            f"{markdown.ratio(ours.used, found[peer].used)} / {markdown.ratio(ours.rss, found[peer].rss)}"
            for peer in names[1:]
        ]
        lines.append([case, f"{keys:,}", *cells, *pairs])
    return markdown.table(header, lines)


def drawing(rows: Sequence[Row], names: Sequence[str]) -> str:
    """CPU per operation as a share of the first peer's (of the largest when there is none)."""
    groups = []
    for row in rows:
        base = row.cpu_us(names[1] if len(names) > 1 else names[0]) or 1.0
        workers = f", {row.workers}w" if len({other.workers for other in rows}) > 1 else ""
        values = [row.cpu_us(name) / base for name in names]
        texts = [f"{row.cpu_us(name):.3f} us" for name in names]
        groups.append(chart.Group(f"{row.test}, P={row.pipeline}{workers}", values, texts))
    base_name = names[1] if len(names) > 1 else names[0]
    return chart.bars(f"Server CPU per operation ({base_name} = 1, shorter is better)", names, groups)
