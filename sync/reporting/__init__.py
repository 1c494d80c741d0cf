"""Queries and texts for pages, the API, commands and monitoring: states, counts, alerts, progress, metrics, estimates.

Only `sync.reporting.standstill.announce` writes to the database. The other writes are in `operations` and `sync.jobs`,
HTML pages in `web`, and serializers in `api`.
"""
