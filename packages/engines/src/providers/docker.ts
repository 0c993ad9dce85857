/** What a container runtime is asked for, in the words of its HTTP API. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import type { ContainerRuntimeClient } from "testcontainers";
import type { Contents } from "../definition.ts";

export type Network = ReturnType<ContainerRuntimeClient["network"]["getById"]>;
export type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

/** The label by which a run's containers and networks are found; its value is the run's id. */
export const runLabel = "db-katas.run";

interface ContainerOptions {
  readonly name: string;
  /** The run that it belongs to. */
  readonly run: string;
  readonly image: string;
  readonly contents: Contents;
  readonly published: readonly PublishedPort[];
  /** The network that it is in, where others find it by its alias; the runtime's own where absent. */
  readonly network?: { readonly name: string; readonly alias: string };
  /** In this machine's own network, where nothing needs to be published. */
  readonly hostNetwork?: boolean | undefined;
  /** A folder that is a volume, whether or not the image has it. */
  readonly volume?: string | undefined;
  readonly memoryBytes?: number | undefined;
}

/** A TCP port in there, and where it is published on 127.0.0.1; 0 leaves that to the runtime. */
export interface PublishedPort {
  readonly inside: number;
  readonly outside: number;
}

/** Makes a container, and doesn't start it. */
export async function createContainer(
  client: ContainerRuntimeClient,
  {
    name,
    run,
    image,
    contents,
    published,
    network,
    hostNetwork,
    volume,
    memoryBytes,
  }: ContainerOptions,
): Promise<Container> {
  const { env, command, files } = contents;
  const bindings = published.map(
    ({ inside, outside }) =>
      [`${inside}/tcp`, [{ HostIp: "127.0.0.1", HostPort: String(outside || "") }]] as const,
  );
  const container = await client.container.create({
    name,
    Image: image,
    Labels: { [runLabel]: run },
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Cmd: [...command],
    ExposedPorts: Object.fromEntries(bindings.map(([each]) => [each, {}])),
    ...(volume ? { Volumes: { [volume]: {} } } : {}),
    HostConfig: {
      // Unless told otherwise, runtimes publish on every interface; ours is nobody else's business.
      ...(hostNetwork ? { NetworkMode: "host" } : { PortBindings: Object.fromEntries(bindings) }),
      // A name that nobody has is that of a member that is down: not worth ten seconds, the resolver's default.
      ...(network ? { NetworkMode: network.name, DnsOptions: ["timeout:1", "attempts:1"] } : {}),
      ...(memoryBytes ? { Memory: memoryBytes } : {}),
    },
    ...(network
      ? { NetworkingConfig: { EndpointsConfig: { [network.name]: { Aliases: [network.alias] } } } }
      : {}),
  });
  if (files) await container.putArchive(packed(files), { path: "/" });
  return container;
}

/** A tar file of texts that everybody may read, by their absolute paths. */
function packed(files: Readonly<Record<string, string>>): Readable {
  const pack = tar.pack();
  for (const [path, text] of Object.entries(files)) pack.entry({ name: path.slice(1) }, text);
  pack.finalize();
  return Readable.from(pack);
}

/** Makes a network of the run's own. */
export async function createNetwork(
  client: ContainerRuntimeClient,
  name: string,
  run: string,
): Promise<Network> {
  return client.network.create({ Name: name, Labels: { [runLabel]: run } });
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
