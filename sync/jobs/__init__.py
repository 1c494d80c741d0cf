"""The jobs of the workers: sync, schedule, prune, verify, audit buckets, renew properties, monitor processes.

This package contains the body of each Celery task (`sync.tasks` only declares the tasks) and the state of a worker
process. Decisions without I/O are in `sync.engine`, queries of the sync state in `sync.store`, and the data and texts of
pages in `sync.reporting`.
"""
