/** Lets clients in, and wakes them when their board has grown. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { DocumentId, Server, ServerConfig } from "../../contract.ts";
import { Connection } from "./connection.ts";
import { Hints } from "./hints.ts";
import { Store } from "./store.ts";
import { admit, CLOSED } from "./wire.ts";
import { Writer } from "./writer.ts";

/** How long a client may take to answer a goodbye, in milliseconds. */
const GOODBYE_MS = 1_000;
/** The longest time that a timer can be set to, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export async function startServer(config: ServerConfig): Promise<Server> {
  const { name, treasurer, postgres, secret, requestBudgetMs, limits } = config;
  const sockets = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    maxPayload: limits.frameBytes,
  });
  await once(sockets, "listening");
  const store = new Store(postgres, requestBudgetMs);
  const writer = new Writer(store, treasurer);
  const connections = new Map<DocumentId, Set<Connection>>();
  const on = (document: DocumentId) => connections.get(document) ?? new Set<Connection>();
  const grown = (document: DocumentId) => {
    for (const connection of on(document)) connection.wake();
  };
  const hints = new Hints(postgres, name, requestBudgetMs, {
    boards: () => new Map([...connections].map(([document, all]) => [document, least(all)])),
    grown,
    pointed: (document, cursor) => {
      for (const connection of on(document)) connection.tell(cursor);
    },
  });
  let isClosing = false;

  const welcome = async (socket: WebSocket, path: string) => {
    socket.on("error", () => {});
    // What comes while the token is looked at is not to be lost.
    socket.pause();
    const admission = await admit(path, secret);
    socket.resume();
    if (!admission || isClosing) {
      socket.close(admission ? CLOSED.away : CLOSED.stranger);
      return;
    }
    const { actor, document, until } = admission;
    const connection: Connection = new Connection(socket, {
      ...{ actor, document, limits, store, writer },
      grown: () => grown(document),
      pointed: (cursor) => {
        for (const other of on(document)) if (other !== connection) other.tell(cursor);
        hints.point(document, cursor);
      },
    });
    connections.set(document, on(document).add(connection));
    const left = Math.min(until - Date.now(), MAX_TIMER_MS);
    const expiry = setTimeout(() => socket.close(CLOSED.stranger), left);
    socket.once("close", () => {
      clearTimeout(expiry);
      on(document).delete(connection);
      if (on(document).size === 0) connections.delete(document);
    });
  };
  sockets.on("connection", (socket, request) => void welcome(socket, request.url ?? "/"));

  return {
    address: async () => `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`,
    compact: (document) => writer.compact(document),
    verifyLog: (document) => writer.verify(document),
    async close() {
      isClosing = true;
      sockets.close();
      const all = [...connections.values()].flatMap((those) => [...those]);
      await Promise.all(all.map((connection) => connection.settled()));
      await Promise.all([...sockets.clients].map(goodbye));
      await hints.close();
      await store.close();
    },
  };
}

/** Up to where all of them have been told. */
function least(connections: ReadonlySet<Connection>): number {
  return Math.min(...[...connections].map(({ position }) => position));
}

async function goodbye(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close(CLOSED.away);
  const late = setTimeout(() => socket.terminate(), GOODBYE_MS);
  await closed;
  clearTimeout(late);
}
