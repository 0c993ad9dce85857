"""Qdrant's REST interface in front of qdrant-edge, which is Qdrant's engine as a library; after `translations.py`.

Called with the folder of the wheel, the data folder and the port. What the front does not know is refused with status
501, never left out of account. Every collection is a folder: its shard, and `collection.json`, as it was asked for.
"""

import json
import re
import shutil
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Collection:
    """Changes come one at a time; whoever searches doesn't wait for them."""

    def __init__(self, name, body=None):
        self.folder = os.path.join(data, name)
        described = os.path.join(self.folder, "collection.json")
        shard = os.path.join(self.folder, "shard")
        self.turn = threading.Lock()
        self.changed = threading.Event()
        self.busy = False
        self.over = False
        if body is None:
            with open(described) as file:
                self.body = json.load(file)
            self.shard = edge.EdgeShard.load(shard)
        else:
            self.body = body
            config = self.config(body)
            shutil.rmtree(self.folder, ignore_errors=True)
            os.makedirs(shard)
            self.shard = edge.EdgeShard.create(shard, config)
            with open(f"{described}.new", "w") as file:
                json.dump(body, file)
            os.rename(f"{described}.new", described)
        threading.Thread(target=self.optimise, daemon=True).start()

    @staticmethod
    def config(body):
        plain_ones = ("shard_number", "replication_factor", "write_consistency_factor")
        parts = known(body, "vectors", "sparse_vectors", "hnsw_config", "optimizers_config", "on_disk_payload", *plain_ones)
        if any(parts[name] not in (None, 1) for name in plain_ones):
            raise Refused(501, "Not implemented: qdrant-edge has one shard, once")
        optimizers = known(parts["optimizers_config"] or {}, "indexing_threshold", "default_segment_number", "max_segment_size")
        sparse = {name: edge.EdgeSparseVectorParams() for name in parts["sparse_vectors"] or {} if not known(parts["sparse_vectors"][name] or {})}
        return edge.EdgeConfig(
            vectors=vectors_of(parts["vectors"]),
            wal_enabled=True,
            **given(
                sparse_vectors=sparse or None,
                hnsw_config=hnsw_of(parts["hnsw_config"]),
                on_disk_payload=parts["on_disk_payload"],
                optimizers=edge.EdgeOptimizersConfig(**given(**optimizers)),
            ),
        )

    def update(self, operation):
        with self.turn:
            self.shard.update(operation)
            self.busy = True
        self.changed.set()
        return {"operation_id": 0, "status": "completed"}

    def optimise(self):
        """Builds indexes once nothing has changed for a moment; the library does so only when it is told to."""
        while True:
            self.changed.wait()
            while self.changed.is_set():
                self.changed.clear()
                time.sleep(0.05)
            with self.turn:
                if self.over:
                    return
                while self.shard.optimize():
                    pass
                self.busy = self.changed.is_set()

    def info(self):
        info = self.shard.info()
        schema = {
            name: {"data_type": str(index.data_type).split(".")[-1].lower(), "points": index.points}
            for name, index in info.payload_schema.items()
        }
        own = {name: value for name, value in self.body.items() if name in ("vectors", "sparse_vectors", "on_disk_payload")}
        hnsw = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, **(self.body.get("hnsw_config") or {})}
        return {
            "status": "yellow" if self.busy else "green",
            "optimizer_status": "ok",
            "points_count": info.points_count,
            "indexed_vectors_count": info.indexed_vectors_count,
            "segments_count": info.segments_count,
            "config": {
                "params": {"shard_number": 1, "replication_factor": 1, **own},
                "hnsw_config": hnsw,
                "optimizer_config": self.body.get("optimizers_config") or {},
            },
            "payload_schema": schema,
        }


collections = {}
NAME = re.compile(r"^[A-Za-z0-9_.-]{1,200}$")


def collection(name):
    if name not in collections:
        raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
    return collections[name]


def create(name, body):
    if not NAME.match(name) or name.startswith("."):
        raise Refused(422, f"Wrong input: {name} is not a name of letters, digits, _, - and .")
    if name in collections:
        raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
    collections[name] = Collection(name, body)
    return True


