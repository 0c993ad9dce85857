import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunContext } from "../src/context.ts";
import { apt, isInRelease } from "../src/fetch/apt.ts";
import type { AptWay } from "../src/fetch/package.ts";
import { Watcher } from "../src/watcher/client.ts";
import { ownFolder } from "./helpers.ts";

const way: AptWay = {
  client: "apt",
  key: "server-apt",
  what: "Debian's server package",
  bytes: 1_000,
  source: "a server",
  file: "usr/bin/server",
  packages: ["server"],
  release: "12",
  without: /^libllvm/,
};

/** Names what it would fetch, and fetches what it is told to. */
const fakeApt = `#!/bin/sh
case "$*" in
  *" install "*) for name in server libllvm14 libpq5; do echo "'http://mirror/$name.deb' \${name}_1.0_amd64.deb 500 SHA256:0"; done ;;
  *) while [ "$1" != download ]; do shift; done; shift; for name; do touch "\${name}_1.0_amd64.deb"; done ;;
esac
`;
/** Unpacking leaves the file's name. */
const fakeDpkg = '#!/bin/sh\nmkdir -p "$3" && touch "$3/$(basename "$2")"\n';

test("apt leaves away what a server can do without", async () => {
  await using here = await ownFolder();
  const at = (name: string) => join(here.path, name);
  for (const [name, script] of [
    ["apt-get", fakeApt],
    ["dpkg-deb", fakeDpkg],
  ] as const)
    writeFileSync(at(name), script, { mode: 0o755 });
  mkdirSync(at("downloads"));
  const watcher = new Watcher(at("run"));
  await watcher.ready();
  const said: string[] = [];
  const context = {
    folder: at("run"),
    env: process.env,
    watcher,
    progress: (message: string) => said.push(message),
  } as unknown as RunContext;
  await apt.fetch(way, {
    context,
    engine: "x",
    folder: at("unpacked"),
    downloads: at("downloads"),
    programs: [at("apt-get"), at("dpkg-deb")],
  });
  await watcher.end();
  expect(said).toEqual(["x: fetching 2 packages, 0.0 MB, with apt-get"]);
  expect(readdirSync(at("unpacked")).sort()).toEqual([
    "libpq5_1.0_amd64.deb",
    "server_1.0_amd64.deb",
  ]);
});

test("packages of one release are offered in no other", async () => {
  await using here = await ownFolder();
  const file = join(here.path, "os-release");
  const { release: _, ...anywhere } = way;
  expect(isInRelease(way, file)).toBe(false);
  expect(isInRelease(anywhere, file)).toBe(true);
  for (const [text, expected] of [
    ['ID=debian\nVERSION_ID="12"\n', true],
    ['ID=debian\nVERSION_ID="13"\n', false],
    ['ID=ubuntu\nVERSION_ID="12"\n', false],
    ["ID=debian\n", false],
  ] as const) {
    writeFileSync(file, text);
    expect(isInRelease(way, file), text).toBe(expected);
  }
});
