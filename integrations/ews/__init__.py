"""Adapter for Exchange Web Services (EWS): the only package that imports exchangelib.

- `source` implements the port `integrations.ports.Source`.
- `folders`, `changes` and `fetch` read folders, changes and emails.
- `operations` adapts exchangelib's service classes for polling. `matching` and `mime_texts` read
  responses of these classes.
- `connection`, `protocol` and `credentials` make and keep the connection. `mailbox` and `versions` add what differs
  between the mailboxes of a connection.
- `errors`, `codes`, `responses` and `offers` map errors of Exchange and of the libraries to the errors of the product.
"""

import logging

# On errors, these libraries log whole values, headers and XML, at several levels. The product must not log such data.
for _name in ("exchangelib", "requests_ntlm", "spnego", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
