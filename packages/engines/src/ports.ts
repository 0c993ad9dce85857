/**
 * Ports that clients of an engine need besides the one of its address. The address carries each in
 * its query, as `http://127.0.0.1:8080/?grpc=50051` does, so that one string says all, and whoever
 * stands between replaces them.
 */
const further = ["grpc"] as const;

export type FurtherPort = (typeof further)[number];
/** `main` is the port of the address itself; at `metrics` a server tells us of itself, and nobody else. */
export type PortName = "main" | "metrics" | FurtherPort;
export type Ports = ReadonlyMap<PortName, number>;

export function portsOf(address: string): Ports {
  const { port, searchParams } = new URL(address);
  const ports = new Map<PortName, number>([["main", Number(port)]]);
  for (const name of further) {
    const value = searchParams.get(name);
    if (value !== null) ports.set(name, Number(value));
  }
  return ports;
}

/** The same address with those ports of ours for its own. */
export function onLoopback(address: string, ports: Ports): string {
  const url = new URL(address);
  url.hostname = "127.0.0.1";
  for (const [name, port] of ports) {
    if (name === "main") url.port = String(port);
    else if (name !== "metrics") url.searchParams.set(name, String(port));
  }
  return url.href;
}
