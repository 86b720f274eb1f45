"""A git server over HTTP: git's own `http-backend` (CGI, RFC 3875) behind a server on loopback."""

from __future__ import annotations

import os
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.support.witnesses import Quiet


def git_server(root: Path) -> type[BaseHTTPRequestHandler]:
    """Serves the repositories below *root* to everybody, to fetch and to push."""

    class Git(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._run(b"")

        def do_POST(self) -> None:
            self._run(self.rfile.read(int(self.headers["Content-Length"])))

        def _run(self, body: bytes) -> None:
            done = subprocess.run(
                ["git", "http-backend"], env=_environment(self, root, len(body)), input=body,
                check=True, capture_output=True,
            )  # fmt: skip
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Git


def _environment(request: BaseHTTPRequestHandler, root: Path, length: int) -> dict[str, str]:
    path, _, query = request.path.partition("?")
    return {
        **os.environ,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.receivepack",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REQUEST_METHOD": request.command,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(length),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_ADDR": request.client_address[0],
    }
