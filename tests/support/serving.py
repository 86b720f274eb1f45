"""The city behind a real socket: the web server and the worker of `make run`, as processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event

from ops.children import Child, Interrupts
from ops.run import await_ready, services
from tests.support.city import City


class Nobody(Interrupts):
    """In the place of the person who may press Ctrl-C."""

    def __init__(self) -> None:
        self._wished = Event()


@contextmanager
def served(city: City) -> Iterator[str]:
    """The address of gunicorn with our worker, serving *city*; the background worker beside it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | city.environment() | {"PUBLIC_URL": city.settings.public_url}
    with ExitStack() as started:
        children = []
        for name, words in services(port, web_workers=1).items():
            log = city.settings.var / "log" / f"{name}.log"
            children.append(Child.start(name, words, log, environment))
            started.callback(children[-1].stop)
        await_ready(address, children, Nobody())
        yield address


def free_port() -> int:
    """One that nobody listens at, and that the system gives to nobody who asks for any.

    Processes begin to look at different ones: what is free must stay so until it is listened at.
    """
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
