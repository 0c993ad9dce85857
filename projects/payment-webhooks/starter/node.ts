/** One app node. Several run at once, each in a process of its own, on the same stores. */
import type { Redis } from "ioredis";
import type pg from "pg";
import type {
  Fulfilment,
  NodeConfig,
  Payment,
  Quarantined,
  WebhookNode,
  WebhookRequest,
  WebhookResponse,
} from "../contract.ts";
import { NotImplemented } from "./errors.ts";

export class Node implements WebhookNode {
  /** Task 2: `signingSecrets`, `toleranceSeconds`. Task 6: `requestBudgetMs`. */
  readonly config: NodeConfig;
  readonly postgres: pg.Pool;
  /** What it is good for is up to you. Nothing, is an answer. */
  readonly redis: Redis;

  constructor(config: NodeConfig, postgres: pg.Pool, redis: Redis) {
    this.config = config;
    this.postgres = postgres;
    this.redis = redis;
  }

  /**
   * Task 1: record it, once. Task 2: is it genuine? Task 3: whatever came before it. Task 4: tell the
   * warehouse. Task 5: what can never be applied. Task 6: what if PostgreSQL is away, or Redis?
   */
  async receive(_request: WebhookRequest): Promise<WebhookResponse> {
    throw new NotImplemented("task 1: record the event");
  }

  /** Task 1; task 3: its state follows from what is known. */
  async payment(_id: string): Promise<Payment | null> {
    throw new NotImplemented("task 1: what is known of a payment");
  }

  /** Task 1. Which type holds 17 digits, here and in PostgreSQL? */
  async balance(_currency: string): Promise<bigint> {
    throw new NotImplemented("task 1: what was captured minus what was refunded");
  }

  /** Task 4. */
  async fulfilments(_limit: number): Promise<readonly Fulfilment[]> {
    throw new NotImplemented("task 4: what the warehouse has not confirmed");
  }

  /** Task 4. */
  async confirm(_fulfilmentId: string): Promise<void> {
    throw new NotImplemented("task 4: the warehouse has it");
  }

  /** Task 5. */
  async quarantined(): Promise<readonly Quarantined[]> {
    throw new NotImplemented("task 5: what can never be applied");
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.postgres.end();
  }
}
