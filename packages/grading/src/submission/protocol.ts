/** What the grader can ask of an app node's process. Everything crosses by structured clone. */
export interface HostFunctions {
  /** Imports the submission. Must come first. */
  load(entry: string): Promise<Outcome>;
  /** Calls a function of the submission's default export that leaves nothing behind. */
  migrate(args: unknown[]): Promise<Outcome>;
  /** Makes this process's app node; the calls that follow go to it. */
  createNode(args: unknown[]): Promise<Outcome>;
  call(method: string, args: unknown[]): Promise<Outcome>;
}

/** Errors are values on the wire, so that what a submission threw is never mistaken for ours. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: RemoteError };

export interface RemoteError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly stack?: string | undefined;
}
