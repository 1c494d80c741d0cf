"""Adapter for Microsoft Graph: reads mail of Exchange Online over HTTP and JSON.

- `source` implements the port `integrations.ports.Source`.
- `folders`, `changes`, `fallback_listing` and `fetch` read folders, changes and emails.
- `item_locations` finds the current folders of messages that a folder reports as removed.
- `rows` parses the properties that Graph lists for a message, without its content. `messages` caches these properties.
- `cursors` stores positions in the change tracking of Graph as cursors of the port.
- `connection` and `batches` send requests. `responses` maps error responses to the errors of the product.
- `service_checks` and `moves` check the service for `manage.py doctor`.
"""
