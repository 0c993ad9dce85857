import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { publishNext } from "./next-version.ts";
import { attempt, type Registry } from "./registry.ts";

const EXERCISE = "@db-katas/session-failover";

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, "utf8");
  const changed = change(text);
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
}

/** The exercise of version 2, in its package and in what makes workspaces of it. */
async function improve(name: string, folder: string): Promise<void> {
  if (name === "@db-katas/generators") return improveTemplates(join(folder, "templates/exercise"));
  const exercise = name === EXERCISE ? folder : join(folder, "dist/exercises/session-failover");
  if (name !== EXERCISE && name !== "create-db-kata") return;
  await edit(join(exercise, "README.md"), (text) => text.replace(/^# .*/, "# Sessions that stay"));
  await appendFile(join(exercise, "contract.ts"), "\nexport type Added = 1;\n");
  await edit(join(exercise, "starter/index.ts"), (text) => `// Version 2.\n${text}`);
  await writeFile(join(exercise, "starter/clock.ts"), "export const now = () => Date.now();\n");
  await rm(join(exercise, "starter/stores.ts"));
}

/** What new exercises are made from, in version 2. */
async function improveTemplates(folder: string): Promise<void> {
  await edit(join(folder, "README.md.hbs"), (text) =>
    text.replace("## Predict first", "## Predict"),
  );
  await edit(join(folder, "starter/index.ts.hbs"), (text) =>
    text.replace("starts here", "goes here"),
  );
  await edit(join(folder, "src/index.ts.hbs"), (text) => `// Version 2.\n${text}`);
  await writeFile(join(folder, "NOTES.md.hbs"), "# {{{title}}}: notes\n");
}

/** What is told, without what differs from run to run, and from draw to draw: of exercises only these two. */
function told(text: string, exercises: Readonly<Record<"edited" | "untouched", string>>): string {
  const lines = text
    .replaceAll(/update-\d[\dTZ-]+/g, "update-<time>")
    .replaceAll(/(\S) {2,}/g, "$1  ")
    .split("\n");
  const drawn = (line: string) => line.includes(" projects/") && !line.includes(" projects/own/");
  const ofTwo = Object.entries(exercises).flatMap(([label, name]) =>
    lines
      .filter((line) => line.includes(` projects/${name}/`))
      .map((line) => line.replace(`projects/${name}/`, `projects/<${label}>/`)),
  );
  return [...lines.filter((line) => !drawn(line)), ...ofTwo].join("\n");
}

/** `kata update`. It publishes a version 2: whatever is made from the registry after it has that. */
export function itUpdates(
  place: { readonly root: string; readonly env: NodeJS.ProcessEnv },
  registry: Registry,
  [edited, untouched]: readonly [string, string],
): void {
  it("takes the next version over, and nothing that the learner has written is lost", async () => {
    const { root } = place;
    const pnpm = (...args: string[]) =>
      attempt(root, place.env, "npx", "--yes", "pnpm@12.21.0", ...args);
    // An exercise of one's own that nobody has recorded.
    const own = join(root, "projects", "own");
    await mkdir(own, { recursive: true });
    const versions = { "@db-katas/grading": "^0.1.0", "@db-katas/engines": ">=0.1.0" };
    await writeFile(
      join(own, "package.json"),
      JSON.stringify({ name: "own", devDependencies: versions }),
    );
    const mine = (...path: string[]) => join(root, "attempts", "session-failover", ...path);
    expect((await pnpm("kata", "update")).stdout).toContain("Everything is up to date.");

    await appendFile(mine("src/index.ts"), "// Mine.\n");
    await writeFile(mine("src/own.ts"), "export {};\n");
    await edit(mine("README.md"), (text) => text.replace(/^# .*/, "# My notes"));
    await edit(mine("package.json"), (text) =>
      text.replace('"scripts": {', '"scripts": {\n"x": "y",'),
    );
    const authored = (...path: string[]) => join(root, "projects", edited, ...path);
    await edit(authored("README.md"), (text) => text.replace(/^# .*/, "# My exercise"));
    await edit(authored("starter/index.ts"), (text) => text.replace("starts here", "is yours"));
    await writeFile(authored("src/index.ts"), "export default {};\n");
    await publishNext(registry, "0.2.0", improve);

    const before = await readFile(join(root, "package.json"), "utf8");
    const dry = await pnpm("kata", "update", "--dry-run");
    expect(dry.code).toBe(1);
    expect(dry.stdout).toContain("Nothing was written.");
    expect(await readFile(join(root, "package.json"), "utf8")).toBe(before);

    const done = await pnpm("kata", "update");
    expect(done.code).toBe(1);
    expect(told(done.stdout, { edited, untouched })).toMatchSnapshot();
    expect(await readFile(mine("README.md"), "utf8")).toMatch(
      /^<<<<<<< yours\n# My notes\n=======\n# Sessions that stay\n>>>>>>> @db-katas\/session-failover@0\.2\.0\n/,
    );
    const index = await readFile(mine("src/index.ts"), "utf8");
    expect(index).toMatch(/^\/\/ Version 2\.\n(?:.*\n)*\/\/ Mine\.\n$/);
    const files = await readdir(mine("src"));
    expect(files).toEqual(expect.arrayContaining(["clock.ts", "index.ts", "own.ts"]));
    expect(files).not.toContain("stores.ts");
    expect(await readFile(mine("contract.ts"), "utf8")).toContain("export type Added = 1;");
    expect(JSON.parse(await readFile(mine("package.json"), "utf8"))).toMatchObject({
      scripts: { x: "y" },
      devDependencies: { "@db-katas/cli": "^0.2.0" },
    });
    expect(JSON.parse(await readFile(join(own, "package.json"), "utf8"))).toMatchObject({
      devDependencies: { "@db-katas/grading": "^0.2.0", "@db-katas/engines": ">=0.1.0" },
    });
    expect(await readFile(authored("README.md"), "utf8")).toMatch(
      /^# My exercise\n[\s\S]*\n## Predict\n/,
    );
    expect(await readFile(authored("starter/index.ts"), "utf8")).toMatch(
      /^<<<<<<< yours\n.* is yours\..*\n=======\n.* goes here\..*\n>>>>>>> @db-katas\/generators@0\.2\.0\n/,
    );
    expect(await readFile(authored("src/index.ts"), "utf8")).toBe("export default {};\n");
    expect(await readFile(authored("NOTES.md"), "utf8")).toMatch(/: notes\n$/);
    const src = join(root, "projects", untouched, "src/index.ts");
    expect(await readFile(src, "utf8")).toMatch(/^\/\/ Version 2\.\n/);
    expect(JSON.parse(await readFile(authored("package.json"), "utf8"))).toMatchObject({
      devDependencies: { "@db-katas/grading": "^0.2.0" },
    });
    const cli = join(root, "node_modules/@db-katas/cli/package.json");
    expect(JSON.parse(await readFile(cli, "utf8"))).toMatchObject({ version: "0.2.0" });

    const none = await pnpm("kata", "update", "--to", "9.9.9");
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("PACKAGE_NOT_FOUND  create-db-kata@9.9.9 is not to be had");
    expect((await pnpm("kata", "update")).stdout).toContain("Everything is up to date.");

    // The solution is fetched when it is asked for, and becomes nobody's dependency.
    const diff = await pnpm("kata", "diff", "session-failover", "--spoil", "--file", "index.ts");
    expect(diff.stdout).toContain("+++ reference/index.ts");
    const variant = ["--variant", "outbox", "--file", "index.ts"];
    const other = await pnpm("kata", "diff", "session-failover", "--spoil", ...variant);
    expect(other.stdout).toMatch(/^\+\+\+ .*index\.ts/m);
    expect(await readdir(join(root, ".kata", "solutions"))).toEqual(["session-failover-0.2.0"]);
  }, 300_000);
}
