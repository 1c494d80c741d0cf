"""The jobs of the workers: sync, schedule, prune, verify, audit buckets, renew properties, monitor processes.

Contains the body of each Celery task (`sync.tasks` only declares the tasks) and the state of a worker process.
Does not contain decisions without I/O (`sync.engine`), queries of the sync state (`sync.store`), or pages and texts
(`sync.reporting`).
"""
