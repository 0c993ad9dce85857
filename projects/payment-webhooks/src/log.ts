/** Structured logs on stderr, one JSON object a line; `WEBHOOK_LOG_LEVEL` turns them on. */
import { type Logger, pino } from "pino";

export type Log = Logger;

export function logger(node: string): Log {
  const level = process.env.WEBHOOK_LOG_LEVEL ?? "silent";
  return pino({ level, base: { node } }, pino.destination({ dest: 2, sync: true }));
}
