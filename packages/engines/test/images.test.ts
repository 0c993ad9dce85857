import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunContext } from "../src/context.ts";
import { loadDefinitions } from "../src/index.ts";

const definitions = [...(await loadDefinitions()).values()];
const containers = definitions.flatMap((definition) =>
  definition.container ? [{ ...definition, container: definition.container }] : [],
);
const context = { id: "run", secret: "a secret" } as RunContext;

const bases = containers.filter(({ imageFolder }) => imageFolder === undefined);

test.each(bases)("each image of $name is one line of a Dockerfile, pinned", (definition) => {
  const folder = join(import.meta.dirname, "..", "src", "definitions", definition.name);
  const lines = readFileSync(join(folder, "Dockerfile"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const { name, image = "", container } = definition;
  const { companions } = container;
  expect(lines).toEqual(
    companions
      ? [...companions, { image, name }].map((each) => `FROM ${each.image} AS ${each.name}`)
      : [`FROM ${image}`],
  );
  // A version of two numbers or more, whatever stands around it; the bot may have added a digest.
  const pinned =
    /^[a-z0-9./-]+:(?<version>v?\d+(\.\d+)+(-[a-z0-9.]+|\.Final)?)(@sha256:[0-9a-f]{64})?$/;
  const images = [image, ...(companions ?? []).map((each) => each.image)];
  const versions = images.map((each) => pinned.exec(each)?.groups?.version);
  expect(versions).not.toContain(undefined);
  // Members of a group are released together.
  expect(new Set(versions).size).toBe(1);
});

test("an image of our own is an official one with packages of its own distribution, and has its tag", () => {
  for (const { image, imageFolder } of containers) {
    if (imageFolder === undefined) continue;
    const lines = readFileSync(join(imageFolder, "Dockerfile"), "utf8");
    const base = /^FROM ([a-z]+):(\d+(?:\.\d+)+)/m.exec(lines);
    expect(image).toMatch(/^db-katas\//);
    expect(image?.endsWith(`:${base?.[2]}`)).toBe(true);
    expect(lines).not.toMatch(/^(COPY|ADD)|curl|wget/m);
  }
});

test("an image without a recipe, or a recipe without one, is none", () => {
  for (const { name, image, container } of definitions) {
    const folder = join(import.meta.dirname, "..", "src", "definitions", name);
    expect(existsSync(join(folder, "Dockerfile")), name).toBe(image !== undefined);
    expect(container !== undefined, name).toBe(image !== undefined);
  }
});

test.each(containers)("$name in a container", ({ container, readdress, runsOn }) => {
  const { port, hostNetwork, data, stopSeconds, memoryBytes, companions } = container;
  const published = readdress || hostNetwork ? 40_000 : 0;
  const base = runsOn && `${runsOn}://127.0.0.1:50000`;
  const { env, command, files } = container.describe(context, published, base);
  const others = companions?.map(({ describe, serves, image: _, ...rest }) => ({
    ...{ ...rest, ...describe(context) },
    serves: { ...serves, says: String(serves.says) },
  }));
  for (const each of [{ env, command }, ...(others ?? [])]) {
    for (const [name, value] of Object.entries(each.env)) {
      expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
      expect(value).not.toMatch(/undefined|\n/);
    }
    for (const word of each.command) expect(word).not.toMatch(/undefined|\n/);
  }
  const address = new URL(container.adminUrl(context, 40_000));
  expect([address.hostname, address.port]).toEqual(["127.0.0.1", "40000"]);
  const all = { port, hostNetwork, data, stopSeconds, memoryBytes, env, command, files, address };
  const shown = JSON.stringify({ ...all, companions: others }, null, 2)
    .replaceAll(address.password || /(?!)/g, "<password>")
    .replaceAll(/#[0-9a-f]{64}/g, "<hash>");
  expect(shown).toMatchSnapshot();
});
