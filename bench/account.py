"""Address and credentials of the benchmark mailbox.

They are not in `bench.mailbox`, because that module holds megabytes of email content, and its import would increase the
measured memory of a worker.
"""

ADDRESS = "desk@bank.example"
USERNAME, PASSWORD = "BANK\\svc", "secret"
