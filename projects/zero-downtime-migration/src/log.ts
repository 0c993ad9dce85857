/** One JSON object a line, on stderr. `MIGRATION_LOG` sets the level; silent without. */
import { destination, type Logger, pino } from "pino";

export type Log = Logger;

export function logger(node: string): Log {
  const level = process.env.MIGRATION_LOG ?? "silent";
  return pino({ level, base: { node } }, destination({ dest: 2, sync: true }));
}
