/** Changes of replicas of ours, as a push has them. */
import type { Replica, WireChange } from "../../contract.ts";
import { makeRoom } from "../../src/server/loro-memory.ts";
import { makes } from "../maker.ts";
import { actorOf, replicaOf } from "../our-server.ts";

export interface Config {
  readonly document: string;
  readonly clients: number;
}

await makes<Config, string>(async ({ document, clients }) => {
  const replicas: Replica[] = [];
  for (let client = 0; client < clients; client++) replicas.push(await replicaOf(actorOf(client)));
  const made = replicas.map(() => 0);
  /** A shape at first, then it is dragged along. */
  return async (client) => {
    const replica = replicas[client];
    if (!replica) throw new Error(`There is no client ${client}.`);
    const number = (made[client] ?? 0) + 1;
    made[client] = number;
    const shape = `shape-${client}`;
    const [x, y] = [number % 1_000, number % 777];
    const size = { width: 40, height: 30 };
    const properties = { type: "rectangle", x, y, ...size, color: "#336699" } as const;
    const { actor, seq, bytes } = await replica.edit(document, [
      number > 1
        ? { kind: "set", shape, properties: { x, y } }
        : { kind: "add", shape, parent: null, above: null, properties },
    ]);
    makeRoom();
    const change: WireChange = { actor, seq, bytes: Buffer.from(bytes).toString("base64") };
    return { number: seq, written: JSON.stringify(change) };
  };
});
