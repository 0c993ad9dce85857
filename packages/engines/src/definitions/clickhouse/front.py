"""ClickHouse's HTTP interface in front of chDB, which is ClickHouse as a library: what its clients need, no more.

Called with the folder of the wheel, the data folder and the port. Every request has a connection of its own, so that
databases, settings and parameters of one are not another's. Answers are complete before they are sent.
"""

import gzip
import json
import os
import re
import signal
import sys
import tempfile
import threading
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

wheel, data, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path.insert(0, wheel)
# The package imports it for results that nobody asks for here.
sys.modules["pyarrow"] = types.SimpleNamespace(RecordBatchReader=object)
from chdb import _chdb  # noqa: E402

NOT_SETTINGS = {
    "buffer_size",
    "client_protocol_version",
    "compress",
    "database",
    "default_format",
    "enable_http_compression",
    "http_write_exception_in_output_format",
    "password",
    "query",
    "query_id",
    "quota_key",
    "role",
    "send_progress_in_http_headers",
    "http_headers_progress_interval_ms",
    "user",
    "wait_end_of_query",
}
INSERT_OF_DATA = re.compile(r"^(\s*INSERT\s.*?)\s*\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE | re.DOTALL)
INSERT_OF_VALUES = re.compile(r"^(\s*INSERT\s.*?)\s*\bVALUES\s*$", re.IGNORECASE | re.DOTALL)


class NotUnderstood(Exception):
    """In the words that clients of ClickHouse look for."""


def run(parameters, body):
    statement = parameters.get("query", "")
    given = [name for name in ("session_id", "decompress") if parameters.get(name, "0") != "0"]
    if given:
        raise NotUnderstood(f"Code: 48. DB::Exception: {given[0]} is not to be had from chDB. (NOT_IMPLEMENTED)")
    connection = _chdb.connect(data)
    file = None
    try:
        for name, value in parameters.items():
            if name not in NOT_SETTINGS and not name.startswith("param_"):
                connection.query(f"SET {identifier(name)} = {literal(value)}", "TSV", params={})
        if parameters.get("database"):
            connection.query(f"USE {identifier(parameters['database'])}", "TSV", params={})
        insert = INSERT_OF_DATA.match(statement) or INSERT_OF_VALUES.match(statement)
        if insert and body:
            # From a file, since data within a statement would have to be text, and would end at a semicolon.
            file = tempfile.NamedTemporaryFile(prefix="insert-", dir=os.path.join(data, "tmp"))
            file.write(body)
            file.flush()
            head, *form = insert.groups()
            form = form[0] if form else "Values"
            statement = f"{head} FROM INFILE {literal(file.name)} COMPRESSION 'none' FORMAT {form}"
        elif body:
            statement = f"{statement}\n{body.decode()}"
        bound = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
        return connection.query(statement, parameters.get("default_format", "TabSeparated"), params=bound)
    finally:
        if file:
            file.close()
        connection.close()


def identifier(name):
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        if urlsplit(self.path).path == "/ping":
            self.answer(200, b"Ok.\n")
        else:
            self.do_POST()

    def do_POST(self):
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if "X-ClickHouse-Database" in self.headers:
            parameters.setdefault("database", self.headers["X-ClickHouse-Database"])
        try:
            result = run(parameters, self.body())
            summary = {
                "read_rows": str(result.storage_rows_read()),
                "read_bytes": str(result.storage_bytes_read()),
                "elapsed_ns": str(int(result.elapsed() * 1e9)),
            }
            self.answer(
                200,
                result.bytes() or b"",
                {
                    "X-ClickHouse-Query-Id": parameters.get("query_id", ""),
                    "X-ClickHouse-Summary": json.dumps(summary),
                },
            )
        except (RuntimeError, NotUnderstood) as error:
            code = re.search(r"Code: (\d+)", str(error))
            headers = {"X-ClickHouse-Exception-Code": code.group(1)} if code else {}
            self.answer(400 if code else 500, f"{error}\n".encode(), headers)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            whole = b"".join(chunks)
        else:
            whole = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(whole) if self.headers.get("Content-Encoding") == "gzip" else whole

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """Not every request."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def wake_remover():
    """Lets DROP ... SYNC come to an end: chDB starts who removes dropped tables only if it finds some at its start."""
    connection = _chdb.connect(data)
    for statement in ("CREATE TABLE dropped (x Int8) ENGINE Memory", "DROP TABLE dropped"):
        connection.query(statement, "TSV", params={})
    connection.close()


wake_remover()
# Held for good: the engine ends with its last connection.
first = _chdb.connect(data)
os.makedirs(os.path.join(data, "tmp"), exist_ok=True)
server = Server(("127.0.0.1", port), Front)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
first.close()
