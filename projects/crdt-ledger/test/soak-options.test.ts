import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

function ran(program: string, ...args: string[]) {
  const file = join(import.meta.dirname, "../soak", program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("what can't be asked of a soak is refused in a line, and help says what can", () => {
  expect(ran("main.ts", "--schedules", "many")).toEqual({
    status: 2,
    stdout: "",
    stderr: '--schedules takes a whole number from 1, and was given "many".\nSee --help.\n',
  });
  expect(ran("killed.ts", "--run", "1")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^Unknown option '--run'.*\nSee --help\.\n$/s),
  });
  const help = ran("main.ts", "--help");
  expect(help).toMatchObject({ status: 0, stderr: "" });
  expect(help.stdout).toContain("--submission <dir>");
});
