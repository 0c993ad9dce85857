import type { EngineDefinition, Namespace, Server } from "./definition.ts";
import {
  capabilityMissing,
  faultNeedsInstance,
  memberUnknown,
  smallDiskNotAsked,
} from "./errors.ts";
import { WireGate } from "./gate.ts";
import { onLoopback, type PortName, portsOf } from "./ports.ts";
import { TcpProxy } from "./proxy.ts";
import { Transcript, type Utterance } from "./transcript.ts";
import type {
  ActiveFault,
  Fault,
  FaultArguments,
  FaultTarget,
  Gate,
  GateOptions,
  Lease,
  NodeName,
  ProxyTraffic,
  RunningEngine,
  ServerControl,
  Snapshot,
  Trouble,
} from "./types.ts";

/** What stands between a node and each port of the server. */
type NodeProxies = ReadonlyMap<PortName, TcpProxy>;

interface Happening {
  /** Extends a network fault to a node that got its address during it. */
  extend(proxies: readonly TcpProxy[]): Promise<void>;
  heal(): Promise<void>;
}

/** A namespace of a server, behind proxies of its own. */
export class EngineLease implements Lease {
  readonly engine: RunningEngine;
  readonly base?: Lease;
  readonly #definition: EngineDefinition;
  readonly #server: Server;
  readonly #namespace: Namespace;
  readonly #release: () => Promise<void>;
  /** Where its server's log was when it began. */
  readonly #since: number;
  readonly #proxies = new Map<NodeName, Promise<NodeProxies>>();
  readonly #open = new Map<NodeName, NodeProxies>();
  readonly #faults = new Set<Happening>();
  readonly #gates = new Set<WireGate>();
  readonly #transcript = new Transcript();
  #disposed: Promise<void> | undefined;

  constructor(
    engine: RunningEngine,
    definition: EngineDefinition,
    server: Server,
    namespace: Namespace,
    release: () => Promise<void>,
    base?: Lease,
  ) {
    this.engine = engine;
    this.#definition = definition;
    this.#server = server;
    this.#namespace = namespace;
    this.#release = release;
    if (base) this.base = base;
    this.#since = server.arrivals?.now() ?? 0;
  }

  get namespace(): string {
    return this.#namespace.name;
  }

  get adminUrl(): string {
    return this.#namespace.adminUrl;
  }

