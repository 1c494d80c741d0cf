"""Format values as text: times, counts and reasons. Pages, the API and notifications use the same texts.

Functions that convert a value to a text belong here. The template filters that call them are in `web.templatetags`.
"""
