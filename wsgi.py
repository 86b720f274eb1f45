"""Web entry: `gunicorn --worker-class gevent wsgi:app`, `flask --app wsgi …`."""

import gc

gc.disable()  # nothing of what is loaded here can go again: looking for it is a quarter of the time

from api.app import create_app  # noqa: E402
from verifier.mvote_verify import recount  # noqa: E402

app = create_app(recount=recount)

# What has been loaded stays: the collector need not look at it again. And requests leave hardly
# any cycles behind, so it may look for those less often than each few of them.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
gc.enable()
