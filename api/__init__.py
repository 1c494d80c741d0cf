"""The REST API: it offers the actions of the pages to programs, with the same roles, in JSON.

Belongs here: URLs, views, serializers and errors of the API, and the API for Re:infer's client (`reinfer_compat`).
Does not belong here: what an action does (`operations`), and how a state is worded (`sync.reporting`).
"""