  async urlFor(node: NodeName): Promise<string> {
    if (!this.engine.capabilities.includes("network")) return this.#namespace.url;
    let listening = this.#proxies.get(node);
    if (!listening) {
      listening = this.#listen(node);
      this.#proxies.set(node, listening);
    }
    const ports = [...(await listening)].map(([name, { port }]) => [name, port] as const);
    return onLoopback(this.#namespace.url, new Map(ports));
  }

  traffic(node: NodeName): ProxyTraffic {
    const sum = { connections: 0, open: 0, bytesUp: 0, bytesDown: 0 };
    for (const { traffic } of this.#open.get(node)?.values() ?? []) {
      sum.connections += traffic.connections;
      sum.open += traffic.open;
      sum.bytesUp += traffic.bytesUp;
      sum.bytesDown += traffic.bytesDown;
    }
    return sum;
  }

  async detours(): Promise<number | undefined> {
    return this.#server.arrivals?.strangers(this.#since, this.#namespace.name);
  }

  gate(options: GateOptions): Gate {
    const { name, provider, capabilities } = this.engine;
    if (!capabilities.includes("gate")) throw capabilityMissing(name, provider, "gate", "gate");
    const gate: WireGate = new WireGate(options, this.#transcript, () => this.#gates.delete(gate));
    if (this.#disposed) gate.end();
    else this.#gates.add(gate);
    return gate;
  }

  transcript(node?: NodeName): readonly Utterance[] {
    return this.#transcript.of(node);
  }

  async snapshot(): Promise<Snapshot> {
    const { name, provider, capabilities } = this.engine;
    const { control, isolated } = this.#server;
    if (!capabilities.includes("restartStale") || !control?.capture)
      throw capabilityMissing(name, provider, "snapshot", "restartStale");
    if (!isolated) throw faultNeedsInstance(name, "snapshot");
    return control.capture();
  }

  async inject<Options>(
    fault: Fault<Options>,
    ...[options]: FaultArguments<Options>
  ): Promise<ActiveFault> {
    if (!this.engine.capabilities.includes(fault.capability)) {
      throw capabilityMissing(this.engine.name, this.engine.provider, fault.name, fault.capability);
    }
    const { control } = this.#server;
    if (fault.scope === "server" && !this.#server.isolated)
      throw faultNeedsInstance(this.engine.name, fault.name);
    if (fault.capability === "diskFull" && !control?.disk)
      throw smallDiskNotAsked(this.engine.name, fault.name);
    const target = (proxies: readonly TcpProxy[]): FaultTarget => ({
      proxies,
      ...(fault.scope === "server" && control ? this.#levers(control) : {}),
    });
    const startedAt = Date.now();
    const open = [...this.#open.values()].flatMap((proxies) => [...proxies.values()]);
    const heals = [await fault.inject(target(open), options as Options)];
    const happening: Happening = {
      extend: async (proxies) => {
        if (fault.scope === "network")
          heals.push(await fault.inject(target(proxies), options as Options));
      },
      heal: async () => {
        this.#faults.delete(happening);
        await Promise.all(heals.splice(0).map((heal) => heal()));
      },
    };
    this.#faults.add(happening);
    let healing: Promise<void> | undefined;
    const heal = () => {
      healing ??= happening.heal();
      return healing;
    };
    return { name: fault.name, startedAt, heal, [Symbol.asyncDispose]: heal };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= (async () => {
      for (const gate of [...this.#gates]) gate.end();
      // A server of our own ends anyway: bringing it back first would be for nobody.
      if (!this.#server.isolated) await Promise.all([...this.#faults].map((fault) => fault.heal()));
      const proxies = await Promise.allSettled(this.#proxies.values());
      await Promise.all(
        proxies
          .flatMap((each) => (each.status === "fulfilled" ? [...each.value.values()] : []))
          .map((proxy) => proxy.close()),
      );
      this.#open.clear();
      await this.#namespace.release();
      await this.#release();
    })();
    return this.#disposed;
  }

  async #listen(node: NodeName): Promise<NodeProxies> {
    const proxies = new Map<PortName, TcpProxy>();
    for (const name of portsOf(this.#server.adminUrl).keys())
      proxies.set(name, await this.#listenFor(name, node));
    this.#open.set(node, proxies);
    for (const fault of this.#faults) await fault.extend([...proxies.values()]);
    return proxies;
  }

  #listenFor(name: PortName, node: NodeName): Promise<TcpProxy> {
    const upstream = () => {
      const address = this.#server.adminUrl;
      const { hostname } = new URL(address);
      const port = portsOf(address).get(name) ?? 0;
      return { host: hostname.replace(/^\[|\]$/g, ""), port };
    };
    const { wire, readdress } = this.#definition;
    // Both know the protocol that is spoken at the address itself.
    if (name !== "main") return TcpProxy.listen(node, upstream);
    const audience = wire && { wire, transcript: this.#transcript, gates: this.#gates };
    return TcpProxy.listen(node, upstream, audience, readdress);
  }

  #levers(control: ServerControl): Pick<FaultTarget, "server" | "trouble"> {
    const server = this.#recreating(control);
    return {
      server,
      trouble: (name: Trouble) => {
        const make = this.#definition.troubles?.[name];
        if (!make) throw new Error(`${this.engine.name} says no way to make ${name}`);
        return make({ adminUrl: () => this.#server.adminUrl, control: server });
      },
    };
  }

  /** A server that lost its data has lost this lease's namespace: its address must work again, with nothing in it. */
  #recreating(control: ServerControl): ServerControl {
    let wiped = false;
    const { members = [] } = control;
    const known = (member?: string) => {
      if (member !== undefined && !members.includes(member))
        throw memberUnknown(this.engine.name, this.engine.source, member, members);
      return member;
    };
    return {
      members,
      kill: async (member) => control.kill(known(member)),
      stop: async (member) => control.stop(known(member)),
      pause: async (member) => control.pause(known(member)),
      resume: async (member) => control.resume(known(member)),
      touch: (path) => control.touch(path),
      restore: async (snapshot) => control.restore?.(snapshot),
      disk: control.disk,
      wipe: async () => {
        await control.wipe();
        wiped = true;
      },
      start: async (special) => {
        await control.start(special);
        if (wiped) await this.#namespace.recreate();
        wiped = false;
      },
    };
  }
}
