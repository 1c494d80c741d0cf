"""The Microsoft Graph adapter: mail of Exchange Online, by plain HTTP and JSON.

`source` implements the port; `folders`, `changes`, `around` and `fetch` read what it reports; `rows` are what Graph tells of a
message; `cursors` the places in its change tracking; `connection` and `refusals` are the way to it and what it refuses.
"""
