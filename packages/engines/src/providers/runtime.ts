/** Finds a container runtime without ever waiting for one that hangs. */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";

/** Generous for a local socket, and short enough for a runtime that accepts and never answers. */
const pingCapMs = 150;
const imageCapMs = 100;
/** For one that is needed: whoever has been chosen may take its time on a busy machine. */
export const patientMs = 5_000;

/** Where a runtime's HTTP API is. */
export interface Endpoint {
  /** As one would write it into DOCKER_HOST. */
  readonly uri: string;
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

export type Runtime =
  | { readonly found: true; readonly endpoint: Endpoint }
  | {
      readonly found: false;
      readonly reason: string;
      readonly remedy: string;
      readonly late?: true;
    };

const startIt = "start Docker (or Podman with its docker socket), or set KATA_ENGINES=process";

/** Asks every socket that testcontainers would try, at the same time. */
export async function findRuntime(env: NodeJS.ProcessEnv, capMs = pingCapMs): Promise<Runtime> {
  const candidates = endpoints(env);
  if (!Array.isArray(candidates)) return candidates;
  if (candidates.length === 0) {
    return {
      found: false,
      reason: "there is no docker socket, and DOCKER_HOST is not set",
      remedy: startIt,
    };
  }
  const answers = await Promise.all(
    candidates.map(async (endpoint) => ({
      endpoint,
      answer: await get(endpoint, "/_ping", capMs),
    })),
  );
  const alive = answers.find(({ answer }) => answer.status === 200);
  if (alive) return { found: true, endpoint: alive.endpoint };
  const [{ endpoint, answer } = { endpoint: undefined, answer: undefined }] = answers;
  const denied = answer?.problem === "EACCES";
  return {
    found: false,
    reason: `the container runtime at ${endpoint?.uri} ${describe(answer, capMs)}`,
    remedy: denied ? "sudo usermod -aG docker $USER, then log in again" : startIt,
    ...(answers.some(({ answer: { problem } }) => problem === "timeout") ? { late: true } : {}),
  };
}

/** Whether an image is there; undefined when the runtime doesn't say in time. */
export async function hasImage(
  endpoint: Endpoint,
  image: string,
  capMs = imageCapMs,
): Promise<boolean | undefined> {
  const { status } = await get(endpoint, `/images/${encodeURIComponent(image)}/json`, capMs);
  return status === 200 ? true : status === 404 ? false : undefined;
}

function endpoints(env: NodeJS.ProcessEnv): Endpoint[] | Extract<Runtime, { found: false }> {
  const host = env.DOCKER_HOST;
  if (host) {
    const url = URL.parse(host);
    if (url?.protocol === "unix:") return [{ uri: host, socketPath: url.pathname }];
    const local = url && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
    if (local && ["tcp:", "http:"].includes(url.protocol)) {
      return [
        { uri: host, host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 2375) },
      ];
    }
    return {
      found: false,
      reason: `DOCKER_HOST=${host} is not on this machine: what it publishes can't be reached on 127.0.0.1`,
      remedy: "unset DOCKER_HOST, or point it at a local socket",
    };
  }
  const paths = [
    "/var/run/docker.sock",
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, "docker.sock")] : []),
    join(homedir(), ".docker", "run", "docker.sock"),
    join(homedir(), ".docker", "desktop", "docker.sock"),
    `/run/user/${process.getuid?.() ?? ""}/docker.sock`,
  ];
  return [...new Set(paths)]
    .filter((path) => existsSync(path))
    .map((path) => ({ uri: `unix://${path}`, socketPath: path }));
}

interface Answer {
  readonly status?: number;
  /** `timeout`, or the system's error code. */
  readonly problem?: string;
}

function describe(answer: Answer | undefined, capMs: number): string {
  if (answer?.problem === "timeout")
    return `accepts connections, but does not answer within ${capMs} ms`;
  if (answer?.problem) return `can't be reached (${answer.problem})`;
  return `answers with HTTP status ${answer?.status}`;
}

function get({ socketPath, host, port }: Endpoint, path: string, capMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const where = socketPath ? { socketPath } : { host: host ?? "127.0.0.1", port: port ?? 2375 };
    const outgoing = request({ ...where, path, agent: false });
    const finish = (answer: Answer) => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve(answer);
    };
    // Not the socket's own timeout: that one starts anew with every byte.
    const timer = setTimeout(() => finish({ problem: "timeout" }), capMs);
    outgoing.once("response", ({ statusCode = 0 }) => finish({ status: statusCode }));
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      finish({ problem: error.code ?? error.message }),
    );
    outgoing.end();
  });
}
