"""Values as words for people: times, counts and reasons, the same on pages, in the API and in notifications.

Belongs here: functions from a value to a text. Template libraries that offer them to pages are in `web.templatetags`.
"""
