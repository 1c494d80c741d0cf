"""Scripted faults that affect how a response is sent.

- `hang` (seconds): the response is sent after this time.
- `drip` (rate): the body is sent at this number of bytes per second.
- `drop` (bytes): the connection closes after this number of bytes of the body; 0: nothing is sent.
- `truncate` (bytes): the response has only this number of bytes of the body. The Content-Length is the truncated length.
"""

from __future__ import annotations

from dataclasses import replace

from simulators.faults import Rule
from simulators.http import Delivery, Response


def with_delivery_fault(rule: Rule, response: Response) -> Response:
    """The response with the effect of the rule; unchanged if the rule has another effect."""
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
