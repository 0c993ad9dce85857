/** One of several servers: lets clients in, and keeps one room for each document that they are on. */
import { once } from "node:events";
import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { DocumentId, Server, ServerConfig } from "../../contract.ts";
import { Bus } from "./bus.ts";
import { type Backing, CLOSED, Connection } from "./connection.ts";
import { Cursors } from "./cursors.ts";
import { Database } from "./database.ts";
import { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { type Cursor, Room } from "./room.ts";
import { StoredDocument } from "./stored-document.ts";
import { type Admission, admit } from "./tokens.ts";

/** About how much is read from PostgreSQL at a time, in bytes. */
const PAGE_BYTES = 256 * 1_024;
/** How often to look whether clients are still there, in milliseconds. */
const PING_MS = 30_000;
/** How long a client may take to answer a goodbye, in milliseconds. */
const GOODBYE_MS = 1_000;
/** The longest time that a timer can be set to, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export async function startServer(config: ServerConfig): Promise<Server> {
  const metrics = new Metrics();
  const http = createServer(metrics.listener).listen(0, "127.0.0.1");
  const sockets = new WebSocketServer({ server: http, maxPayload: config.limits.frameBytes });
  await once(http, "listening");
  return new LedgerServer(config, http, sockets, metrics);
}

class LedgerServer implements Server {
  readonly #backing: Backing;
  readonly #http: HttpServer;
  readonly #sockets: WebSocketServer;
  readonly #cursors: Cursors;
  readonly #bus: Bus;
  readonly #rooms = new Map<DocumentId, Room>();
  readonly #connections = new Set<Connection>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;
  #closing = false;

  constructor(config: ServerConfig, http: HttpServer, sockets: WebSocketServer, metrics: Metrics) {
    const { postgres, requestBudgetMs, limits } = config;
    this.#http = http;
    this.#sockets = sockets;
    const database = new Database(postgres, requestBudgetMs);
    // In base64 a page is a third longer, and still no more than may wait.
    const log = new Log(database, Math.min(PAGE_BYTES, Math.floor(limits.backlogBytes / 2)));
    this.#backing = { config, database, log, metrics };
    metrics.gauge(
      "ledger_connections",
      "Clients that are connected.",
      () => this.#connections.size,
    );
    metrics.gauge(
      "ledger_documents",
      "Documents that somebody here is on.",
      () => this.#rooms.size,
    );
    this.#cursors = new Cursors(database, config.name);
    this.#bus = new Bus(postgres, requestBudgetMs, {
      documents: () =>
        new Map([...this.#rooms.values()].map((room) => [room.document, room.position])),
      grown: (document, upTo) => this.#rooms.get(document)?.grown(upTo),
      pointed: (payload) => {
        const told = this.#cursors.read(payload);
        if (told) this.#rooms.get(told.document)?.point(told.cursor);
      },
    });
    sockets.on("connection", (socket, request) => this.#welcome(socket, request));
    this.#pings = setInterval(() => this.#ping(), PING_MS);
  }

  async address(): Promise<string> {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  compact(document: DocumentId): Promise<number> {
    const stored = this.#rooms.get(document)?.stored ?? this.#stored(document);
    return stored.compact(this.#backing.database.budget());
  }

  verifyLog(document: DocumentId): Promise<number | null> {
    return this.#backing.log.verify(this.#backing.database.budget(), document);
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#pings);
    this.#sockets.close();
    this.#http.close();
    await Promise.all([...this.#connections].map((connection) => connection.settled()));
    await Promise.all([...this.#sockets.clients].map(goodbye));
    await this.#bus.close();
    await this.#backing.database.close();
  }

  async #welcome(socket: WebSocket, request: IncomingMessage): Promise<void> {
    // What breaks a connection closes it, and there is nothing else to do.
    socket.on("error", () => {});
    this.#alive.add(socket);
    socket.on("pong", () => this.#alive.add(socket));
    // What comes while the token is looked at is not to be lost.
    socket.pause();
    const admission = await admit(request.url ?? "/", this.#backing.config.secret);
    socket.resume();
    if (admission && !this.#closing) return this.#seat(socket, request.socket, admission);
    const code = admission ? CLOSED.away : CLOSED.stranger;
    this.#backing.metrics.closed(code);
    socket.close(code);
  }

  #seat(socket: WebSocket, stream: Socket, { actor, document, until }: Admission): void {
    const room = this.#room(document);
    const connection = new Connection(socket, stream, actor, room, this.#backing);
    this.#connections.add(connection);
    room.seats += 1;
    const left = Math.min(until - Date.now(), MAX_TIMER_MS);
    const expiry = setTimeout(() => connection.close(CLOSED.stranger), left);
    socket.once("close", () => {
      clearTimeout(expiry);
      this.#connections.delete(connection);
      room.connections.delete(connection);
      room.seats -= 1;
      if (room.seats === 0) this.#rooms.delete(document);
    });
  }

  #room(document: DocumentId): Room {
    const known = this.#rooms.get(document);
    if (known) return known;
    const pointed = (cursor: Cursor) => this.#cursors.send(document, cursor);
    const room = new Room(document, this.#stored(document), this.#backing, pointed);
    this.#rooms.set(document, room);
    return room;
  }

  #stored(document: DocumentId): StoredDocument {
    return new StoredDocument(this.#backing.log, document, this.#backing.config.treasurer);
  }

  /** A client whose machine has vanished closes nothing. */
  #ping(): void {
    for (const socket of this.#sockets.clients) {
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

/** Resolves when the connection is closed, by the other side or in the end by this one. */
async function goodbye(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close(CLOSED.away);
  const late = setTimeout(() => socket.terminate(), GOODBYE_MS);
  await closed;
  clearTimeout(late);
}
