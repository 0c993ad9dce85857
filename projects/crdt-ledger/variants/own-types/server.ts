/** Lets clients in, and wakes them when the log of their document has grown. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { DocumentId, Server, ServerConfig } from "../../contract.ts";
import { Bus } from "../../src/server/bus.ts";
import { Cursors } from "../../src/server/cursors.ts";
import { Database } from "../../src/server/database.ts";
import { Log } from "../../src/server/log.ts";
import { admit } from "../../src/server/tokens.ts";
import { CLOSED, Client } from "./client.ts";
import { Transactions } from "./transactions.ts";
import { Writer } from "./writer.ts";

export type Limits = ServerConfig["limits"];

/** About how much is read at a time, in bytes. */
const PAGE_BYTES = 64 * 1_024;
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
  const database = new Database(postgres, requestBudgetMs);
  const log = new Log(database, Math.min(PAGE_BYTES, Math.floor(limits.backlogBytes / 2)));
  const transactions = new Transactions(postgres, requestBudgetMs);
  const writer = new Writer(transactions, treasurer);
  const cursors = new Cursors(database, name);
  const clients = new Map<DocumentId, Set<Client>>();
  const on = (document: DocumentId) => clients.get(document) ?? new Set();
  const grown = (document: DocumentId) => {
    for (const client of on(document)) client.wake();
  };
  const bus = new Bus(postgres, requestBudgetMs, {
    documents: () => new Map([...clients].map(([document, those]) => [document, behind(those)])),
    grown,
    pointed: (payload) => {
      const told = cursors.read(payload);
      for (const client of on(told?.document ?? "")) if (told) client.tell(told.cursor);
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
    const client: Client = new Client(socket, {
      ...{ actor, document, limits, database, log, writer },
      grown: () => grown(document),
      pointed: (cursor) => {
        for (const other of on(document)) if (other !== client) other.tell(cursor);
        cursors.send(document, cursor);
      },
    });
    clients.set(document, on(document).add(client));
    const left = Math.min(until - Date.now(), MAX_TIMER_MS);
    const expiry = setTimeout(() => socket.close(CLOSED.stranger), left);
    socket.once("close", () => {
      clearTimeout(expiry);
      on(document).delete(client);
      if (on(document).size === 0) clients.delete(document);
    });
  };
  sockets.on("connection", (socket, request) => void welcome(socket, request.url ?? "/"));

  return {
    address: async () => `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`,
    compact: (document) => writer.compact(database.budget(), document),
    verifyLog: (document) => writer.verify(database.budget(), document),
    async close() {
      isClosing = true;
      sockets.close();
      await Promise.all(
        [...clients.values()].flatMap((those) => [...those].map((one) => one.settled())),
      );
      await Promise.all([...sockets.clients].map(goodbye));
      await bus.close();
      await Promise.all([transactions.close(), database.close()]);
    },
  };
}

/** Up to where all of them have been told. */
function behind(clients: ReadonlySet<Client>): number {
  const positions = [...clients].map(({ position }) => position).filter((at) => at !== null);
  return Math.min(...positions, Number.MAX_SAFE_INTEGER);
}

async function goodbye(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close(CLOSED.away);
  const late = setTimeout(() => socket.terminate(), GOODBYE_MS);
  await closed;
  clearTimeout(late);
}
