import type { Account, MigrationNode, NodeConfig, Phase, Read } from "../contract.ts";
import { todo } from "./errors.ts";
import { openStores, type Stores } from "./stores.ts";

export class Node implements MigrationNode {
  readonly config: NodeConfig;
  readonly stores: Stores;

  constructor(config: NodeConfig) {
    this.config = config;
    this.stores = openStores(config);
  }

  async create(_account: Account): Promise<void> {
    todo(1, "write an account into legacy, unless its id is taken");
  }

  async get(id: string): Promise<Read> {
    const [read] = await this.getMany([id]);
    return read ?? { account: null, servedFrom: "legacy" };
  }

  async getMany(_ids: readonly string[]): Promise<readonly Read[]> {
    return todo(1, "read accounts from legacy, as they are meant");
  }

  async update(_id: string, _change: Partial<Omit<Account, "id">>): Promise<void> {
    todo(1, "change an account in legacy");
  }

  async remove(_id: string): Promise<void> {
    todo(1, "remove an account from legacy");
  }

  async setPhase(_phase: Phase): Promise<void> {
    todo(2, "keep the phase where every node sees it");
  }

  async backfill(_limit: number): Promise<never> {
    return todo(3, "copy the next rows");
  }

  async verify(_options: { readonly repair: boolean }): Promise<never> {
    return todo(5, "compare the stores row by row");
  }

  async status(): Promise<never> {
    return todo(2, "say what is pending");
  }

  async close(): Promise<void> {
    await Promise.all([this.stores.legacy.end(), this.stores.modern.end()]);
  }
}
