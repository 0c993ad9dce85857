/** How a server that a lease gave back is made as good as new: all that it has is collections and their aliases. */
import { isDeepStrictEqual } from "node:util";
import { ask, isExact } from "../../ask.ts";
import type { Recycler, Server } from "../../definition.ts";
import { type Alias, aliasesOf, type Collection, clear, collectionsOf } from "./client.ts";

/** Objects of all collections; with more, another server is there sooner than this one is filled. */
const most = 1_000;
/** Objects that are read and written at a time. */
const page = 100;
/** In which requests must be over whose connection is broken. */
const partingMs = 5_000;

/** What `GET /v1/schema` tells of a collection, of all that decides whether a client can make it again. */
interface Schema extends Collection {
  readonly properties?: readonly { readonly dataType: readonly string[] }[];
  readonly multiTenancyConfig?: { readonly enabled?: boolean };
  readonly invertedIndexConfig?: { readonly indexTimestamps?: boolean };
}

interface Contents {
  readonly schema: readonly Schema[];
  readonly aliases: readonly Alias[];
  readonly pages: readonly Page[];
}

interface Page {
  readonly objects: readonly { readonly id: string }[];
}

const empty: Contents = { schema: [], aliases: [], pages: [] };

/** A container's server can't be asked whether the last request is over, and is never handed on. */
export function recycler(server: Server): Recycler {
  return {
    read: () =>
      settled(server).then(
        () => read(server.adminUrl),
        () => undefined,
      ),
    renew: (contents) => renew(server, contents as Contents | undefined),
    close: async () => {},
  };
}

async function read(url: string): Promise<Contents | undefined> {
  const schema = await schemaOf(url);
  if (!schema.every(isPortable)) return undefined;
  const pages: Page[] = [];
  let room = most;
  for (const { class: name } of schema) {
    for (let after = ""; ; ) {
      const { objects } = await pageOf(url, name, after);
      if (objects.length === 0) break;
      room -= objects.length;
      if (room < 0 || !isExact(objects)) return undefined;
      pages.push({ objects });
      after = objects.at(-1)?.id ?? "";
    }
  }
  return { schema, aliases: await aliasesOf(url), pages };
}

async function renew(server: Server, contents: Contents = empty): Promise<void> {
  await settled(server);
  const url = server.adminUrl;
  await clear(url);
  for (const collection of contents.schema) await ask(url, "POST", "/v1/schema", collection);
  for (const alias of contents.aliases) await ask(url, "POST", "/v1/aliases", alias);
  for (const objects of contents.pages) await fill(url, objects);
  if (!isDeepStrictEqual(await schemaOf(url), contents.schema))
    throw new Error("what was made again is not what it was");
}

/** Resolves when nobody is connected, and every request is over: one may outlive its connection. */
async function settled({ disconnect, metricsUrl }: Server): Promise<void> {
  if (!disconnect || !metricsUrl) throw new Error("nobody can tell when its last request is over");
  await disconnect();
  const deadline = Date.now() + partingMs;
  while ((await requestsAt(metricsUrl)) > 0) {
    if (Date.now() > deadline) throw new Error("requests are still under way");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How many are under way, by its gauges (Weaviate's documentation, "Monitoring"). */
async function requestsAt(metricsUrl: string): Promise<number> {
  const metrics = await (await fetch(metricsUrl, { headers: { connection: "close" } })).text();
  const gauges = metrics.matchAll(
    /^weaviate_(?:http|grpc_server)_requests_inflight\{.*\} (?<under>\S+)$/gm,
  );
  let [sum, told] = [0, false];
  for (const { groups } of gauges) {
    sum += Number(groups?.under);
    told = true;
  }
  // There is one for each kind of request that was ever made, and whether it is ready was asked.
  if (!told) throw new Error("it doesn't tell of its requests");
  return sum;
}

async function schemaOf(url: string): Promise<Schema[]> {
  const schema: Schema[] = await collectionsOf(url);
  return schema.sort((a, b) => a.class.localeCompare(b.class));
}

/** References are to what may not be there yet; when an object was made, only its files know. */
function isPortable({ properties, multiTenancyConfig, invertedIndexConfig }: Schema): boolean {
  const refers = properties?.some(({ dataType: [type = ""] }) => /^[A-Z]/.test(type));
  return !refers && !multiTenancyConfig?.enabled && !invertedIndexConfig?.indexTimestamps;
}

function pageOf(url: string, name: string, after: string): Promise<Page> {
  const asked = new URLSearchParams({ class: name, include: "vector", limit: String(page) });
  if (after) asked.set("after", after);
  return ask<Page>(url, "GET", `/v1/objects?${asked}`);
}

async function fill(url: string, objects: Page): Promise<void> {
  type Done = { result?: { errors?: unknown } };
  const done = await ask<Done[]>(url, "POST", "/v1/batch/objects", objects);
  const refused = done.find(({ result }) => result?.errors);
  if (refused) throw new Error(JSON.stringify(refused.result));
}
