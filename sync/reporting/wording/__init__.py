"""Format values as text: times, counts and reasons, the same on pages, in the API and in notifications.

Belongs here: functions from a value to a text. The template filters that call them are in `web.templatetags`.
"""
