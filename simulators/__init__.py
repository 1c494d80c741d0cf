"""An Exchange, a Microsoft Graph and a Re:infer over real HTTP, strict on purpose: a fault of our client must fail here."""
