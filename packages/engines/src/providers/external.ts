import { connect } from "node:net";
import type { RunContext } from "../context.ts";
import type { EngineDefinition, Found, Server } from "../definition.ts";
import { EngineError } from "../errors.ts";

/** Whoever names a server means it: only one that never answers is waited for as long. */
const answerCapMs = 2_000;
const defaultPorts: Readonly<Record<string, number>> = {
  "postgres:": 5432,
  "postgresql:": 5432,
  "redis:": 6379,
  "mongodb:": 27017,
  "kafka:": 9092,
  "mysql:": 3306,
  "bolt:": 7687,
  "http:": 80,
};

/** The variable by which a user says that a server of one database may be emptied: `KATA_NEO4J_WIPE=yes`. */
export function wipeVariable({ name }: EngineDefinition): string {
  return `KATA_${name.toUpperCase()}_WIPE`;
}

/** A server that the user runs. It is ours to use, not to stop. */
export async function offerExternal(
  definition: EngineDefinition,
  env: NodeJS.ProcessEnv,
): Promise<Found> {
  const variable = definition.urlVariable;
  if (!variable) {
    const reason = definition.library ? "is not a server" : "can't be used by a URL of yours";
    return { offered: false, reason: `${definition.title} ${reason}` };
  }
  const value = env[variable];
  if (!value) {
    return {
      offered: false,
      reason: `${variable} is not set`,
      remedy: `${variable}=${definition.urlExample ?? `${definition.name}://user:password@host:port`} pnpm test`,
    };
  }
  const wipe = wipeVariable(definition);
  if (definition.alone && env[wipe] !== "yes") {
    return {
      offered: false,
      reason: `${definition.title} has one database, so that each lease would empty all of ${variable} when it ends`,
      remedy: `${wipe}=yes, for a server that is empty and that nobody else uses`,
    };
  }
  const url = parsed(definition, variable, value);
  if (!(await reachable(url)))
    return {
      offered: false,
      reason: `nothing answers at ${url.host} (${variable})`,
      remedy: `start that server, or unset ${variable}`,
    };
  return { offered: true, source: `${variable} (${url.host})` };
}

export async function startExternal(
  definition: EngineDefinition,
  context: RunContext,
): Promise<Server> {
  const variable = definition.urlVariable ?? "";
  const url = parsed(definition, variable, context.env[variable] ?? "");
  const version = await definition.ready(url.href).catch((error: Error) => {
    throw new EngineError("START_FAILED", {
      happened: `The server at ${url.host} (${variable}) answers, but not as ${definition.title} should: ${error.message}`,
      likely: "wrong credentials, or another program on that port",
      remedy: `check ${variable}`,
      cause: error,
    });
  });
  return {
    provider: "external",
    source: `${variable} (${url.host})`,
    version,
    isolated: false,
    adminUrl: url.href,
    memory: async () => undefined,
    log: async () => "",
    end: async () => {},
  };
}

function parsed({ also = {} }: EngineDefinition, variable: string, value: string): URL {
  const url = URL.parse(value);
  if (!url?.hostname) {
    throw new EngineError("SETTING_INVALID", {
      happened: `${variable} is not a URL`,
      remedy:
        "write it like postgres://user:password@127.0.0.1:5432/postgres or redis://127.0.0.1:6379",
    });
  }
  if (!url.port) url.port = String(defaultPorts[url.protocol] ?? "");
  for (const [name, port] of Object.entries(also))
    if (!url.searchParams.has(name)) url.searchParams.set(name, String(port));
  return url;
}

function reachable(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(answerCapMs, () => finish(false));
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}
