"""Adapter for Microsoft Graph: reads mail of Exchange Online over HTTP and JSON.

- `source` implements the port `integrations.ports.Source`.
- `folders`, `changes`, `around` and `fetch` read folders, changes and emails.
- `rows` parses what Graph lists of a message without its content.
- `cursors` stores positions in the change tracking of Graph.
- `connection` sends requests, and `refusals` maps error responses to the errors of the product.
"""
