"""How the pages are served: gunicorn reads this file where it starts, so `gunicorn` alone is the whole command.

An option on the command line takes precedence, for example `gunicorn --bind 0.0.0.0:8000`. Every other setting of the
product is in config/settings.py.
"""

import os

wsgi_app = "config.wsgi"
worker_class = "config.web_worker.WebWorker"
workers = 2
# More than the clients that one expects to be slow at once: while a thread waits for one of them it needs little memory and no
# database. How many requests are worked on at once is said in config/turns.py.
threads = 128
accesslog = "-"
# A worker tells that it lives by touching a file. In memory this never waits for a disk, and works where no
# disk can be written.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # memory, not a shared file
# Since version 25.1 gunicorn opens a socket for remote control in the home directory, which a container cannot write
# to. Nothing here uses it.
control_socket_disable = True
