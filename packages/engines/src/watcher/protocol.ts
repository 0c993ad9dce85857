/** What a run and its watcher say to each other over their pipe. */

/** A program that the watcher starts for the run, so that no moment exists in which nobody owns it. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Both output streams are appended here. */
  readonly log: string;
}

/** Where the containers of a run are found, by label. */
export interface ContainerScope {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  readonly label: string;
}

export type Request =
  | { readonly op: "launch"; readonly key: string; readonly launch: Launch }
  | { readonly op: "signal"; readonly key: string; readonly signal: NodeJS.Signals }
  | { readonly op: "pause" | "resume" | "kill" | "memory"; readonly key: string }
  | { readonly op: "adopt"; readonly pid: number }
  | { readonly op: "disown"; readonly pid: number }
  | { readonly op: "own" | "release" | "remove"; readonly folder: string }
  | { readonly op: "containers"; readonly scope: ContainerScope }
  | { readonly op: "end" };

export type ToWatcher = Request & { readonly id: number };

export type FromWatcher =
  | { readonly kind: "ready" }
  | { readonly kind: "reply"; readonly id: number; readonly value?: number }
  | {
      readonly kind: "failure";
      readonly id: number;
      readonly message: string;
      readonly code?: string;
    }
  | {
      readonly kind: "exit";
      readonly key: string;
      readonly code: number | null;
      readonly signal: string | null;
    };
