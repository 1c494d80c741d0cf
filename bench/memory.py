"""Peak memory of a worker over a mailbox of many small emails and some very large ones."""

from __future__ import annotations

from bench.stage import measured, serving

MOST_MB = 250


def run(small: int, large: int) -> int:
    """Print the figures; 1 when the worker took more memory than it may, or did not bring all mail over."""
    with serving(small, large) as given:
        sizes = given["bytes"]
        print(f"{small} emails of {sizes[0] / 1e3:.0f} kB and {large} of {sizes[1] / 1e6:.0f} MB ...", flush=True)
        figures = measured("bench.worker", given)
    total = small + large
    print(f"outcome        {figures['outcome']}, {figures['created']} of {total} comments created")
    print(
        f"time           {figures['seconds']:.0f} s, {total / figures['seconds']:.0f} emails/s from Exchange to Re:infer"
    )
    print(f"peak memory    {figures['peak_mb']:.0f} MB (bound: {MOST_MB} MB)")
    return int(figures["created"] != total or figures["peak_mb"] > MOST_MB)
