"""The sync of mailboxes: decisions (`engine`), state (`store`), work (`jobs`) and reports (`reporting`).

Belongs here: what happens between a change in a mailbox and a comment in Re:infer.
Does not: protocols (`integrations`), the text of a comment (`conversion`), what people may do (`operations`).
"""
