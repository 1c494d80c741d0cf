"""Whose mailbox it is. A module of its own: what makes the emails holds megabytes that are not the worker's."""

ADDRESS = "desk@bank.example"
USERNAME, PASSWORD = "BANK\\svc", "secret"
