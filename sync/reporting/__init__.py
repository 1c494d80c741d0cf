"""Read-only queries and texts for pages, the API and monitoring: states, counts, alerts, progress, metrics, estimates.

Read-only queries and their texts, shared by pages, the API and commands, belong here. Writes are in `operations`, HTML
pages in `web`, and serializers in `api`.
"""
