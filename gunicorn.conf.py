"""The configuration of gunicorn, which reads this file from the working directory: the command is just `gunicorn`.

Options on the command line take precedence, for example `gunicorn --bind 0.0.0.0:8000`. All other settings of the
product are in config/settings.py.
"""

import os

wsgi_app = "config.wsgi"
worker_class = "config.web_worker.WebWorker"
workers = 2
# There are more threads than slow clients are expected at the same time. A thread that waits for a client needs little
# memory and no database connection. config/request_limit.py limits the number of requests that are handled concurrently.
threads = 128
accesslog = "-"
# A worker shows that it is alive by changing the time of a file. With a file in memory it need not wait for a disk, and
# needs no writable disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # memory, not a shared file
# Since version 25.1, gunicorn creates a control socket in the home directory, which is read-only in a container. The
# product does not use the socket.
control_socket_disable = True
