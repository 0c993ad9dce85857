/** One JSON object a line on stderr, only when `SESSION_LOG` is set. stdout is never written to. */
const enabled = Boolean(process.env.SESSION_LOG);

export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

export function logger(node: string): Log {
  if (!enabled) return () => {};
  return (event, fields) => {
    const shown = Object.entries(fields ?? {}).map(([name, value]) => [
      name,
      value instanceof Error ? value.message : value,
    ]);
    const line = { at: new Date().toISOString(), node, event, ...Object.fromEntries(shown) };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
}
