/** Where these tests find a container engine: `.ci/with-containers` brings one up and says so. */
import { request } from "node:http";
import { json } from "node:stream/consumers";
import { describe } from "vitest";

const address = process.env.KATA_CONTAINERS;

/** Settings for runs that take nothing but containers; undefined where there is no engine. */
export const containers: NodeJS.ProcessEnv | undefined = address
  ? { ...process.env, KATA_ENGINES: "container", DOCKER_HOST: address }
  : undefined;

/** A suite that is skipped, with the reason in its name, where there is no container engine. */
export function describeContainers(name: string, tests: (env: NodeJS.ProcessEnv) => void): void {
  const why =
    process.env.KATA_NO_CONTAINERS ?? "KATA_CONTAINERS is not set, see .ci/with-containers";
  if (containers) describe(name, () => tests(containers));
  else describe.skip(`${name} (skipped: ${why})`, () => tests({}));
}

/** Asks the engine's HTTP API; what isn't there comes as what the engine says of that. */
export function ask<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const socketPath = new URL(address ?? "").pathname;
    const outgoing = request({ socketPath, path }, (response) =>
      resolve(json(response) as Promise<T>),
    );
    outgoing.on("error", reject).end();
  });
}

/** What is known of a container. */
export interface Inspected {
  readonly State: { readonly StartedAt: string; readonly Running: boolean };
  readonly HostConfig: {
    readonly Memory: number;
    readonly PortBindings: Readonly<Record<string, readonly { HostIp: string }[]>>;
  };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { HostIp: string }[]>>;
  };
  readonly Mounts: readonly { readonly Name: string; readonly Destination: string }[];
}

/** Ids of the containers of a run, whatever state they are in. */
export async function containersOf(run: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`db-katas.run=${run}`] }));
  const found = await ask<{ Id: string }[]>(`/containers/json?all=true&filters=${filters}`);
  return found.map(({ Id }) => Id);
}

/** Names of the volumes that are there, of those given. */
export async function volumesAmong(names: readonly string[]): Promise<string[]> {
  const { Volumes } = await ask<{ Volumes: { Name: string }[] | null }>("/volumes");
  return (Volumes ?? []).map(({ Name }) => Name).filter((name) => names.includes(name));
}

/** Names of the networks of a run. */
export async function networksOf(run: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`db-katas.run=${run}`] }));
  return (await ask<{ Name: string }[]>(`/networks?filters=${filters}`)).map(({ Name }) => Name);
}
