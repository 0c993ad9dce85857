/** Two databases on a real server, for tests. */
import { type EngineRun, type Lease, openEngines } from "@db-katas/engines";
import pg from "pg";

export interface Databases extends AsyncDisposable {
  readonly target: string;
  readonly scratch: string;
  /** With full rights on the whole server. */
  readonly targetAdmin: string;
  readonly scratchAdmin: string;
}

let run: Promise<EngineRun> | undefined;

export async function openDatabases(): Promise<Databases> {
  run ??= openEngines();
  const engines = await run;
  const lease = () => engines.lease("pgextended", { needs: ["hypopg"] });
  const [target, scratch] = await Promise.all([lease(), lease()]);
  return {
    target: await target.urlFor("a"),
    scratch: await scratch.urlFor("a"),
    targetAdmin: superuserUrl(target),
    scratchAdmin: superuserUrl(scratch),
    async [Symbol.asyncDispose]() {
      await Promise.all([target[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
    },
  };
}

/** As a superuser, in a lease's database. */
export function superuserUrl({ engine, namespace }: Lease): string {
  const url = new URL(engine.adminUrl);
  url.pathname = `/${namespace}`;
  return url.href;
}

export async function closeEngines(): Promise<void> {
  const open = await run;
  run = undefined;
  await open?.[Symbol.asyncDispose]();
}

export type Client = pg.Client & AsyncDisposable;

export async function connected(url: string): Promise<Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** The same in both. */
export async function load({ target, scratch }: Databases, sql: string): Promise<void> {
  for (const url of [target, scratch]) {
    await using client = await connected(url);
    await client.query(sql);
  }
}
