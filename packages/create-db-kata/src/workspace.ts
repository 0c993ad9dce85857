/** What a workspace consists of besides its exercises. */
import { asTypedWith, type PackageManager } from "@db-katas/generators/package-manager";
import type { Offer } from "./offer.ts";
import type { Answers, OwnExercise } from "./questions.ts";

export type { PackageManager };

/** All that has to be known before anything is written. */
export interface Choices extends Answers {
  /** Absolute. */
  readonly folder: string;
  readonly pm: PackageManager;
  /** Its version, for whoever reads `packageManager`: turbo does. */
  readonly pmVersion: string;
}

/** How one types the `kata` command. */
export function kataCommand(pm: PackageManager): string {
  return asTypedWith(pm, "pnpm kata");
}

/** What one types after it for a new exercise. */
export function newArguments({ name, engines, shape }: OwnExercise): string[] {
  return ["new", name, "--engines", ...engines, ...(shape ? ["--shape", shape] : [])];
}

/** The files of a workspace, by their paths in it. */
export function workspaceFiles(
  name: string,
  { pm, pmVersion, katas }: Pick<Choices, "pm" | "pmVersion" | "katas">,
  offer: Offer,
  tsconfig: string,
): Record<string, string> {
  const chosen = offer.katas.filter((kata) => katas.includes(kata.name));
  const ours = ["cli", "engines", "grading"].map((each) => [`@db-katas/${each}`, offer.version]);
  const graders = chosen.map((kata) => [kata.package, kata.version]);
  const manifest = {
    name,
    private: true,
    type: "module",
    packageManager: `${pm}@${pmVersion}`,
    ...(pm === "npm" && { workspaces: ["attempts/*", "projects/*"] }),
    scripts: { test: "kata test", kata: "kata" },
    devDependencies: {
      ...Object.fromEntries([...ours, ...graders].map(([each, version]) => [each, `^${version}`])),
      ...offer.tools,
    },
  };
  return {
    "package.json": json(manifest),
    ...(pm === "pnpm" && { "pnpm-workspace.yaml": pnpmSettings(offer) }),
    "tsconfig.base.json": tsconfig,
    "turbo.json": json({
      tasks: { types: {}, test: { dependsOn: ["types"], env: ["KATA_*"], cache: false } },
    }),
    ".gitignore": "node_modules/\n.kata/\n.turbo/\n",
    "README.md": readme(name, katas, pm),
  };
}

function pnpmSettings(offer: Offer): string {
  return [
    'packages: ["attempts/*", "projects/*"]',
    "# Node itself comes as a package. No other install script has anything to do here.",
    "allowBuilds: { node: true }",
    "strictDepBuilds: false",
    "# Of chromadb only the client is needed.",
    'ignoredOptionalDependencies: ["chromadb-js-bindings-*"]',
    `nodeVersion: ${offer.tools.node}`,
    "# Another pnpm than package.json says will do.",
    "pmOnFail: ignore",
    "",
  ].join("\n");
}

function readme(name: string, katas: readonly string[], pm: PackageManager): string {
  const kata = kataCommand(pm);
  const first = katas[0] ?? "<exercise>";
  return `# ${name}

Database exercises, graded on real engines that really fail.

    ${kata} grade ${first} --watch    # grades again whenever you save
    ${kata} hint ${first}             # when you are stuck
    ${pm} test                        # grades all of your attempts

The brief of each exercise is \`attempts/<exercise>/README.md\`; what you write is in its \`src/\`.
\`${kata} list\` names the exercises that are here, \`${kata} doctor\` says what this machine lacks.
`;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
