"""Address and credentials of the benchmark mailbox.

They are not in `bench.mailbox`, because that module holds megabytes of email content. A worker that imported `bench.mailbox`
would use more memory, and the benchmark measures the memory of the worker.
"""

ADDRESS = "desk@bank.example"
USERNAME, PASSWORD = "BANK\\svc", "secret"
