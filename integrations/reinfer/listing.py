"""List the buckets that a token can see, so that an admin can choose one instead of typing its name."""

from __future__ import annotations

from integrations.errors import ReinferUnintelligible
from integrations.reinfer.channel import Channel
from integrations.reinfer.endpoint import Endpoint
from integrations.reinfer.responses import payload


def list_buckets(endpoint: str, token: str, *, deadline: float, user_agent: str) -> list[tuple[str, str]]:
    """Return the buckets that a token can see.

    Args:
        endpoint: URL of the API endpoint.
        token: API token.
        deadline: Seconds for the whole call.
        user_agent: Value of the `User-Agent` header.

    Returns:
        Project and name of each bucket, sorted.

    Raises:
        IntegrationError: As in `ReinferSink.check`, or the response has no list of buckets.
    """
    channel = Channel(token, deadline=deadline, user_agent=user_agent)
    url = Endpoint.parse(endpoint).url("api", "v1", "sources")

    async def request() -> list[tuple[str, str]]:
        sources = payload(await channel.exchange("GET", url)).get("sources")
        if not isinstance(sources, list):
            raise ReinferUnintelligible("the response has no list of sources")
        names = [(source.get("owner"), source.get("name")) for source in sources if isinstance(source, dict)]
        return sorted((owner, name) for owner, name in names if isinstance(owner, str) and isinstance(name, str))

    try:
        return channel.run(request)
    finally:
        channel.close()
