"""An HTTP server that answers AWS calls from a table in memory, as fast as it can.

Every contender of the cold start speaks to the same one, so that the network and the service weigh
the same for each.
"""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.memory import Table


@contextmanager
def serving(table: Table) -> Iterator[str]:
    """The address of a running stub."""

    class Handler(_Handler):
        """Answers from this table."""

    Handler.table = table
    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(socketserver.StreamRequestHandler):
    """One connection: requests one after another until the caller hangs up."""

    table: Table
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Read requests, write answers."""
        while self.rfile.readline():
            headers = self._headers()
            asked = json.loads(self.rfile.read(int(headers.get("content-length", "0"))))
            operation = headers["x-amz-target"].partition(".")[2]
            body = json.dumps(self.table.answer(operation, asked)).encode()
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + body)

    def _headers(self) -> dict[str, str]:
        found: dict[str, Any] = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            found[name.lower()] = value.strip()
        return found
