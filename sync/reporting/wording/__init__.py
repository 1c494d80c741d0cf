"""Format values as text: times, counts and reasons, the same on pages, in the API and in notifications.

Functions that convert a value to a text belong here. The template filters that call them are in `web.templatetags`.
"""
