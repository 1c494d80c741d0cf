"""Conversion under a deadline, so that no email can block a process or delay other emails.

`in_process` converts in the current process. It is used in the main thread, where a timer can interrupt Python code
(`timer`). `child_process` converts in a child process (`child`). It is used in other threads.
"""
