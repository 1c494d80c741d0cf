"""Parsing of MIME: untrusted bytes to headers, text and a list of attachments. Pure."""
