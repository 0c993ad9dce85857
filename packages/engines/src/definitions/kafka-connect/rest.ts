/** The REST interface of a worker (Kafka's documentation, Kafka Connect, "REST API"). */

export interface Connector {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly initial_state: "RUNNING" | "PAUSED" | "STOPPED";
}

/** What a worker answered that wasn't what was asked for. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
  }
}

/** How long a worker may make one wait, in milliseconds. */
const patienceMs = 30_000;

/**
 * While workers deal out connectors anew, they answer 409 and want to be asked again.
 * @param path without its leading slash
 * @throws Refusal
 */
export function ask<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  return insist(
    async () => {
      const { status, message, json } = await askOnce(url, method, path, body);
      if (status >= 400) throw new Refusal(status, `${method} ${path}: ${message}`);
      return json as T;
    },
    ({ status, message }) => status === 409 && /rebalance/i.test(message),
  );
}

/** Asks again and again where a refusal is for now only. */
async function insist<T>(
  work: () => Promise<T>,
  passes: (refusal: Refusal) => boolean,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal) || !passes(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/**
 * @returns the version of a worker that takes part in its group, with nothing being dealt out anew
 * @throws anything, as long as it doesn't
 */
export async function assertReady(url: string): Promise<string> {
  const signal = AbortSignal.timeout(10_000);
  const { json, message } = await askOnce(url, "GET", "", undefined, signal);
  const version = (json as { version?: string } | undefined)?.version;
  // Before it has come up, it answers 404 in HTML to everything.
  if (version === undefined) throw new Error(message);
  // A question to its group that changes nothing: there is no such connector.
  const restart = "connectors/kata-ready/restart";
  const asked = await askOnce(url, "POST", restart, undefined, signal);
  if (asked.status !== 404) throw new Error(asked.message);
  return version;
}

/** The names of all connectors that begin so. */
export async function namesOf(url: string, prefix: string): Promise<string[]> {
  return (await ask<string[]>(url, "GET", "connectors")).filter((name) => name.startsWith(prefix));
}

export function pathOf(name: string): string {
  return `connectors/${encodeURIComponent(name)}`;
}

/** A connector as one would make it again, once it has been dealt out: until then it has no state. */
export async function connectorOf(url: string, name: string): Promise<Connector> {
  const { connector } = await insist(
    () => ask<{ connector: { state: string } }>(url, "GET", `${pathOf(name)}/status`),
    ({ status }) => status === 404,
  );
  const config = await ask<Connector["config"]>(url, "GET", `${pathOf(name)}/config`);
  const { state } = connector;
  // One that has failed was to run, too.
  return {
    name,
    config,
    initial_state: state === "PAUSED" || state === "STOPPED" ? state : "RUNNING",
  };
}

async function askOnce(
  url: string,
  method: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly message: string; readonly json?: unknown }> {
  const answer = await fetch(new URL(`/${path}`, url), {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  const text = await answer.text();
  const { status } = answer;
  if (!answer.headers.get("content-type")?.startsWith("application/json"))
    return { status, message: `HTTP status ${status}` };
  const json = JSON.parse(text) as { message?: string };
  return { status, message: json.message ?? `HTTP status ${status}`, json };
}
