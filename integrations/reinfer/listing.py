"""Which buckets a token may see: for an admin who chooses one instead of typing its name."""

from __future__ import annotations

from integrations.errors import ReinferUnintelligible
from integrations.reinfer.answers import payload
from integrations.reinfer.channel import Channel
from integrations.reinfer.endpoint import Endpoint


def list_buckets(endpoint: str, token: str, *, deadline: float, user_agent: str) -> list[tuple[str, str]]:
    """Project and name of each, sorted. `deadline`: seconds. Raises the errors that a sink raises."""
    channel = Channel(token, deadline=deadline, user_agent=user_agent)
    url = Endpoint.parse(endpoint).url("api", "v1", "sources")

    async def ask() -> list[tuple[str, str]]:
        sources = payload(await channel.exchange("GET", url)).get("sources")
        if not isinstance(sources, list):
            raise ReinferUnintelligible("a list of sources without sources")
        named = [(source.get("owner"), source.get("name")) for source in sources if isinstance(source, dict)]
        return sorted((owner, name) for owner, name in named if isinstance(owner, str) and isinstance(name, str))

    try:
        return channel.run(ask)
    finally:
        channel.close()
