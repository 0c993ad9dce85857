/**
 * Variant: a transactional outbox, and a cache that proves how new it is.
 *
 * Differs: no fences, leases, epochs or tombstones. A write commits in PostgreSQL; a trigger adds the
 * session's hash to `outbox` in the same transaction. A relay round (relay.ts) takes the outbox, reads
 * those sessions in the same snapshot, and sends them to Redis in one script that also moves Redis to
 * the round's number, its *position*. Readers never write to Redis: what they miss joins a round.
 *
 * Why it is right:
 *
 * 1. *What Redis holds at position n is what PostgreSQL held at some moment after n was drawn, or
 *    nothing.* A round draws its number from the sequence `beats` before it takes its snapshot. The
 *    script acts only on a Redis whose position is the one that PostgreSQL remembers from the last
 *    confirmed round. Any other position (restarted empty or from an old dump, flushed, failed over,
 *    or moved by a round whose end nobody saw) begins a new, empty generation of keys. A script that
 *    arrives late finds a higher position and does nothing; or it finds the one that it expects,
 *    and then what it brings is still what its own number says.
 * 2. *A node knows how old a position is by its own monotonic clock* (watermark.ts). It draws numbers
 *    from `beats` too, and remembers when it asked. If it asked for h at time t, and Redis answers from
 *    a position ≥ h, then all that was committed before t is in the answer. Served is what is younger
 *    than S. No clocks of two machines are ever compared; without PostgreSQL there are no new numbers,
 *    without a relay no new positions, and either way belief ends within S.
 * 3. *A confirmed write is seen everywhere at once.* The writer runs a round after its commit and waits
 *    for it; when Redis has answered, every read that reaches Redis later sees the write. A Redis that
 *    comes back older can't undo that: losing its connection makes a node forget all its numbers, and
 *    only positions newer than the loss count again.
 * 4. *An unconfirmed write is seen within S*, by 2. It could be held back until belief has lapsed
 *    everywhere, but then an outage of Redis would cost each write S, which may exceed its budget; the
 *    contract grants S to the others instead. The writer's own node sees the write at once: a session
 *    that a node has written, or read in PostgreSQL, it takes from Redis only from positions newer
 *    than that. A notification makes another node's relay carry the write over in milliseconds; if
 *    it is lost, S holds all the same.
 *
 * The price: rounds of all nodes take turns, and each write waits for one (a round carries all the
 * writes that wait). Idle nodes run five rounds per S.
 */
import { join } from "node:path";
import type { Submission } from "../../contract.ts";
import { migratePostgres } from "../../src/postgres/migrate.ts";
import postgresOnly from "../postgres-only/index.ts";
import { OutboxNode } from "./node.ts";

export default {
  async migrate(store) {
    await postgresOnly.migrate(store);
    if (store.kind === "local") return;
    await migratePostgres(store.postgres, join(import.meta.dirname, "migrations"));
  },
  async createNode(config) {
    if (config.stores.kind === "local") return await postgresOnly.createNode(config);
    const node = new OutboxNode(config, config.stores);
    await node.open();
    return node;
  },
} satisfies Submission;
