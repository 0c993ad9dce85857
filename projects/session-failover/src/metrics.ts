/** What a node does, for Prometheus. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Node } from "./open.ts";
import { type CallNotes, noted } from "./telemetry.ts";

const OPERATIONS: ReadonlySet<string | symbol> = new Set([
  "create",
  "get",
  "update",
  "touch",
  "rotate",
  "destroy",
  "destroyAll",
  "list",
  "put",
  "end",
]);
/** From a hit in Redis to a call that uses up its budget, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The same node, with its calls measured. Metrics of other nodes need a registry of their own. */
export function measured(node: Node, registry: Registry = new Registry()): Node {
  const registers = [registry];
  const seconds = new Histogram({
    name: "session_call_seconds",
    help: "How long calls took, by operation, by the stores that answered, and by outcome.",
    labelNames: ["operation", "tier", "outcome"] as const,
    buckets: BUCKETS,
    registers,
  });
  const fallbacks = new Counter({
    name: "session_fallbacks_total",
    help: "Calls in which Redis had no part: redis-down, trust-lapsed or unconfirmed.",
    labelNames: ["reason"] as const,
    registers,
  });
  // An alert on a rate needs the series before anything has happened.
  for (const reason of ["redis-down", "trust-lapsed", "unconfirmed"]) fallbacks.inc({ reason }, 0);
  gauge("session_redis_up", "1 while the breaker in front of Redis is closed.", () =>
    node.status().redis === "up" ? 1 : 0,
  );
  gauge("session_cache_epoch", "Grows with each write that Redis did not confirm.", () => {
    return node.status().epoch;
  });
  new Gauge({
    name: "session_postgres_connections",
    help: "Connections of the pool that are open, those of them that are idle, and calls that wait.",
    labelNames: ["state"] as const,
    registers,
    collect() {
      for (const [state, count] of Object.entries(node.status().pool)) this.set({ state }, count);
    },
  });

  return new Proxy(node, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (!OPERATIONS.has(name)) return member.bind(target);
      return (...args: unknown[]) => measure(String(name), () => member.apply(target, args));
    },
  });

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  async function measure(operation: string, call: () => Promise<unknown>): Promise<unknown> {
    const notes: CallNotes = {};
    const from = performance.now();
    let outcome = "ok";
    try {
      return await noted(notes, call);
    } catch (error) {
      outcome = error instanceof Error && "code" in error ? String(error.code) : "misuse";
      throw error;
    } finally {
      const labels = { operation, tier: notes.tier ?? "postgres", outcome };
      seconds.observe(labels, (performance.now() - from) / 1_000);
      if (notes.fallback) fallbacks.inc({ reason: notes.fallback });
    }
  }
}
