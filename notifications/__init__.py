"""Telling others what happened: signed webhooks and e-mail, out of an outbox."""
