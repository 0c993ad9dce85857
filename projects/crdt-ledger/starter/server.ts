/** One of several servers on one PostgreSQL. What it says to clients stands in contract.ts. */
import type { DocumentId, Server, ServerConfig } from "../contract.ts";
import { NotImplemented } from "./errors.ts";

/** Task 6. */
export async function migrate(_url: string): Promise<void> {
  throw new NotImplemented("task 6: create the table operations");
}

export class MyServer implements Server {
  /** Task 6: `postgres`, `secret`. Task 7: `limits`, `requestBudgetMs`. */
  readonly config: ServerConfig;

  constructor(config: ServerConfig) {
    this.config = config;
  }

  /** Task 6: listen on 127.0.0.1. Task 7: what if PostgreSQL is away, or a client doesn't read? */
  async address(): Promise<string> {
    throw new NotImplemented("task 6: take connections");
  }

  /** Task 8. */
  async compact(_document: DocumentId): Promise<number> {
    throw new NotImplemented("task 8: a snapshot in place of rows");
  }

  /** Task 9. */
  async verifyLog(_document: DocumentId): Promise<number | null> {
    throw new NotImplemented("task 9: is any row another one than was written?");
  }

  async close(): Promise<void> {}
}