def drop(name, _body):
    if name not in collections:
        return False
    gone = collections.pop(name)
    with gone.turn:
        gone.over = True
        gone.changed.set()
        gone.shard.close()
        # First what says that it is one, should this be interrupted.
        os.remove(os.path.join(gone.folder, "collection.json"))
        shutil.rmtree(gone.folder)
    return True


def upsert(name, body):
    points = known(body, "points")["points"]
    made = [
        edge.Point(point["id"], vector_of(point["vector"]), point.get("payload"))
        for point in points
        if known(point, "id", "vector", "payload")
    ]
    return collection(name).update(edge.UpdateOperation.upsert_points(made))


def delete(name, body):
    parts = known(body, "points", "filter")
    if parts["points"] is not None:
        return collection(name).update(edge.UpdateOperation.delete_points(parts["points"]))
    return collection(name).update(edge.UpdateOperation.delete_points_by_filter(filter_of(parts["filter"])))


def payload(way):
    """`set_payload` and the like, each for points by id and by filter."""

    def change(name, body):
        what = ("keys",) if way == "delete_payload" else ("payload", "key")
        parts = known(body, "points", "filter", *what)
        values = [parts[each] for each in what]
        if parts["points"] is not None:
            operation = getattr(edge.UpdateOperation, way)(parts["points"], *values)
        else:
            operation = getattr(edge.UpdateOperation, f"{way}_by_filter")(filter_of(parts["filter"]), *values)
        return collection(name).update(operation)

    return change


def retrieve(name, body):
    parts = known(body, "ids", "with_payload", "with_vector")
    found = collection(name).shard.retrieve(parts["ids"], selection(parts, "with_payload", True), selection(parts, "with_vector", False))
    return [point_of(point) for point in found]


def selection(parts, name, otherwise):
    value = otherwise if parts[name] is None else parts[name]
    if not isinstance(value, (bool, list)):
        raise Refused(501, f"Not implemented: such a {name} is not to be had from qdrant-edge")
    return value


def scroll(name, body):
    parts = known(body, "limit", "offset", "filter", "with_payload", "with_vector")
    points, following = collection(name).shard.scroll(
        edge.ScrollRequest(
            limit=parts["limit"] or 10,
            with_payload=selection(parts, "with_payload", True),
            with_vector=selection(parts, "with_vector", False),
            **given(offset=parts["offset"], filter=filter_of(parts["filter"])),
        )
    )
    beyond = following if following is None or isinstance(following, int) else str(following)
    return {"points": [point_of(point) for point in points], "next_page_offset": beyond}


def count(name, body):
    filter = filter_of(known(body, "filter", "exact")["filter"])
    return {"count": collection(name).shard.count(edge.CountRequest(True, **given(filter=filter)))}


def query(name, body):
    parts = known(
        body, "query", "using", "filter", "params", "score_threshold", "limit", "offset", "with_payload", "with_vector"
    )
    wanted = parts["query"]
    if isinstance(wanted, dict) and wanted.keys() == {"nearest"}:
        wanted = wanted["nearest"]
    if not isinstance(wanted, (list, dict)) or isinstance(wanted, dict) and wanted.keys() != {"indices", "values"}:
        raise Refused(501, "Not implemented: only nearest points to a vector are to be had from qdrant-edge")
    params = known(parts["params"] or {}, "hnsw_ef", "exact", "indexed_only")
    found = collection(name).shard.query(
        edge.QueryRequest(
            10 if parts["limit"] is None else parts["limit"],
            query=edge.Query.Nearest(vector_of(wanted), parts["using"]),
            with_payload=selection(parts, "with_payload", False),
            with_vector=selection(parts, "with_vector", False),
            params=edge.SearchParams(**given(**params)),
            **given(offset=parts["offset"], score_threshold=parts["score_threshold"], filter=filter_of(parts["filter"])),
        )
    )
    return {"points": [point_of(point, version=point.version, score=point.score) for point in found]}


