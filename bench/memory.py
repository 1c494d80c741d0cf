"""Benchmark: peak memory of a worker that syncs a mailbox with many small and some very large emails."""

from __future__ import annotations

from bench.stage import measured, serving

MAX_MB = 250
"""The limit for the peak memory, in MB."""


def run(small: int, large: int) -> int:
    """Print the figures. Return 1 if the peak exceeds `MAX_MB`, or if comments are missing; otherwise 0."""
    with serving(small, large) as given:
        sizes = given["bytes"]
        print(f"{small} emails of {sizes[0] / 1e3:.0f} kB and {large} of {sizes[1] / 1e6:.0f} MB ...", flush=True)
        figures = measured("bench.worker", given)
    total = small + large
    print(f"outcome        {figures['outcome']}, {figures['created']} of {total} comments created")
    print(
        f"time           {figures['seconds']:.0f} s, {total / figures['seconds']:.0f} emails/s from Exchange to Re:infer"
    )
    print(f"peak memory    {figures['peak_mb']:.0f} MB (limit: {MAX_MB} MB)")
    return int(figures["created"] != total or figures["peak_mb"] > MAX_MB)
