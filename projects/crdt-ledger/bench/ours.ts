/** Clients of the reference's server, and of any other one that speaks the contract's frames. */
import type { Actor, ServerFrame } from "../contract.ts";
import type { Bystander } from "./bystander.ts";
import { type Made, Maker } from "./maker.ts";
import type { Config } from "./makers/ours.ts";
import { actorOf, OurServer } from "./our-server.ts";
import { Deliveries, type Open } from "./relay.ts";

const LISTENER: Actor = "listener";
const REFUSED = '{"type":"refused"';

interface Person {
  readonly socket: Bystander;
  readonly ready: Made<string>[];
  /** What is to be pushed with the next frame: as on the whiteboard, what is there goes together. */
  readonly outbox: Made<string>[];
}

export const ours: Open = (stage) => open("ours.ts", stage);
export const rowsOnly: Open = (stage) => open("rows-only.ts", stage);

async function open(file: string, { postgres, clients }: Parameters<Open>[0]): ReturnType<Open> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await OurServer.start(postgres, { file }));
  const { document } = server;
  const maker = opening.use(new Maker<string>("ours.ts", { document, clients } satisfies Config));
  const deliveries = new Deliveries();
  const people: Person[] = [];
  const numberOf = new Map<Actor, number>();
  for (let client = 0; client < clients; client++) {
    const actor = actorOf(client);
    numberOf.set(actor, client);
    const socket = await server.connectBystander(actor);
    deliveries.watch(socket);
    socket.on("message", (data: Buffer) => {
      if (data.toString("latin1", 0, REFUSED.length) === REFUSED) deliveries.fail(String(data));
    });
    people.push({ socket, ready: [], outbox: [] });
  }
  const listener = await server.connect(LISTENER);
  deliveries.watch(listener);
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
      const made = await maker.make(each);
      for (const [client, { ready }] of people.entries()) ready.push(...(made[client] ?? []));
    },
    deliver(client) {
      const person = people[client] as Person;
      const change = person.ready.shift();
      if (!change) throw new Error("More changes were asked for than were prepared.");
      const told = deliveries.until(client, change.number);
      person.outbox.push(change);
      if (person.outbox.length === 1) queueMicrotask(() => push(person));
      return told;
    },
    usage: () => server.usage(),
    memory: () => server.memory(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function push({ socket, outbox }: Person): void {
  const changes = outbox.splice(0);
  const id = changes.at(-1)?.number ?? 0;
  const written = changes.map((change) => change.written);
  socket.send(`{"type":"push","id":${id},"changes":[${written.join()}]}`);
}