def search(name, body):
    vector = body.get("vector")
    named = isinstance(vector, dict) and "name" in vector
    asked = {"query": vector["vector"] if named else vector, **({"using": vector["name"]} if named else {})}
    return query(name, {**{key: value for key, value in body.items() if key != "vector"}, **asked})["points"]


def index(name, body):
    parts = known(body, "field_name", "field_schema")
    schema = parts["field_schema"]
    if isinstance(schema, dict):
        schema = known(schema, "type")["type"]
    kind = getattr(edge.PayloadSchemaType, schema.capitalize())
    return collection(name).update(edge.UpdateOperation.create_field_index(parts["field_name"], kind))


ROUTES = {
    "PUT /collections/*": create,
    "DELETE /collections/*": drop,
    "GET /collections/*": lambda name, _: collection(name).info(),
    "GET /collections/*/exists": lambda name, _: {"exists": name in collections},
    "PUT /collections/*/index": index,
    "PUT /collections/*/points": upsert,
    "POST /collections/*/points": retrieve,
    "POST /collections/*/points/delete": delete,
    "POST /collections/*/points/payload": payload("set_payload"),
    "PUT /collections/*/points/payload": payload("overwrite_payload"),
    "POST /collections/*/points/payload/delete": payload("delete_payload"),
    "POST /collections/*/points/scroll": scroll,
    "POST /collections/*/points/count": count,
    "POST /collections/*/points/query": query,
    "POST /collections/*/points/search": search,
}


def answer(method, path, body):
    if path == "/collections":
        return {"collections": [{"name": name} for name in list(collections)]}
    _, _, name, *rest = path.split("/") if path.startswith("/collections/") else ["", "", ""]
    route = ROUTES.get("/".join([f"{method} /collections/*", *rest]))
    if not route:
        raise Refused(501, f"Not implemented: {method} {path} is not to be had from qdrant-edge")
    return route(unquote(name), body)


# Not Qdrant's: ends all other connections, and answers when they are.
QUIET = "/kata/quiet"


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_any(self):
        begun = time.perf_counter()
        path = urlsplit(self.path).path
        try:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if path == QUIET:
                self.send(200 if self.server.falls_quiet(self.request, seconds=5) else 503, {"status": "ok"})
            elif path == "/":
                self.send(200, {"title": "qdrant-edge behind a front, not Qdrant", "version": "0.9.0"})
            else:
                result = answer(self.command, path, json.loads(raw) if raw else {})
                self.send(200, {"result": result, "status": "ok", "time": time.perf_counter() - begun})
        except Refused as error:
            self.send(error.status, {"status": {"error": str(error)}, "time": 0})
        except Exception as error:  # The library's own, and what a body lacks: the request's fault.
            self.send(400, {"status": {"error": f"Wrong input: {error!r}"}, "time": 0})

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any

    def send(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    def log_message(self, *_):
        """Not every request."""


class Server(ThreadingHTTPServer):
    """Keeps its connections: behind one that its client has closed, a request may still be under way."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args):
        super().__init__(*args)
        self.changed = threading.Condition()
        self.connections = set()

    def process_request(self, request, address):
        # In the order in which they came.
        with self.changed:
            self.connections.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.changed:
            self.connections.discard(request)
            self.changed.notify_all()

    def falls_quiet(self, asking, seconds):
        """Lets the others finish what they have asked for. Whether they have, within that time."""
        with self.changed:
            for each in self.connections - {asking}:
                try:
                    each.shutdown(socket.SHUT_RD)
                except OSError:
                    pass  # It is closed already.
            return self.changed.wait_for(lambda: self.connections <= {asking}, seconds)


os.makedirs(data, exist_ok=True)
for name in os.listdir(data):
    # One without was being made, or removed, when the server was killed.
    if os.path.exists(os.path.join(data, name, "collection.json")):
        collections[name] = Collection(name)
server = Server(("127.0.0.1", port), Front)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
for each in collections.values():
    with each.turn:
        each.shard.close()
