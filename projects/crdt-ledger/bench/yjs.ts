/** Clients of y-websocket's server and of Hocuspocus: the same updates, in the frames of either. */
import { randomUUID } from "node:crypto";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import type { WebSocket } from "ws";
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from "y-protocols/sync";
import * as Y from "yjs";
import { connected, Deliveries, type Open, untilMessage } from "./relay.ts";
import { ServerProcess } from "./server-process.ts";

/** Kinds of messages; those of Hocuspocus are in its `types.ts`, and the first is y-websocket's as well. */
const SYNC = 0;
const AUTH = 2;
const SYNC_REPLY = 4;
/** What a message of {@link AUTH} is. */
const TOKEN = 0;

interface Dialect {
  /** Of `servers/`. */
  readonly server: string;
  /** Whether the connection is for many documents: each message then begins with the document's name. */
  readonly isAddressed: boolean;
}

interface Person {
  readonly doc: Y.Doc;
  readonly socket: WebSocket;
  readonly ready: { readonly frame: Uint8Array; readonly clock: number }[];
  made: number;
}

export const yWebsocket: Open = (stage) =>
  open({ server: "y-websocket.ts", isAddressed: false }, stage);
export const hocuspocus: Open = (stage) =>
  open({ server: "hocuspocus.ts", isAddressed: true }, stage);

async function open(
  { server: file, isAddressed }: Dialect,
  { clients }: Parameters<Open>[0],
): ReturnType<Open> {
  await using opening = new AsyncDisposableStack();
  const document = `bench-${randomUUID()}`;
  const server = opening.use(await ServerProcess.start(file));
  const deliveries = new Deliveries();
  const message = (...write: ((encoder: encoding.Encoder) => void)[]): Uint8Array =>
    encoding.encode((encoder) => {
      if (isAddressed) encoding.writeVarString(encoder, document);
      for (const part of write) part(encoder);
    });
  const number = (value: number) => (encoder: encoding.Encoder) =>
    encoding.writeVarUint(encoder, value);
  const bytes = (value: Uint8Array) => (encoder: encoding.Encoder) =>
    encoding.writeVarUint8Array(encoder, value);
  /** What of the document is in a message; null for messages of another kind. */
  const read = (
    data: Uint8Array,
  ): { readonly step: number; readonly update: Uint8Array } | null => {
    const decoder = decoding.createDecoder(data);
    if (isAddressed) decoding.readVarString(decoder);
    const kind = decoding.readVarUint(decoder);
    if (kind !== SYNC && kind !== SYNC_REPLY) return null;
    const step = decoding.readVarUint(decoder);
    return { step, update: decoding.readVarUint8Array(decoder) };
  };
  const connect = async (): Promise<WebSocket> => {
    const socket = await connected(`${server.address}/${document}`);
    opening.defer(() => socket.terminate());
    const synced = untilMessage(socket, (data) => read(data)?.step === messageYjsSyncStep2);
    if (isAddressed) {
      const nothing = (encoder: encoding.Encoder) => encoding.writeVarString(encoder, "");
      socket.send(message(number(AUTH), number(TOKEN), nothing));
    }
    const has = Y.encodeStateVector(new Y.Doc());
    socket.send(message(number(SYNC), number(messageYjsSyncStep1), bytes(has)));
    await synced;
    deliveries.watch(socket);
    return socket;
  };

  const people: Person[] = [];
  for (let client = 0; client < clients; client++) {
    const doc = new Y.Doc();
    // 0 is nobody's, or what is not there would look like it.
    doc.clientID = client + 1;
    const socket = await connect();
    socket.on("message", () => {});
    const person: Person = { doc, socket, ready: [], made: 0 };
    doc.on("update", (update: Uint8Array) => {
      const frame = message(number(SYNC), number(messageYjsUpdate), bytes(update));
      person.ready.push({ frame, clock: Y.getState(doc.store, doc.clientID) });
    });
    people.push(person);
  }
  const listener = await connect();
  listener.on("message", (data: Buffer) => {
    const told = read(data);
    if (told === null || told.step === messageYjsSyncStep1) return;
    for (const [client, clock] of Y.parseUpdateMeta(told.update).to) {
      deliveries.arrived(client - 1, clock);
    }
  });

  const opened = opening.move();
  return {
    async prepare(each) {
      for (const [client, person] of people.entries()) {
        while (person.ready.length < each) next(person, `shape-${client}`);
      }
    },
    deliver(client) {
      const { ready, socket } = people[client] as Person;
      const change = ready.shift();
      if (!change) throw new Error("More changes were asked for than were prepared.");
      const told = deliveries.until(client, change.clock);
      socket.send(change.frame);
      return told;
    },
    usage: () => server.usage(),
    memory: () => server.memory(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A shape at first, then it is dragged along. */
function next(person: Person, shape: string): void {
  person.made += 1;
  const { doc, made } = person;
  const shapes = doc.getMap<Y.Map<unknown>>("shapes");
  doc.transact(() => {
    const properties = shapes.get(shape) ?? new Y.Map<unknown>();
    if (made === 1) {
      shapes.set(shape, properties);
      for (const [name, value] of [
        ["type", "rectangle"],
        ["width", 40],
        ["height", 30],
        ["color", "#336699"],
      ] as const) {
        properties.set(name, value);
      }
    }
    properties.set("x", made % 1_000);
    properties.set("y", made % 777);
  });
}
