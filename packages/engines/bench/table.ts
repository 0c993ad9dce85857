/** docs/engines.md: what there is, read from the definitions; what it costs, as it was measured. */
import type { EngineDefinition } from "../src/definition.ts";
import type { OwnCopy, Way } from "../src/fetch/package.ts";
import { imagesFor } from "../src/image.ts";
import { wipeVariable } from "../src/providers/external.ts";
import { lacksOf } from "../src/providers/index.ts";
import type { Capability } from "../src/types.ts";
import type { Measurement } from "./measurements.ts";

const head = `# The engines

Made by \`pnpm --filter @db-katas/engines table\` from the definitions in
\`packages/engines/src/definitions/\` and from measurements; edit those, not this.
`;

const legend = `**E** external, a server of yours by URL · **C** container of the pinned image · **P** process of
this machine · **S** process of a stand-in · **L** library, inside of the client. What a check needs
and nobody here offers is not graded. \`diskFull\` takes Linux with util-linux, and root or user
namespaces.`;

const aboutImages = `No registry of images could be reached where this was written: none of these official images has been
pulled or run, and what is told of containers is what their documentation says. PostgreSQL, also with
its extensions, Redis and MariaDB were run on images built of Debian's packages ([architecture](architecture.md)).
TiDB, a group of four containers, has not been run at all; another group has, of three containers of
such images.
\`KATA_IMAGE_<ENGINE>\` names another image, \`KATA_IMAGE_<ENGINE>_<MEMBER>\` that of a group's member.
What is built is a pinned image with packages of its own distribution's, and is built by hand; the line
to type is what \`kata engines status\` says.`;

const aboutFetching = `Of several ways the first is taken whose package client is here. Nothing is fetched where the
machine has its own. \`pnpm kata engines install <engine>\` does it ahead.`;

const aboutCosts = `One line per engine, by what was chosen on that machine, with everything fetched and prepared.
_Start_: until the first lease is there. _First answer_: until a client of it has written and read.
_Memory_: resident, of the first server with all of its processes, at the end. _Lease_: a further one,
from a small template, right after the one before was given back. Kafka Connect's start is with its
Kafka's, its memory without. Medians; of leases a second number is what 19 of 20 don't exceed, and then
each was used for one write and one read before it was given back; the others were not used.
_load_ is how many processes wanted a core just before, and with a high one the times say little.
Of Neo4j and the stand-in for Qdrant a lease waits for the server that the last one had to be emptied
and filled again, and one that finds none to wait for takes as long as a start. Of Weaviate the second
lease of a run has four more started. Measured again by
\`pnpm --filter @db-katas/engines bench:engines [engines]\`.`;

export function engineDocs(
  definitions: readonly EngineDefinition[],
  measurements: readonly Measurement[],
): string {
  const sections = [
    head,
    "## What they can do\n",
    `${capabilities(definitions)}\n`,
    `${legend}\n`,
    "## What runs, and where it comes from\n",
    `${origins(definitions)}\n`,
    `${aboutImages}\n`,
    "## What is fetched\n",
    `${packages(definitions)}\n`,
    `${aboutFetching}\n`,
    "## Stand-ins\n",
    `${standIns(definitions)}\n`,
    "## What they cost\n",
    `${costs(definitions, measurements)}\n`,
    aboutCosts,
  ];
  return `${sections.join("\n")}\n`;
}

function capabilities(definitions: readonly EngineDefinition[]): string {
  const all = [...new Set(definitions.flatMap((definition) => definition.capabilities))];
  return table(
    ["", ...definitions.map(({ name }) => name)],
    all.map((each) => [each, ...definitions.map((definition) => ways(definition, each))]),
  );
}

/** Letters of the providers by which an engine can do it. */
function ways(definition: EngineDefinition, capability: Capability): string {
  const { urlVariable, image, container, process: recipe, library } = definition;
  if (!definition.capabilities.includes(capability)) return "";
  const bundles = recipe?.bundles ?? (recipe ? [{ packages: [] }] : []);
  const able = bundles.filter(({ lacks = [] }) => !lacks.includes(capability));
  const offered: readonly [letter: string, provider: Parameters<typeof lacksOf>[0], boolean][] = [
    ["E", "external", urlVariable !== undefined],
    ["C", "container", container !== undefined && image !== undefined],
    ["P", "process", able.some(({ standIn }) => standIn === undefined)],
    ["S", "process", able.some(({ standIn }) => standIn !== undefined)],
    ["L", "library", library !== undefined],
  ];
  return offered
    .filter(([, provider, there]) => there && !lacksOf(provider).includes(capability))
    .map(([letter]) => letter)
    .join(" ");
}

