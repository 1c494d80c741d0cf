"""Converting an email under a deadline, so that no email can block a process or stop its neighbours.

`bounded` is what the rest of the product calls. It converts in this process where a timer can interrupt Python (`here`,
`deadline`), and in a child process where it cannot (`apart`, `child`).
"""
