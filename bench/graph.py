"""Emails per second out of Graph: one request for an email over several connections, beside batches, near and far away."""

from __future__ import annotations

from bench.stage import measured, serving


def run(mails: int) -> int:
    with serving(mails, 0) as given:
        figures = measured("bench.graph_fetcher", given)
    print("emails/s      at once      50 ms away")
    for way, speeds in figures.items():
        print(f"{way:14}" + "".join(f"{speed:8.0f}    " for speed in speeds))
    return 0
