import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

/** Runs one line and says what came of it. */
type Run = (line: string) => Promise<string>;
interface Connection extends AsyncDisposable {
  readonly run: Run;
}

/**
 * A plain prompt, for machines without the engine's own client.
 * @returns 0, or 1 when the given statements failed
 */
export async function repl(
  engine: string,
  url: string,
  statements: string | undefined,
): Promise<number> {
  await using connection = await connect(engine, url);
  if (statements !== undefined) return (await tell(connection.run, statements)) ? 0 : 1;
  process.stdout.write(`A plain prompt on ${engine}, one statement per line; Ctrl-D ends it.\n`);
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  lines.setPrompt(`${engine}> `);
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") await tell(connection.run, line);
    lines.prompt();
  }
  return 0;
}

async function tell(run: Run, line: string): Promise<boolean> {
  try {
    process.stdout.write(`${await run(line)}\n`);
    return true;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return false;
  }
}

async function connect(engine: string, url: string): Promise<Connection> {
  if (engine === "postgres") return postgres(url);
  if (engine === "redis") return redis(url);
  return sqlite(url);
}

async function postgres(url: string): Promise<Connection> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    run: async (line) => {
      const result = await client.query(line);
      return result.fields?.length > 0
        ? shown(result.rows)
        : `${result.command} ${result.rowCount ?? ""}`;
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function redis(url: string): Promise<Connection> {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  client.on("error", () => {});
  await client.connect();
  return {
    run: async (line) => {
      const [command = "", ...args] = words(line);
      return shown(await client.call(command, ...args));
    },
    [Symbol.asyncDispose]: async () => client.disconnect(),
  };
}

async function sqlite(url: string): Promise<Connection> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(fileURLToPath(url));
  return {
    run: async (line) =>
      shown(
        database
          .prepare(line)
          .all()
          .map((row) => ({ ...row })),
      ),
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

/** Words as redis-cli takes them: apart by blanks, unless quoted. */
export function words(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double?.replaceAll(/\\(.)/g, "$1") ?? single ?? bare ?? "",
  );
}

function shown(value: unknown): string {
  return inspect(value, { depth: 6, maxArrayLength: 200, breakLength: 100 });
}
