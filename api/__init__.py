"""The REST API: what people do on the pages, programs do here. The same actions, the same roles, JSON."""
