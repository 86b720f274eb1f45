"""Settings for a gunicorn whose workers are killed all the time: the program is loaded once.

A worker of `make run` takes more than a second to start; killed five times a second, none of them
would ever serve.
"""

from gevent import monkey

monkey.patch_all()
preload_app = True
worker_class = "gevent"
timeout = 30
control_socket_disable = True
loglevel = "error"
wsgi_app = "wsgi:app"
