/**
 * The least that a server does which keeps two of the contract's promises and no other: each change is a row in
 * PostgreSQL, with a hash over it and those before it, before anybody hears of it, and nobody is sent his own.
 * It believes all that it is told, looks at nothing, forgets what it sent, and lets everybody in. So it says what
 * storing first leaves of any server's rate; nobody is to use it. Arguments: PostgreSQL's address.
 */
import { hash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import pg from "pg";
import { type WebSocket, WebSocketServer } from "ws";
import type { ClientFrame, ServerFrame, WireChange } from "../../contract.ts";
import { serve } from "./child.ts";

interface Push {
  readonly from: WebSocket;
  readonly id: number;
  readonly changes: readonly WireChange[];
}

const HASH_BYTES = 32;
/** No index but the one that finds a document's rows, and bytes that come as one: PostgreSQL is quickest so. */
const SCHEMA = `CREATE TEMPORARY TABLE rows (
  position bigint PRIMARY KEY, actor text NOT NULL, seq integer NOT NULL, bytes bytea NOT NULL, hash bytea NOT NULL
)`;
const STORE = `INSERT INTO rows SELECT $1::bigint + o.i, o.actor, o.seq,
  substring($2::bytea FROM o.at FOR o.length), substring($3::bytea FROM ${HASH_BYTES} * o.i::integer - ${HASH_BYTES - 1} FOR ${HASH_BYTES})
  FROM unnest($4::text[], $5::integer[], $6::integer[], $7::integer[])
    WITH ORDINALITY AS o (actor, seq, at, length, i)`;

const HEAD = Buffer.from('{"type":"changes","changes":[');
const TAIL = Buffer.from("]}");

const [postgres = ""] = process.argv.slice(2);
const database = new pg.Client(postgres);
// Who measures ends PostgreSQL as well, and perhaps first.
database.on("error", () => {});
await database.connect();
await database.query(SCHEMA);
const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
const streams = new Map<WebSocket, Socket>();
let pushes: Push[] = [];
let isStoring = false;
let position = 0;
let head = Buffer.alloc(0);
sockets.on("connection", (socket, { socket: stream }) => {
  streams.set(socket, stream);
  socket.on("error", () => {}).on("close", () => streams.delete(socket));
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data)) as ClientFrame;
    if (frame.type === "hello") socket.send(written({ type: "synced" }));
    if (frame.type !== "push") return;
    pushes.push({ from: socket, id: frame.id, changes: frame.changes });
    if (!isStoring) {
      isStoring = true;
      setImmediate(store);
    }
  });
});
await once(sockets, "listening");
await serve(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`);

async function store(): Promise<void> {
  const batch = pushes;
  pushes = [];
  const changes = batch.flatMap((push) => push.changes);
  const bytes = changes.map((change) => Buffer.from(change.bytes, "base64"));
  const starts: number[] = [];
  const hashes: Buffer[] = [];
  let start = 1;
  for (const [i, { actor, seq }] of changes.entries()) {
    const row = Buffer.from(`${position + i + 1} ${actor} ${seq} `);
    head = hash("sha256", Buffer.concat([head, row, bytes[i] as Buffer]), "buffer");
    hashes.push(head);
    starts.push(start);
    start += bytes[i]?.length ?? 0;
  }
  const values = [
    position,
    Buffer.concat(bytes),
    Buffer.concat(hashes),
    changes.map(({ actor }) => actor),
    changes.map(({ seq }) => seq),
    starts,
    bytes.map(({ length }) => length),
  ];
  await database.query({ name: "store", text: STORE, values });
  position += changes.length;
  hand(batch);
  isStoring = pushes.length > 0;
  if (isStoring) setImmediate(store);
}

/** To each in one write: what the others did, and that the own is stored. */
function hand(batch: readonly Push[]): void {
  // Each begins with a comma; nothing in them is beyond ASCII.
  const pieces = batch.map(({ changes }) =>
    Buffer.from(`,${JSON.stringify(changes).slice(1, -1)}`, "latin1"),
  );
  const all = Buffer.concat(pieces);
  const ends: number[] = [];
  for (const { length } of pieces) ends.push((ends.at(-1) ?? 0) + length);
  const own = Map.groupBy(batch.keys(), (i) => batch[i]?.from);
  for (const [socket, stream] of streams) {
    const mine = own.get(socket) ?? [];
    stream.cork();
    const others = [];
    let from = 0;
    for (const i of [...mine, pieces.length]) {
      const to = ends[i - 1] ?? 0;
      if (to > from) others.push(all.subarray(from, to));
      from = ends[i] ?? 0;
    }
    const [first, ...rest] = others;
    if (first) {
      const frame = Buffer.concat([HEAD, first.subarray(1), ...rest, TAIL]);
      socket.send(frame, { binary: false });
    }
    for (const i of mine) {
      const { id, changes } = batch[i] as Push;
      socket.send(written({ type: "acked", id, seq: changes.at(-1)?.seq ?? 0 }));
    }
    stream.uncork();
  }
}

function written(frame: ServerFrame): string {
  return JSON.stringify(frame);
}
