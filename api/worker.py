"""gunicorn's gevent worker, which sends head and body of a response together.

By itself it sends them one after the other: twice the system calls, and the client is woken twice.
`gunicorn --worker-class api.worker.Worker wsgi:app`; the application works with any other, too.
"""

from __future__ import annotations

from typing import Any

from gunicorn.workers.ggevent import GeventWorker

LONGEST_KEPT = 16_384


class Together:
    """A connection that keeps what is sent until there is enough of it, or until `flush`."""

    __slots__ = ("_kept", "_socket")

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._kept = b""

    def sendall(self, data: bytes) -> None:
        """Send *data*, soon."""
        self._kept += data
        if len(self._kept) > LONGEST_KEPT:
            self.flush()

    def flush(self) -> None:
        """Send what was kept."""
        kept, self._kept = self._kept, b""
        if kept:
            self._socket.sendall(kept)

    def __getattr__(self, name: str) -> Any:
        """All else that can be done with a connection, such as sending a file, comes after."""
        self.flush()
        return getattr(self._socket, name)


class Worker(GeventWorker):  # type: ignore[misc]
    """Serves as its parent does."""

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request of a connection that may bring more."""
        together = Together(sock)
        try:
            super().handle_request(listener_name, req, together, addr)
        finally:
            together.flush()
