"""The part of Re:infer's private API that its command-line client needs to manage integrations.

The views use the same documents and operations as our own API. docs/api.md lists the covered commands.
"""
