import type { Capability, EngineRequest, Fault } from "@db-katas/engines";
import type { CheckContext } from "./context.ts";

/** What a check asks of one engine. The faults it will inject say what capabilities it needs. */
export interface EngineNeeds {
  // biome-ignore lint/suspicious/noExplicitAny: a list of faults with options of any kind
  readonly faults?: readonly Fault<any>[];
  readonly needs?: readonly Capability[];
}

/**
 * A submission's contract as the grader sees it: it prepares a store, and it makes app nodes.
 * The contracts of exercises are subtypes of this one.
 */
export interface SubmissionContract {
  migrate?(stores: never): Promise<void>;
  createNode(config: never): Promise<object>;
}

/** Level by level: the first one points, the last one nearly tells. */
export type Hint<S extends SubmissionContract> =
  | string
  /** Computed from what is in the databases at the moment of failure; undefined when it has nothing to say. */
  | ((t: CheckContext<S>) => Promise<string | undefined>);

/** One thing that a submission must do. One file each, `grading/<order>-<id>.grade.ts`. */
export interface CheckDefinition<S extends SubmissionContract> {
  /** A sentence in the present tense: "a session survives Redis being killed". */
  readonly title: string;
  readonly points: number;
  /** The concept that it probes, one of the kata's. */
  readonly concept: string;
  /** Traps of the exercise's dossier that only this check catches, by their slugs. */
  readonly traps?: readonly string[];
  /** Engines by their roles in kata.ts; omit one and the check doesn't get it. */
  readonly engines: { readonly [role: string]: EngineNeeds };
  /** Ids of checks without which this one makes no sense. */
  readonly dependsOn?: readonly string[];
  /** App nodes whose processes are started before the clock of the check does. */
  readonly nodes?: readonly string[];
  /** Overrides the kata's limit, in milliseconds. */
  readonly timeoutMs?: number;
  /** Runs alone on the machine, as far as this grader can see to it: it measures time. */
  readonly timing?: boolean;
  readonly hints: readonly Hint<S>[];
  run(t: CheckContext<S>): Promise<void>;
}

/** A check with the name and place that its file gives it. */
export interface Check<S extends SubmissionContract = SubmissionContract>
  extends CheckDefinition<S> {
  readonly id: string;
  readonly file: string;
  /** As the check declares them, each with the engine that kata.ts gives that role. */
  readonly engines: { readonly [role: string]: EngineNeeds & { readonly engine?: string } };
  readonly prepare?: Preparation<S>;
}

/**
 * What an exercise says once for all of its checks: how a lease on an engine is prepared with the
 * submission's own code.
 */
export interface Preparation<S extends SubmissionContract> {
  readonly [role: string]: {
    /**
     * Brings an empty namespace at `url` to what the checks start from. Its outcome is cloned for
     * every check, so it runs once per submission. Left out where there is nothing to prepare.
     */
    build?(submission: Pick<RemoteSubmission<S>, "migrate">, url: string): Promise<void>;
  };
}

export interface RemoteSubmission<S extends SubmissionContract> {
  migrate(...args: Parameters<NonNullable<S["migrate"]>>): Promise<void>;
}

export type CheckWithPreparation<S extends SubmissionContract> = CheckDefinition<S> & {
  readonly prepare?: Preparation<S>;
};

/** Binds an exercise's contract and preparation; its checks are written with what this returns. */
export function checksFor<S extends SubmissionContract>(
  prepare: Preparation<S>,
): (definition: CheckDefinition<S>) => CheckWithPreparation<S> {
  return (definition) => ({ ...definition, prepare });
}

/** The lease that a check asks for: server faults take a server of its own. */
export function requestFor(needs: EngineNeeds): EngineRequest & { needs: readonly Capability[] } {
  const faults = needs.faults ?? [];
  const capabilities = new Set<Capability>([
    ...(needs.needs ?? []),
    ...faults.map((fault) => fault.capability),
  ]);
  return {
    isolation: faults.some((fault) => fault.scope === "server") ? "instance" : "namespace",
    needs: [...capabilities],
  };
}
