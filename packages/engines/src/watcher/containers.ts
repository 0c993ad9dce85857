/** Removes a run's containers and networks, through the runtime's own HTTP API (no client library: this must stay small). */
import { request } from "node:http";
import type { ContainerScope } from "./protocol.ts";

/** When to look again, after a run that died: a creation under way then is over within seconds. */
const furtherLooksMs = [500, 1_000, 2_000];

/**
 * Lists by label rather than by id: what was just being made when the run died has an id that nobody
 * was told.
 * @param settled whether no creation can be under way
 */
export async function removeContainers(scope: ContainerScope, settled: boolean): Promise<void> {
  for (const waitMs of settled ? [0] : [0, ...furtherLooksMs]) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await removeAll(
      scope,
      "/containers/json?all=true&",
      (id) => `/containers/${id}?force=true&v=true`,
    );
    // Now that nobody is in them any more.
    await removeAll(scope, "/networks?", (id) => `/networks/${id}`);
  }
}

async function removeAll(
  scope: ContainerScope,
  all: string,
  one: (id: string) => string,
): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [scope.label] }));
  const listed = await call(scope, "GET", `${all}filters=${filters}`);
  const ids = (JSON.parse(listed) as { Id: string }[]).map(({ Id }) => Id);
  await Promise.allSettled(ids.map((id) => call(scope, "DELETE", one(id))));
}

function call(scope: ContainerScope, method: string, path: string): Promise<string> {
  const where = scope.socketPath
    ? { socketPath: scope.socketPath }
    : { host: scope.host ?? "127.0.0.1", port: scope.port ?? 2375 };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...where, method, path, timeout: 5_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body));
    });
    outgoing.on("timeout", () =>
      outgoing.destroy(new Error("the container runtime does not answer")),
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}
