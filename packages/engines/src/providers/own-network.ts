/**
 * A network of a server's own, for one that listens on every interface, whatever it is told: a
 * network namespace that has nothing but a loopback (network_namespaces(7)). The only ways in are
 * doors, one for each of the server's ports: a port of our loopback, which leads to a Unix socket,
 * whose listener lives in there. Sockets in files know no networks (unix(7)).
 */
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { extname, join } from "node:path";
import { setTimeout as delayed } from "node:timers/promises";
import { type RunContext, tail, unique } from "../context.ts";
import { ownNetworkRefused } from "../errors.ts";
import type { PortName, Ports } from "../ports.ts";
import { TcpProxy } from "../proxy.ts";
import type { Launched } from "../watcher/client.ts";
import type { Launch } from "../watcher/protocol.ts";
import { becoming, entering, trying, unshares, unsharing } from "./unshare.ts";

const openDeadlineMs = 10_000;
/** In which a server must have closed what we broke. */
const partingMs = 5_000;
/** To sh, before what is to run in there. */
const loopbackAndRun = `ip link set lo up && exec "$@"`;

/** ESTABLISHED, SYN_RECV and CLOSE_WAIT, as `/proc/net/tcp` has them (proc_net_tcp of the kernel's documentation). */
const open: ReadonlySet<string> = new Set(["01", "03", "08"]);

let tried: Promise<boolean> | undefined;

/** Whether this machine lets us have such networks: tried once, on one that nobody uses. */
export function ownNetworks(env: NodeJS.ProcessEnv): Promise<boolean> {
  tried ??= process.platform === "linux" ? tryOne(env) : Promise.resolve(false);
  return tried;
}

/** Does what a real one takes, and forgets it. */
export function tryOne(env: NodeJS.ProcessEnv): Promise<boolean> {
  const sh = ["sh", "-c", loopbackAndRun, "sh"];
  return unshares([...unsharing("--net"), ...sh, ...trying, "--version"], env);
}

export class OwnNetwork {
  /** The same on both sides of the doors, and across restarts of the server. */
  readonly ports: Ports;
  readonly #context: RunContext;
  readonly #doors: readonly TcpProxy[];
  readonly #keeper: Launched;

  private constructor(
    context: RunContext,
    ports: Ports,
    doors: readonly TcpProxy[],
    keeper: Launched,
  ) {
    this.#context = context;
    this.ports = ports;
    this.#doors = doors;
    this.#keeper = keeper;
  }

  /**
   * @param engine whose server will live there
   * @param folder of that server
   * @throws EngineError `START_FAILED` where the machine refuses after all
   */
  static async open(
    context: RunContext,
    engine: string,
    folder: string,
    names: readonly PortName[],
  ): Promise<OwnNetwork> {
    const socketOf = (port: number) => join(folder, `${port}.door`);
    const ports = new Map<PortName, number>();
    const doors: TcpProxy[] = [];
    for (const name of names) {
      const door: TcpProxy = await TcpProxy.listen("door", () => ({ path: socketOf(door.port) }));
      doors.push(door);
      ports.set(name, door.port);
    }
    // Same extension as this file: source in development, JavaScript when published.
    const main = join(import.meta.dirname, `doorkeeper${extname(import.meta.filename)}`);
    const sockets = [...ports.values()].map(socketOf);
    const log = join(folder, "doors.log");
    const keeper = await context.watcher.launch(unique("doors"), {
      file: "unshare",
      args: [
        ...unsharing("--net"),
        ...["sh", "-c", loopbackAndRun, "sh"],
        ...[process.execPath, main, ...sockets],
      ],
      env: { PATH: context.env.PATH ?? "" },
      cwd: folder,
      log,
    });
    const network = new OwnNetwork(context, ports, doors, keeper);
    const deadline = Date.now() + openDeadlineMs;
    while (!sockets.every((socket) => existsSync(socket))) {
      if (keeper.ended() || Date.now() > deadline) {
        await network.end();
        throw ownNetworkRefused(engine, tail(log, 6));
      }
      await delayed(5);
    }
    return network;
  }

  /** The same program, in there. */
  within({ file, args, ...launch }: Omit<Launch, "log">): Omit<Launch, "log"> {
    const entered = entering("--net", this.#keeper.pid);
    const command = [...becoming(this.#context.user), file, ...args];
    return { ...launch, file: "nsenter", args: [...entered, ...command] };
  }

  /**
   * Breaks all connections, and resolves when the server has read what came by them, and closed them.
   * @throws Error when it doesn't in good time
   */
  async disconnect(): Promise<void> {
    const deadline = Date.now() + partingMs;
    const breaking = () => {
      for (const door of this.#doors) door.resetConnections();
    };
    breaking();
    // Who came before these is at the server by then: they pass the doors in order.
    await Promise.all([...this.ports.values()].map((port) => knock(port, partingMs)));
    while (this.#connected()) {
      if (Date.now() > deadline) throw new Error("somebody is still connected");
      breaking();
      await delayed(2);
    }
  }

  /** Whether the server has yet to close a connection, or to learn of it. */
  #connected(): boolean {
    const ports = [...this.ports.values()];
    return ["tcp", "tcp6"].some((table) =>
      readFileSync(`/proc/${this.#keeper.pid}/net/${table}`, "utf8")
        .split("\n")
        .slice(1)
        .some((line) => {
          const [, local = "", , state = ""] = line.trim().split(/\s+/);
          return ports.includes(Number.parseInt(local.split(":")[1] ?? "", 16)) && open.has(state);
        }),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
    await this.#context.watcher.ask({ op: "kill", key: this.#keeper.key });
  }
}

/** Comes and goes; resolves when it has been let go. */
function knock(port: number, patienceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("error", () => {});
    socket.once("close", () => resolve());
    socket.resume().end();
  });
}
