export interface Vault {
  /** Makes a number known to all nodes. */
  put(value: number): Promise<void>;
  get(): Promise<number>;
  /** The number that lies in Redis under `answer`. */
  answer(): Promise<number>;
}

export interface Submission {
  createNode(config: { redis: string }): Promise<Vault>;
}
