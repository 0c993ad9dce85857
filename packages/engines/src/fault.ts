/** What the files in `faults/` have in common. */
import type { FaultTarget, Heal, NodeName, ProxyControl, ServerControl, Trouble } from "./types.ts";

export interface NodeOptions {
  /** App nodes to hit; all of the lease where absent, also those that get their address later. */
  readonly nodes?: readonly NodeName[];
}

export interface MemberOptions {
  /** Of a server that is a group, the one to hit; all of it where absent. What heals starts whatever is down. */
  readonly member?: string;
}

export function hit(
  proxies: readonly ProxyControl[],
  options: NodeOptions | undefined,
): readonly ProxyControl[] {
  const nodes = options?.nodes;
  return nodes ? proxies.filter((proxy) => nodes.includes(proxy.node)) : proxies;
}

export function serverOf({ server }: FaultTarget): ServerControl {
  if (!server) throw new Error("a server fault needs a server; Lease.inject sees to that");
  return server;
}

/** Has the engine's own recipe make that trouble. */
export function troubleOf({ trouble }: FaultTarget, name: Trouble): Promise<Heal> {
  if (!trouble) throw new Error("a server fault needs a server; Lease.inject sees to that");
  return trouble(name);
}

export async function nothingToHeal(): Promise<void> {}
