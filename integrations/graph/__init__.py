"""Adapter for Microsoft Graph: reads mail of Exchange Online over HTTP and JSON.

- `source` implements the port `integrations.ports.Source`.
- `folders`, `changes`, `around` and `fetch` read folders, changes and emails.
- `rows` parses the properties that Graph lists for a message, without its content.
- `cursors` stores positions in the change tracking of Graph as cursors of the port.
- `connection` sends requests, and `refusals` maps error responses to the errors of the product.
"""
