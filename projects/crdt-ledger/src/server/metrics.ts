/** What a server does, for Prometheus: `GET /metrics` on the port that clients connect to. */
import type { RequestListener } from "node:http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** From a commit on this machine to a push that uses up its budget, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const OUTCOMES = [
  "acked",
  "INVALID_CHANGE",
  "TOO_EARLY",
  "TOO_LARGE",
  "STORE_UNAVAILABLE",
] as const;

export type Outcome = (typeof OUTCOMES)[number];

export class Metrics {
  readonly #registry = new Registry();
  readonly #pushSeconds: Histogram<"outcome">;
  readonly #closed: Counter<"code">;

  constructor() {
    const registers = [this.#registry];
    this.#pushSeconds = new Histogram({
      name: "ledger_push_seconds",
      help: "How long pushes took until they were answered, by the answer.",
      labelNames: ["outcome"],
      buckets: BUCKETS,
      registers,
    });
    // An alert on a rate needs the series before anything has happened.
    for (const outcome of OUTCOMES) this.#pushSeconds.zero({ outcome });
    this.#closed = new Counter({
      name: "ledger_closed_total",
      help: "Connections that this server has closed, by code: 1013 didn't read, 4400 made no sense.",
      labelNames: ["code"],
      registers,
    });
  }

  /** @param read is asked at each scrape */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A push has come. @returns what tells how it was answered */
  pushed(): (outcome: Outcome) => void {
    const end = this.#pushSeconds.startTimer();
    return (outcome) => void end({ outcome });
  }

  closed(code: number): void {
    this.#closed.inc({ code });
  }

  /** Answers whoever asks for metrics; everybody else is to speak WebSocket. */
  readonly listener: RequestListener = async (request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(426, { connection: "Upgrade", upgrade: "websocket" }).end();
      return;
    }
    response.setHeader("content-type", this.#registry.contentType);
    response.end(await this.#registry.metrics());
  };
}