function origins(definitions: readonly EngineDefinition[]): string {
  return table(
    ["engine", "licence", "as a process", "pinned image", "a server of yours"],
    definitions.map((definition) => [
      `**${definition.name}**: ${definition.title}`,
      definition.licence,
      processOf(definition),
      imageOf(definition),
      urlOf(definition),
    ]),
  );
}

function urlOf(definition: EngineDefinition): string {
  const { urlVariable, alone } = definition;
  if (!urlVariable) return "";
  const wipe = alone ? `, with ${code(`${wipeVariable(definition)}=yes`)}` : "";
  return `${code(urlVariable)}${wipe}`;
}

function imageOf(definition: EngineDefinition): string {
  const images = imagesFor(definition, {}).map(({ name }) => code(name));
  const built =
    definition.imageFolder === undefined ? [] : [`built of \`definitions/${definition.name}/\``];
  return [...images, ...built].join(", ");
}

/** Packages by name: what it is made of is in the next table. */
function processOf({ process: recipe, library }: EngineDefinition): string {
  if (library) return library.source;
  if (!recipe) return "";
  if (!recipe.bundles) return "comes with the npm packages";
  const names = recipe.bundles.map(({ packages, standIn }) => {
    const [server, ...others] = packages.map(({ name }) => name).reverse();
    const on = others.length > 0 ? ` on ${others.join(", ")}` : "";
    return `${server}${on}${standIn === undefined ? "" : " (a stand-in)"}`;
  });
  return names.join(", else ");
}

function packages(definitions: readonly EngineDefinition[]): string {
  const uses = definitions.flatMap(({ name: engine, process: recipe }) =>
    (recipe?.bundles ?? []).flatMap((bundle) => bundle.packages.map((each) => ({ engine, each }))),
  );
  const all = new Map(uses.map(({ each }) => [each.name, each]));
  return table(
    ["package", "for", "licence", "this machine's own", "else fetched, about"],
    [...all.values()].map((each) => [
      each.name,
      uses
        .filter((use) => use.each.name === each.name)
        .map(({ engine }) => engine)
        .join(", "),
      each.licence,
      each.own ? ownCopy(each.own) : "",
      each.ways.map(fetchedBy).join("; or ") || "never",
    ]),
  );
}

function ownCopy({ program, variable, wanted, places }: OwnCopy): string {
  const besides = places ? " or where the system keeps it" : "";
  const named = variable ? `, or ${code(variable)}` : "";
  return `${code(program)}${wanted ? ` ${wanted}` : ""} on \`PATH\`${besides}${named}`;
}

function fetchedBy({ what, bytes }: Way): string {
  return `${what}, ${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function standIns(definitions: readonly EngineDefinition[]): string {
  const rows = definitions.flatMap(({ title, process: recipe }) =>
    (recipe?.bundles ?? []).flatMap(({ packages, standIn, lacks = [] }) =>
      standIn === undefined
        ? []
        : [[packages.at(-1)?.name ?? "", title, standIn, lacks.join(", ")]],
    ),
  );
  return table(["stand-in", "for", "what it is not", "capabilities that it lacks"], rows);
}

function costs(
  definitions: readonly EngineDefinition[],
  measurements: readonly Measurement[],
): string {
  return table(
    ["engine", "start", "first answer", "memory", "lease", "what was measured", "where, and when"],
    definitions.map(({ name }) => {
      const found = measurements.find(({ engine }) => engine === name);
      if (!found) return [name, "not measured", "", "", "", "", ""];
      const { provider, source, version, machine, date, memoryBytes } = found;
      const gib = Math.round(machine.memoryBytes / 1024 ** 3);
      return [
        name,
        time(found.startMs),
        time(found.firstAnswerMs),
        memoryBytes === undefined ? "" : `${Math.round(memoryBytes / 1e6)} MB`,
        [found.leaseMs, found.leaseP95Ms]
          .flatMap((ms) => (ms === undefined ? [] : [time(ms)]))
          .join(", "),
        `${version}, ${provider}: ${source}`,
        `${machine.system}, ${machine.arch}, ${machine.cores} cores, ${gib} GiB, load ${machine.load}; ${date}`,
      ];
    }),
  );
}

function time(ms: number): string {
  return ms < 1_000
    ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
    : `${(ms / 1_000).toFixed(1)} s`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Laid out as `pnpm format` would. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}
