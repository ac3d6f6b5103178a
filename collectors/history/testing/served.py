"""The embedded engine behind ClickHouse's HTTP interface: a server where none can be installed.

It has what clients of this program ask for: statements and rows in the body, settings of an
insertion in the address. Passwords and sessions, other settings and compression are passed over,
and there is one server, so that statements of a cluster are carried out here.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_INSERT = re.compile(rb"(?is)\s*(INSERT\s+INTO\s.*?)\s*FORMAT\s+(\w+)\s*?(?:\n(.*))?")
_FORMAT = re.compile(r"\sFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)")
_ON_CLUSTER = re.compile(r" ON CLUSTER '[^']*'")
_OF_INSERTS = (
    "insert_deduplicate",
    "insert_deduplication_token",
    "deduplicate_blocks_in_dependent_materialized_views",
)


@contextmanager
def served_history(directory: Path, port: int = 0) -> Iterator[str]:
    """Serve the engine in ``directory``; yield the server's address.

    A process has one embedded engine: none of another directory may be open in it meanwhile.

    Args:
        directory: Its data.
        port: Where on this host; 0 takes any that is free.
    """
    import chdb

    with closing(chdb.connect(str(directory))) as connection:
        engine, lock = connection, threading.Lock()

        class Handler(_Handler):
            def run(self, sql: str, fmt: str) -> bytes:
                with lock:
                    return bytes(engine.query(sql, fmt).bytes() or b"")

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            # Answers are not compressed, and rows are read as they come.
            yield f"http://127.0.0.1:{server.server_address[1]}/?compress=false"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def run(self, sql: str, fmt: str) -> bytes:
        """Run a statement; return the answer in a format."""
        raise NotImplementedError

    def do_POST(self) -> None:
        """Answer a statement, in the address or the body."""
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        try:
            self._reply(200, self._answer(asked, body))
        except RuntimeError as error:
            self._reply(500, str(error).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, asked: dict[str, str], body: bytes) -> bytes:
        statement = asked.get("query")
        whole = body if statement is None else f"{statement}\n".encode() + body
        insert = _INSERT.fullmatch(whole)
        if insert is not None and insert[3]:
            return self._insert(insert[1].decode(), insert[2].decode(), insert[3], asked)
        sql = _ON_CLUSTER.sub("", whole.decode())
        wanted = _FORMAT.search(sql)
        return self.run(sql, wanted[1] if wanted else "TabSeparated")

    def _insert(self, head: str, fmt: str, rows: bytes, asked: dict[str, str]) -> bytes:
        given = [f"{name} = '{asked[name]}'" for name in _OF_INSERTS if name in asked]
        settings = f"SETTINGS {', '.join(given)} " if given else ""
        with tempfile.NamedTemporaryFile() as file:
            file.write(rows)
            file.flush()
            return self.run(f"{head} FROM INFILE '{file.name}' {settings}FORMAT {fmt}", "Null")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        if status != 200:
            code = _CODE.search(content.decode(errors="replace"))
            self.send_header("X-ClickHouse-Exception-Code", code[1] if code else "1001")
        self.end_headers()
        self.wfile.write(content)
