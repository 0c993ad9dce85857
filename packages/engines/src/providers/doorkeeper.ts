/**
 * Keeps the inner side of the doors of a server's own network, and that network alive.
 * Arguments: paths of Unix sockets, `<port>.door`.
 */
import { createServer } from "node:net";
import { basename } from "node:path";
import { TcpProxy } from "../proxy.ts";

for (const path of process.argv.slice(2)) {
  const door = createServer();
  TcpProxy.through(door, { host: "127.0.0.1", port: Number(basename(path, ".door")) });
  door.listen(path).ref();
}
