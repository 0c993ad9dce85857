/**
 * y-websocket's server as its own `src/server.js` starts it, but on a port that is free, and on the `ws` that
 * our server uses: it brings one of 2019.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setupWSConnection } from "@y/websocket-server/utils";
import { WebSocketServer } from "ws";
import { serve } from "./child.ts";

const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
sockets.on("connection", (socket, request) => setupWSConnection(socket, request));
await once(sockets, "listening");
await serve(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
