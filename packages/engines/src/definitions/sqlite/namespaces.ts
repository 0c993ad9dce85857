import { existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type RunContext, unique } from "../../context.ts";
import type { Namespace, Namespaces } from "../../definition.ts";
import type { LeaseTemplate } from "../../types.ts";

/** SQLite's companions of a database file; a builder that didn't close its connection leaves them. */
const companions = ["", "-wal", "-journal"];

/** A namespace is a file in a folder of its own. */
export class SqliteNamespaces implements Namespaces {
  readonly #context: RunContext;
  readonly #templates = new Map<string, Promise<string>>();
  readonly #folders = new Set<string>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  async prepare(template: LeaseTemplate): Promise<void> {
    await this.#template(template);
  }

  async take(wanted?: LeaseTemplate): Promise<Namespace> {
    const template = wanted && (await this.#template(wanted));
    const file = await this.#freshFile();
    if (template) {
      for (const end of companions)
        if (existsSync(template + end)) await copyFile(template + end, file + end);
    }
    const url = pathToFileURL(file).href;
    return {
      name: file,
      adminUrl: url,
      url,
      recreate: async () => {},
      release: () => this.#remove(dirname(file)),
    };
  }

  async reset(): Promise<void> {
    this.#templates.clear();
    for (const folder of [...this.#folders]) await this.#remove(folder);
  }

  async close(): Promise<void> {
    await this.reset();
  }

  #template(wanted: LeaseTemplate): Promise<string> {
    let template = this.#templates.get(wanted.key);
    if (!template) {
      template = this.#freshFile().then(async (file) => {
        await wanted.build(pathToFileURL(file).href);
        return file;
      });
      this.#templates.set(wanted.key, template);
      template.catch(() => this.#templates.delete(wanted.key));
    }
    return template;
  }

  async #freshFile(): Promise<string> {
    const folder = join(this.#context.folder, unique("sqlite"));
    await mkdir(folder);
    this.#folders.add(folder);
    return join(folder, "data.db");
  }

  async #remove(folder: string): Promise<void> {
    this.#folders.delete(folder);
    await rm(folder, { recursive: true, force: true });
  }
}
