import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { attempt, MAIN, run } from "./registry.ts";

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "create-db-kata-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** What it prints, without the folder of this run, and whatever exercises there are. */
async function create(cwd: string, ...args: string[]) {
  const { code, stdout, stderr } = await attempt(cwd, process.env, process.execPath, MAIN, ...args);
  const text = `${stdout}${stderr}`.replaceAll(cwd, "<here>");
  return {
    code,
    text: text
      .replaceAll(/^(What to do: .* --kata )[a-z-]+$/gm, "$1<exercise>")
      .replaceAll(/^(Likely cause: there are ).*$/gm, "$1<exercises>"),
  };
}

describe("what it writes", () => {
  it("is there whole, with what to type next", async () => {
    const here = await emptyFolder();
    const { code, text } = await create(
      here,
      "katas",
      "--kata",
      "session-failover",
      "--no-install",
    );
    expect(code).toBe(0);
    expect(text).toMatchInlineSnapshot(`
      "
      Your workspace is ready. Now:

        cd <here>/katas
        pnpm install
        pnpm kata grade session-failover --watch
      "
    `);
    const files = await readdir(join(here, "katas"), { recursive: true, withFileTypes: true });
    const paths = files
      .filter((file) => file.isFile() && !file.parentPath.includes(".git"))
      .map((file) => join(file.parentPath, file.name).replace(`${here}/katas/`, ""));
    const isStarters = /\/src\/(?!index\.ts$)/;
    expect(paths.filter((path) => !isStarters.test(path)).sort()).toMatchInlineSnapshot(`
      [
        ".gitignore",
        ".kata-template.json",
        "README.md",
        "attempts/session-failover/.kata-template.json",
        "attempts/session-failover/README.md",
        "attempts/session-failover/contract.ts",
        "attempts/session-failover/package.json",
        "attempts/session-failover/src/index.ts",
        "attempts/session-failover/tsconfig.json",
        "attempts/session-failover/turbo.json",
        "package.json",
        "pnpm-workspace.yaml",
        "tsconfig.base.json",
        "turbo.json",
      ]
    `);
    const manifest = await readFile(join(here, "katas", "package.json"), "utf8");
    expect(manifest.replace(/pnpm@[\d.]+/, "pnpm@<version>")).toMatchSnapshot();
  });

  it("is a repository, but not one inside of another", async () => {
    const here = await emptyFolder();
    await create(here, "outer", "--yes", "--no-install");
    expect(await readdir(join(here, "outer"))).toContain(".git");
    await run(here, process.env, "git", "init", "--quiet", "repository");
    await create(here, "repository/inner", "--yes", "--no-install");
    expect(await readdir(join(here, "repository", "inner"))).not.toContain(".git");
  });

  it("goes beside what is there, if told to", async () => {
    const here = await emptyFolder();
    await writeFile(join(here, "notes.txt"), "mine");
    const { code } = await create(here, ".", "--yes", "--no-install", "--force");
    expect(code).toBe(0);
    expect(await readFile(join(here, "notes.txt"), "utf8")).toBe("mine");
    expect(await readdir(here)).toContain("attempts");
  });

  it("is only shown in a dry run", async () => {
    const here = await emptyFolder();
    const { text } = await create(
      here,
      "katas",
      "--kata",
      "session-failover",
      "--dry-run",
      "--json",
    );
    const { files } = JSON.parse(text) as { files: Record<string, string> };
    expect(files["attempts/session-failover/src/index.ts"]).toContain("task 1");
    expect(await readdir(here)).toEqual([]);
  });
});

describe("what it refuses, leaving nothing behind", () => {
  it.each([
    ["a folder with something in it", ["full", "--yes"]],
    ["to overwrite, even if told to", ["full", "--yes", "--force"]],
    ["an exercise that there isn't", ["new", "--kata", "session-failovr"]],
    ["to guess", ["new"]],
    ["a name that can't be a package's", ["new", "--new", "Write Skew", "--engines", "redis"]],
    ["a new exercise without engines", ["new", "--new", "write-skew"]],
    ["an engine that exercises can't be made for", ["new", "--new", "a", "--engines", "oracle"]],
    ["a shape that there isn't", ["new", "--new", "a", "--engines", "redis", "--shape", "grpc"]],
    ["a file in place of a folder", ["full/package.json/x", "--yes"]],
    ["a package manager that was not tried", ["new", "--yes", "--pm", "bun"]],
  ])("%s", async (_, args) => {
    const here = await emptyFolder();
    await mkdir(join(here, "full"));
    await writeFile(join(here, "full", "package.json"), "{}");
    const { code, text } = await create(here, ...args, "--no-install");
    expect(code).toBe(2);
    expect(text).toMatchSnapshot();
    expect(await readdir(here, { recursive: true })).toEqual(["full", "full/package.json"]);
  });
});

it("says what there is", async () => {
  const here = await emptyFolder();
  expect((await create(here, "--help")).text).toMatchSnapshot();
});
