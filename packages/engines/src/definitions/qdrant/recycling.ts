/**
 * How a server that a lease gave back is made as good as new: all that it has is collections. For the
 * stand-in only, which says when the last request is over; Qdrant itself doesn't, and ends with its lease.
 */
import { ask, isExact } from "../../ask.ts";
import type { Recycler } from "../../definition.ts";
import { clear, collectionsOf, pathOf } from "./client.ts";

/** Points of all collections; with more, another server is there sooner than this one is filled. */
const most = 10_000;
/** Points that are read and written at a time. */
const page = 500;
/** In which the indexes of a copy must be built. */
const indexingMs = 30_000;

type Contents = readonly Collection[];

interface Collection {
  readonly path: string;
  readonly info: Info;
  readonly pages: readonly Page[];
}

/** The body of a request that puts points back. */
interface Page {
  readonly points: readonly unknown[];
}

/** What `GET /collections/{name}` tells (Qdrant's API reference, "Get collection details"). */
interface Info {
  readonly status: string;
  readonly points_count: number;
  readonly indexed_vectors_count: number;
  readonly config: {
    readonly params: object;
    readonly hnsw_config: object;
    readonly optimizer_config: object;
  };
  readonly payload_schema: Readonly<Record<string, { readonly data_type: string }>>;
}

export function recycler(url: string): Recycler {
  return {
    read: () => read(url),
    renew: (contents) => renew(url, contents as Contents | undefined),
    close: async () => {},
  };
}

/** @returns undefined when there is too much, or something that only a copy of the files would keep */
async function read(url: string): Promise<Contents | undefined> {
  if (!(await isQuiet(url))) return undefined;
  const contents: Collection[] = [];
  let room = most;
  for (const name of await collectionsOf(url)) {
    const path = pathOf(name);
    const info = await infoOf(url, path);
    room -= info.points_count;
    const pages = room < 0 ? undefined : await pagesOf(url, path);
    if (!pages) return undefined;
    contents.push({ path, info, pages });
  }
  return contents;
}

async function renew(url: string, contents: Contents = []): Promise<void> {
  if (!(await isQuiet(url))) throw new Error("somebody is still connected");
  await clear(url);
  for (const each of contents) await make(url, each);
}

function isQuiet(url: string): Promise<boolean> {
  return ask(url, "GET", "/kata/quiet").then(
    () => true,
    () => false,
  );
}

async function infoOf(url: string, path: string): Promise<Info> {
  return (await ask<{ result: Info }>(url, "GET", path)).result;
}

async function pagesOf(url: string, path: string): Promise<Page[] | undefined> {
  type Scrolled = { result: Page & { next_page_offset: unknown } };
  const pages: Page[] = [];
  let offset: unknown = null;
  do {
    const asked = { limit: page, offset, with_payload: true, with_vector: true };
    const { result } = await ask<Scrolled>(url, "POST", `${path}/points/scroll`, asked);
    const { points, next_page_offset } = result;
    if (!isExact(points)) return undefined;
    if (points.length > 0) pages.push({ points });
    offset = next_page_offset;
  } while (offset !== null);
  return pages;
}

async function make(url: string, { path, info, pages }: Collection): Promise<void> {
  const { params, hnsw_config, optimizer_config } = info.config;
  await ask(url, "PUT", path, { ...params, hnsw_config, optimizers_config: optimizer_config });
  for (const [field_name, { data_type }] of Object.entries(info.payload_schema))
    await ask(url, "PUT", `${path}/index?wait=true`, { field_name, field_schema: data_type });
  for (const points of pages) await ask(url, "PUT", `${path}/points?wait=true`, points);
  const deadline = Date.now() + indexingMs;
  while (info.indexed_vectors_count > 0 && (await infoOf(url, path)).status !== "green") {
    if (Date.now() > deadline) throw new Error(`${path} isn't indexed`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
