"""The endpoints of Re:infer's private API that Re:infer's command-line client needs to manage integrations.

The views use the same documents and operations as our own API. docs/api.md lists the supported commands.
"""
