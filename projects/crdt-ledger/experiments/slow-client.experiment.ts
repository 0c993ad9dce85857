import { defineExperiment } from "@db-katas/measure";
import { OurServer, replicaOf } from "../bench/our-server.ts";
import { untilMessage } from "../bench/relay.ts";
import type { ClientFrame, Edit } from "../contract.ts";
import { letter, migrated, type Random } from "./stage.ts";

/** Characters of a change: so many make it that the system's buffers are soon full. */
const LENGTH = 40_000;
/** What the server keeps for one who doesn't read, before it sends them away. */
const BACKLOG_BYTES = 1_024 * 1_024;

export default defineExperiment({
  title: "What somebody costs our server, in memory, who doesn't read.",
  parameters: {
    changes: {
      what: `texts of ${LENGTH} characters that somebody else types`,
      full: 250,
      quick: 5,
    },
  },
  engines: { postgres: { engine: "postgres" } },
  contenders: {
    asleep: { what: "one of two others doesn't read" },
    awake: { what: "both of them do" },
  },
  metrics: {
    taken: { what: "memory of the server's process, at the end", kind: "value", unit: "B" },
  },
  turns: 7,
  warmUpTurns: 0,
  async open({ leases, parameters: { changes = 1 }, random }) {
    const postgres = await migrated(leases);
    return {
      async measure(contender, turn) {
        // A process anew for each: what one has taken once, it keeps.
        await using server = await OurServer.start(postgres, { backlogBytes: BACKLOG_BYTES });
        const writer = await server.connect("writer");
        const reader = await server.connect("reader");
        const other = await server.connect("other");
        reader.on("message", () => {});
        if (contender === "asleep") other.pause();
        const replica = await replicaOf("writer");
        for (let n = 1; n <= changes; n++) {
          const { actor, seq, bytes } = await replica.edit(server.document, note(random, n));
          const base64 = Buffer.from(bytes).toString("base64");
          const push: ClientFrame = {
            type: "push",
            id: n,
            changes: [{ actor, seq, bytes: base64 }],
          };
          const acked = untilMessage(writer, (data) => String(data).includes('"acked"'));
          writer.send(JSON.stringify(push));
          await acked;
        }
        turn.record("taken", await server.memory());
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});

/** Each goes with the next one: the board stays small, and what goes over the wire doesn't. */
function note(random: Random, n: number): Edit[] {
  const size = { x: 1, y: 2, width: 3, height: 4 };
  const properties = { type: "text", ...size, color: "#336699" } as const;
  const shape = `note-${n}`;
  // No two are alike, or they could be packed into less.
  const text = Array.from({ length: LENGTH }, () => letter(random)).join("");
  const edits: Edit[] = [
    { kind: "add", shape, parent: null, above: null, properties },
    { kind: "insert", shape, at: 0, text },
  ];
  return n === 1 ? edits : [{ kind: "delete", shape: `note-${n - 1}` }, ...edits];
}
