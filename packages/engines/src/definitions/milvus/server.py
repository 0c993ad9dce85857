"""Runs milvus-lite's server as it would itself, but on a port that is nobody else's, and for clients that ping.

Called with the folder of the wheels, the data folder and the port.
"""

import os
import signal
import sys
import threading
import types
from concurrent import futures

folder, data, port = sys.argv[1:]
sys.path.insert(0, folder)
# Of the client only what is generated from the protocol is needed; the package itself would import pandas.
client = types.ModuleType("pymilvus")
client.__path__ = [os.path.join(folder, "pymilvus")]
sys.modules["pymilvus"] = client

import grpc  # noqa: E402
from milvus_lite.adapter.grpc.servicer import MilvusServicer  # noqa: E402
from milvus_lite.db import MilvusLite  # noqa: E402
from pymilvus.grpc_gen import milvus_pb2_grpc  # noqa: E402

message_bytes = 256 << 20
database = MilvusLite(os.path.join(data, "milvus"))
server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=10),
    options=[
        ("grpc.max_receive_message_length", message_bytes),
        ("grpc.max_send_message_length", message_bytes),
        ("grpc.so_reuseport", 0),
        # The official Node client pings more often than gRPC's servers put up with.
        ("grpc.http2.max_ping_strikes", 0),
    ],
)
milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
try:
    server.add_insecure_port(f"127.0.0.1:{port}")
except RuntimeError as error:
    sys.exit(f"{error}: Address already in use")
asked = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: asked.set())
server.start()
asked.wait()
server.stop(grace=None).wait()
database.close()
