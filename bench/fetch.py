"""Benchmark: emails per second that the EWS adapter and plain exchangelib fetch from the same mailbox."""

from __future__ import annotations

from bench.stage import measured, serving


def run(mails: int) -> int:
    with serving(mails, 0) as given:
        figures = measured("bench.fetcher", given)
    for name in ("stock", "ours"):
        print(f"{name:6} {figures[name]:8.0f} emails/s")
    print(f"ratio  {figures['ours'] / figures['stock']:8.1f}")
    return 0
