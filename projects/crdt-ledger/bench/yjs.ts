/** Clients of y-websocket's server and of Hocuspocus: the same updates, in the frames of either. */
import { randomUUID } from "node:crypto";
import type { WebSocket } from "ws";
import { messageYjsSyncStep1, messageYjsSyncStep2 } from "y-protocols/sync";
import * as Y from "yjs";
import { Bystander } from "./bystander.ts";
import { type Made, Maker } from "./maker.ts";
import type { Config } from "./makers/yjs.ts";
import { connected, Deliveries, type Open, untilMessage } from "./relay.ts";
import { ServerProcess } from "./server-process.ts";
import { askingFrame, authFrame, type Dialect, readFrame } from "./yjs-frames.ts";

interface Person {
  readonly socket: Bystander;
  readonly ready: Made<Uint8Array>[];
}

interface Of {
  /** Of `servers/`. */
  readonly server: string;
  /** Whether the connection is for many documents: each message then begins with the document's name. */
  readonly isAddressed: boolean;
}

export const yWebsocket: Open = (stage) =>
  open({ server: "y-websocket.ts", isAddressed: false }, stage);
export const hocuspocus: Open = (stage) =>
  open({ server: "hocuspocus.ts", isAddressed: true }, stage);

async function open(
  { server: file, isAddressed }: Of,
  { clients }: Parameters<Open>[0],
): ReturnType<Open> {
  await using opening = new AsyncDisposableStack();
  const document = `bench-${randomUUID()}`;
  const dialect: Dialect = { addressed: isAddressed ? document : null };
  const server = opening.use(await ServerProcess.start(file));
  const maker = opening.use(
    new Maker<Uint8Array>("yjs.ts", { ...dialect, clients } satisfies Config),
  );
  const deliveries = new Deliveries();
  const join = async <Client extends Bystander | WebSocket>(
    connect: (url: string) => Promise<Client>,
  ): Promise<Client> => {
    const socket = await connect(`${server.address}/${document}`);
    opening.defer(() => socket.terminate());
    const isSynced = (data: Buffer) => readFrame(dialect, data)?.step === messageYjsSyncStep2;
    const synced = untilMessage(socket, isSynced);
    if (isAddressed) socket.send(authFrame(dialect));
    socket.send(askingFrame(dialect));
    await synced;
    deliveries.watch(socket);
    return socket;
  };

  const people: Person[] = [];
  for (let client = 0; client < clients; client++) {
    const socket = await join(Bystander.connect);
    people.push({ socket, ready: [] });
  }
  const listener = await join(connected);
  listener.on("message", (data: Buffer) => {
    const told = readFrame(dialect, data);
    if (told === null || told.step === messageYjsSyncStep1) return;
    for (const [client, clock] of Y.parseUpdateMeta(told.update).to) {
      deliveries.arrived(client - 1, clock);
    }
  });

  const opened = opening.move();
  return {
    async prepare(each) {
      const made = await maker.make(each);
      for (const [client, { ready }] of people.entries()) ready.push(...(made[client] ?? []));
    },
    deliver(client) {
      const { ready, socket } = people[client] as Person;
      const change = ready.shift();
      if (!change) throw new Error("More changes were asked for than were prepared.");
      const told = deliveries.until(client, change.number);
      socket.send(change.written);
      return told;
    },
    usage: () => server.usage(),
    memory: () => server.memory(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
