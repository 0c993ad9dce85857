import type {
  ActiveFault,
  Fault,
  FaultArguments,
  Gate,
  GateOptions,
  Lease,
} from "@db-katas/engines";
import type { SubmissionContract } from "./check.ts";
import { Expectations } from "./expectations.ts";
import type { Random } from "./seed.ts";
import type { AppProcess } from "./submission/process.ts";
import { brief, type Trace } from "./trace.ts";
import { CheckFailure } from "./verdict.ts";

/** What a submission's `createNode` resolves to. */
export type NodeOf<S extends SubmissionContract> = Awaited<ReturnType<S["createNode"]>>;

export interface ContextParts {
  readonly seed: number;
  readonly random: Random;
  readonly leases: ReadonlyMap<string, Lease>;
  readonly trace: Trace;
  /** Starts, or takes from the ones started ahead, the process of that name. */
  readonly process: (name: string) => AppProcess;
  /** A folder that is removed when the check ends. */
  readonly folder: string;
  /** A debugger is attached: what the submission takes long for is not held against it. */
  readonly patient?: boolean;
}

/** Everything that a check may use. Whatever it does through here is in the trace of its failure. */
export class CheckContext<S extends SubmissionContract> extends Expectations {
  /** This check's own seed. */
  readonly seed: number;
  readonly random: Random;
  /** A folder of the check's own, removed when it ends. */
  readonly folder: string;
  readonly #parts: ContextParts;
  #disturbed = false;

  constructor(parts: ContextParts) {
    super(parts.patient);
    this.seed = parts.seed;
    this.random = parts.random;
    this.folder = parts.folder;
    this.#parts = parts;
  }

  /** The lease on an engine that the check declared, by its role. */
  lease(role: string): Lease {
    const lease = this.#parts.leases.get(role);
    if (!lease) throw new Error(`This check declares no engine called ${role}.`);
    return lease;
  }

  /** Starts an app node in a process of its own. */
  async start(name: string, ...config: Parameters<S["createNode"]>): Promise<NodeOf<S>> {
    const process = this.#parts.process(name);
    await process.ready;
    await this.#parts.trace.call(name, "createNode(…)", () => process.createNode(config));
    const call = (method: string, args: unknown[]) => {
      const shown = args.map((arg) => brief(arg, 60)).join(", ");
      const answer = this.#parts.trace.call(name, `${method}(${shown})`, () =>
        process.call(method, args),
      );
      // A check that fails leaves calls behind that nobody waits for; they may reject in peace.
      answer.catch(() => {});
      return answer;
    };
    // A proxy that answers to any name but `then`, or awaiting it would call the submission.
    return new Proxy({} as NodeOf<S>, {
      get: (_, method) =>
        typeof method === "string" && method !== "then"
          ? (...args: unknown[]) => call(method, args)
          : undefined,
    });
  }

  /**
   * Sets a node's wall clock (what `Date` says there) wrong, before it is started or while it runs;
   * timers go on as they are. Another node's clock, and the engines', stay right.
   * @param aheadMs how far it is ahead, in milliseconds; below zero for behind, 0 to set it right
   */
  async skew(node: string, aheadMs: number): Promise<void> {
    const process = this.#parts.process(node);
    await process.ready;
    this.#disturbed = true;
    this.#parts.trace.step(
      aheadMs === 0
        ? `node ${node}'s clock is right again`
        : `node ${node}'s clock is ${Math.abs(aheadMs)} ms ${aheadMs > 0 ? "ahead" : "behind"}`,
    );
    await process.skew(aheadMs);
  }

  /** Calls the submission's `migrate` in a process of its own. */
  async migrate(...args: Parameters<NonNullable<S["migrate"]>>): Promise<void> {
    const process = this.#parts.process("migrate");
    await process.ready;
    await this.#parts.trace.call("migrate", "migrate(…)", () => process.migrate(args));
  }

  /**
   * Where the grader finds what a node says that it listens on, which isolation makes another place.
   * @param protocols those that the contract allows, such as `http:`
   * @throws CheckFailure when it isn't an address of theirs with a port, on the loopback 127.0.0.1
   */
  async reach(node: string, address: unknown, protocols: readonly string[]): Promise<URL> {
    const url = typeof address === "string" && URL.canParse(address) ? new URL(address) : undefined;
    // Whatever else it may name is nothing that the grader would ask for a submission.
    if (!url?.port || url.hostname !== "127.0.0.1" || !protocols.includes(url.protocol)) {
      throw new CheckFailure(`node ${node} says where it listens`, {
        expected: `${protocols.join(" or ")}//127.0.0.1:<port>/`,
        received: brief(address, 200),
      });
    }
    url.port = String(await this.#parts.process(node).portOf(Number(url.port)));
    return url;
  }

  /**
   * Speaks to a node over a protocol of its own, such as HTTP, as if it were a call: it is in the
   * trace, has the limit of a call, and what goes wrong is the submission's. What is no answer but an
   * error must be thrown as SubmissionError by the caller, who knows the protocol.
   * @param text what is asked, for the trace
   */
  exchange<T>(node: string, text: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const answer = this.#parts.trace.call(node, text, () =>
      this.#parts.process(node).exchange(text, work),
    );
    answer.catch(() => {});
    return answer;
  }

  /** Says in the trace what the check is about to do, in words of the brief. */
  step(text: string): void {
    this.#parts.trace.step(text);
  }

  /** Whether this check has injected a fault, held a message or set a clock wrong yet; true for good from then on. */
  get disturbed(): boolean {
    return this.#disturbed;
  }

  /** Injects a fault into one of the check's engines. It is healed when disposed, or at the check's end. */
  async inject<Options>(
    role: string,
    fault: Fault<Options>,
    ...options: FaultArguments<Options>
  ): Promise<ActiveFault> {
    const described = options.length > 0 ? ` ${brief(options[0])}` : "";
    this.#disturbed = true;
    const healed = this.#parts.trace.fault(role, fault.name, described);
    const active = await this.lease(role).inject(fault, ...options);
    const heal = async () => {
      await active.heal();
      healed();
    };
    return { name: active.name, startedAt: active.startedAt, heal, [Symbol.asyncDispose]: heal };
  }

  /**
   * Holds one message of an app node back, so that a race goes one way only. Race `gate.held`
   * against the call that should get there: a submission that never says it would leave it waiting.
   */
  hold(role: string, options: GateOptions): Gate {
    const { node, direction = "request", match, nth = 1 } = options;
    this.#disturbed = true;
    const gate = this.lease(role).gate(options);
    const kind = direction === "reply" ? "reply to" : "request";
    const number = nth > 1 ? `, number ${nth},` : "";
    const what = `${node ?? "any node"}'s ${kind} ${match}${number}`;
    const note = (text: string) => this.#parts.trace.gate(role, text);
    note(`${what} will be held`);
    let over = false;
    const end = (how: string, act: () => void) => {
      if (!over) note(`${what} ${how}`);
      over = true;
      act();
    };
    gate.held.then(
      ({ node: who, text }) => {
        if (!over) note(`holding ${who}'s ${kind} ${text.slice(0, 90)}`);
      },
      () => {},
    );
    const release = () => end("released", () => gate.release());
    return {
      held: gate.held,
      release,
      drop: () => end("dropped", () => gate.drop()),
      [Symbol.dispose]: release,
    };
  }
}
