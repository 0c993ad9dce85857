/** Clients of the reference's server, and of any other one that speaks the contract's frames. */
import type { WebSocket } from "ws";
import type { Actor, Change, ClientFrame, Replica, ServerFrame, WireChange } from "../contract.ts";
import { OurServer, replicaOf } from "./our-server.ts";
import { Deliveries, type Open } from "./relay.ts";

const LISTENER: Actor = "listener";
const REFUSED = '{"type":"refused"';

interface Person {
  readonly replica: Replica;
  readonly socket: WebSocket;
  readonly ready: WireChange[];
  /** What is to be pushed with the next frame: as on the whiteboard, what is there goes together. */
  readonly outbox: WireChange[];
  made: number;
  sent: number;
}

export const ours: Open = (stage) => open("ours.ts", stage);
export const rowsOnly: Open = (stage) => open("rows-only.ts", stage);

async function open(file: string, { postgres, clients }: Parameters<Open>[0]): ReturnType<Open> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await OurServer.start(postgres, { file }));
  const { document } = server;
  const deliveries = new Deliveries();
  const connect = async (actor: Actor): Promise<WebSocket> => {
    const socket = await server.connect(actor);
    deliveries.watch(socket);
    return socket;
  };

  const people: Person[] = [];
  const numberOf = new Map<Actor, number>();
  for (let client = 0; client < clients; client++) {
    const actor = `person-${client}`;
    numberOf.set(actor, client);
    const replica = await replicaOf(actor);
    const socket = await connect(actor);
    // It makes nothing else of what comes: what clients make of it is not compared.
    socket.on("message", (data: Buffer) => {
      if (data.toString("latin1", 0, REFUSED.length) === REFUSED) deliveries.fail(String(data));
    });
    people.push({ replica, socket, ready: [], outbox: [], made: 0, sent: 0 });
  }
  const listener = await connect(LISTENER);
  listener.on("message", (data) => {
    const frame = JSON.parse(String(data)) as ServerFrame;
    if (frame.type !== "changes") return;
    for (const { actor, seq } of frame.changes) {
      deliveries.arrived(numberOf.get(actor) ?? -1, seq);
    }
  });

  const opened = opening.move();
  return {
    async prepare(each) {
      for (const [client, person] of people.entries()) {
        while (person.ready.length < each) {
          const { actor, seq, bytes } = await next(person, `shape-${client}`);
          person.ready.push({ actor, seq, bytes: Buffer.from(bytes).toString("base64") });
        }
      }
    },
    deliver(client) {
      const person = people[client] as Person;
      const change = person.ready.shift();
      if (!change) throw new Error("More changes were asked for than were prepared.");
      person.sent += 1;
      const told = deliveries.until(client, person.sent);
      person.outbox.push(change);
      if (person.outbox.length === 1) queueMicrotask(() => push(person));
      return told;
    },
    usage: () => server.usage(),
    memory: () => server.memory(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };

  /** A shape at first, then it is dragged along. */
  function next(person: Person, shape: string): Promise<Change> {
    person.made += 1;
    const [x, y] = [person.made % 1_000, person.made % 777];
    if (person.made > 1) {
      return person.replica.edit(document, [{ kind: "set", shape, properties: { x, y } }]);
    }
    const size = { width: 40, height: 30 };
    const properties = { type: "rectangle", x, y, ...size, color: "#336699" } as const;
    return person.replica.edit(document, [
      { kind: "add", shape, parent: null, above: null, properties },
    ]);
  }
}

function push({ socket, outbox }: Person): void {
  const changes = outbox.splice(0);
  const id = changes.at(-1)?.seq ?? 0;
  socket.send(JSON.stringify({ type: "push", id, changes } satisfies ClientFrame));
}
