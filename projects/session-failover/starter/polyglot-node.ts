/**
 * One app node. Several run at once, each in a process of its own, on the same stores.
 *
 * Suggested order:
 * - tasks 1 and 2: all of it on PostgreSQL alone. That is already a correct answer to half the rubric.
 * - task 3: Redis as the fast tier. Before you write it: which of the two decides whether a session lives?
 * - tasks 4 to 6 change how the stores are used, not what the functions below promise.
 */
import type { Redis } from "ioredis";
import type pg from "pg";
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../contract.ts";
import { NotImplemented } from "./errors.ts";

export class PolyglotNode implements SessionNode {
  /** Task 4: `requestBudgetMs`. Task 6: `stalenessBoundMs`. */
  readonly config: NodeConfig;
  readonly postgres: pg.Pool;
  readonly redis: Redis;

  constructor(config: NodeConfig, postgres: pg.Pool, redis: Redis) {
    this.config = config;
    this.postgres = postgres;
    this.redis = redis;
  }

  /** Task 1. What may be in the database, and what only in the browser? Whose clock sets the end? */
  async create(_input: {
    readonly userId: string;
    readonly device: string;
    readonly data: SessionData;
    readonly ttlMs: number;
  }): Promise<Session> {
    throw new NotImplemented("task 1: create");
  }

  /** Task 1 from PostgreSQL; task 3 from Redis; task 5: what may Redis still hold after an outage? */
  async get(_id: string): Promise<Session | null> {
    throw new NotImplemented("task 1: get");
  }

  /** Task 2. Two nodes update the same version at the same moment: who decides? */
  async update(
    _id: string,
    _input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    throw new NotImplemented("task 2: update");
  }

  /** Task 2. Another request changes the data at the same moment. */
  async touch(_id: string, _ttlMs: number): Promise<Session> {
    throw new NotImplemented("task 2: touch");
  }

  /** Task 2. */
  async rotate(_id: string): Promise<Session> {
    throw new NotImplemented("task 2: rotate");
  }

  /** Task 2; task 5: it must still be true when Redis is back. */
  async destroy(_id: string): Promise<void> {
    throw new NotImplemented("task 2: destroy");
  }

  /** Task 2. */
  async destroyAll(_userId: string): Promise<number> {
    throw new NotImplemented("task 2: destroyAll");
  }

  /** Task 2. */
  async list(_userId: string): Promise<readonly Device[]> {
    throw new NotImplemented("task 2: list");
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.postgres.end();
  }
}
