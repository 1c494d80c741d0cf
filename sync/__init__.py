"""The sync of mailboxes: decisions (`engine`), state (`store`), work (`jobs`) and reports (`reporting`).

Belongs here: every step from a change in a mailbox to a comment in Re:infer. Does not belong here: protocols
(`integrations`), the text of a comment (`conversion`), actions of users (`operations`).
"""
