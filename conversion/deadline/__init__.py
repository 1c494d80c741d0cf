"""Conversion under a deadline, so that no email can block a process or delay other emails.

`in_process` converts in the current process, where a timer can interrupt Python code (`timer`). `child_process`
converts in a child process (`child`), where a timer cannot interrupt: in threads other than the main thread.
"""
