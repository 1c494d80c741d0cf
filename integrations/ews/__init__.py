"""Adapter for Exchange Web Services (EWS): the only package that imports exchangelib.

- `source` implements the port `integrations.ports.Source`.
- `folders`, `changes` and `fetch` read folders, changes and emails.
- `operations` adapts exchangelib's service classes for polling.
- `connection`, `protocol` and `credentials` make and keep the connection.
- `errors`, `codes` and `responses` map errors of Exchange and of the libraries to the errors of the product.
"""

import logging

# On errors, exchangelib logs whole values, headers and XML at any level. None of that may be part of the product's log.
for _name in ("exchangelib", "requests_ntlm", "spnego", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
