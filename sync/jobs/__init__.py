"""What workers do: run a sync, schedule syncs, prune, verify, audit buckets, renew properties, watch processes.

Belongs here: the body of each Celery task (`sync.tasks` only names them), and what a worker knows of itself.
Does not: decisions over values (`sync.engine`), SQL of the sync's state (`sync.store`), pages and texts (`sync.reporting`).
"""
