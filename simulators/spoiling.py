"""What a scripted fault does to the delivery of an answer, whatever it says: `hang` (seconds), `drip` (rate), `drop` (bytes),
`truncate` (bytes)."""

from __future__ import annotations

from dataclasses import replace

from simulators.faults import Rule
from simulators.http import Delivery, Response


def spoiled(rule: Rule, response: Response) -> Response:
    """The real answer, spoiled."""
    options = rule.options
    match rule.effect:
        case "hang":
            return replace(response, delivery=Delivery(hang=options["seconds"]))
        case "drip":
            return replace(response, delivery=Delivery(drip=options["rate"]), compress=False)
        case "drop":
            return replace(response, delivery=Delivery(drop_after=options["bytes"]), compress=False)
        case "truncate":
            return replace(response, body=response.body[: options["bytes"]])
    return response
