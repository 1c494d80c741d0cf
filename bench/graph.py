"""Benchmark: emails per second from Graph by single requests over one, two and four connections, and by batch requests.

Both ways are measured without added latency, and with an added latency of 50 ms per single request and 12.5 ms per part of a
batch.
"""

from __future__ import annotations

from bench.stage import measured, serving


def run(mails: int) -> int:
    with serving(mails, 0) as given:
        figures = measured("bench.graph_fetcher", given)
    print("emails/s       no latency   50 ms latency")
    for way, speeds in figures.items():
        print(f"{way:14}" + "".join(f"{speed:8.0f}    " for speed in speeds))
    return 0
