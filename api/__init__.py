"""The REST API in JSON. It offers programs the actions of the web pages, with the same roles.

Belongs here: URLs, views, serializers and errors of the API, and the API for Re:infer's client (`reinfer_compat`).
Does not belong here: the implementation of an action (`operations`), and the texts that describe a state
(`sync.reporting`).
"""
