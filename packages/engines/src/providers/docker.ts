/** What a container runtime is asked for, in the words of its HTTP API. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { ContainerRuntimeClient } from "testcontainers";

export type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

/** The label by which a run's containers are found; its value is the run's id. */
export const runLabel = "db-katas.run";

interface ContainerOptions {
  readonly name: string;
  /** The run that it belongs to. */
  readonly run: string;
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** The TCP port in there that is published. */
  readonly port: number;
  /** Where it is published on 127.0.0.1; 0 leaves that to the runtime. */
  readonly published: number;
  /** Further ports in there, published wherever on 127.0.0.1. */
  readonly also: readonly number[];
}

/** Makes a container, and doesn't start it. */
export function createContainer(
  client: ContainerRuntimeClient,
  { name, run, image, env, command, port, published, also }: ContainerOptions,
): Promise<Container> {
  const bindings = [[port, published], ...also.map((each) => [each, 0])].map(
    ([inner, outer]) =>
      [`${inner}/tcp`, [{ HostIp: "127.0.0.1", HostPort: String(outer || "") }]] as const,
  );
  return client.container.create({
    name,
    Image: image,
    Labels: { [runLabel]: run },
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Cmd: [...command],
    ExposedPorts: Object.fromEntries(bindings.map(([each]) => [each, {}])),
    // Unless told otherwise, runtimes publish on every interface; ours is nobody else's business.
    HostConfig: { PortBindings: Object.fromEntries(bindings) },
  });
}

export async function stateOf(
  container: Container,
): Promise<{ readonly Running: boolean; readonly Paused: boolean; readonly ExitCode: number }> {
  return (await container.inspect()).State;
}

/** Where a port is published on this machine; 0 while the container is down. */
export async function publishedPort(container: Container, port: number): Promise<number> {
  const { NetworkSettings } = await container.inspect();
  return Number(NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort ?? 0);
}

/** Copies what is in a folder, volumes included, into a tar file; the container may be down. */
export async function fetchArchive(
  container: Container,
  folder: string,
  file: string,
): Promise<void> {
  const content = await container.getArchive({ path: `${folder}/.` });
  await pipeline(content, createWriteStream(file, { mode: 0o600 }));
}

export async function logOf(container: Container, lines: number): Promise<string> {
  return demultiplexed(await container.logs({ stdout: true, stderr: true, tail: lines }));
}

/** Without a terminal, a log comes in frames: 8 bytes of header, of which the last 4 are the length. */
function demultiplexed(output: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; at + 8 <= output.length; ) {
    const length = output.readUInt32BE(at + 4);
    parts.push(output.toString("utf8", at + 8, at + 8 + length));
    at += 8 + length;
  }
  return parts.join("");
}
