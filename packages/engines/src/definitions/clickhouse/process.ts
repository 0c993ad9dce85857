import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunContext } from "../../context.ts";
import type { PreparedServer } from "../../definition.ts";
import type { Located, Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { packaged } from "../../fetch/recipe.ts";
import { python } from "../../fetch/runtimes.ts";
import { writeFor } from "../../user.ts";
import { adminName, adminPassword } from "./settings.ts";

const clickhouse: Package = {
  name: "clickhouse",
  licence: "Apache-2.0",
  own: { program: "clickhouse", variable: "KATA_CLICKHOUSE" },
  ways: [],
  hint: () => "https://clickhouse.com/docs/install",
};

const chdb: Package = {
  name: "chdb-core-lite",
  licence: "Apache-2.0",
  ways: [
    {
      client: "pip",
      key: "chdb-core-lite-26.5.0",
      what: "chdb-core-lite 26.5.0 from PyPI",
      bytes: 51_500_000,
      source:
        "chDB (PyPI chdb-core-lite 26.5.0): ClickHouse's engine as a library, behind an HTTP front of ours",
      version: "26.5.1.1",
      requirements: join(import.meta.dirname, "chdb.txt"),
      file: "chdb",
    },
  ],
  hint: () => "sudo apt-get install python3-pip",
};

type Launch = PreparedServer["launch"];

export const recipe = packaged({
  engine: "clickhouse",
  bundles: [
    { packages: [clickhouse] },
    {
      packages: [python, chdb],
      standIn:
        "its engine as a library: answers are complete before they are sent; no sessions, users or native protocol",
    },
  ],
  version: (program) => versionOf(program, /version (\d[\d.]*\d)/),

  async prepare(located, _bundle, context) {
    const [first, library] = located;
    if (!first) throw new Error("a bundle without a server");
    const credentials = library ? "" : `${adminName}:${adminPassword(context)}@`;
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `http://${credentials}127.0.0.1:${port}/`,
      launch: library ? front(first, library) : server(first, context),
    };
  },
});

/** The library has no server; the file is read here, since the server's user may not look into this folder. */
function front(interpreter: Located, { folder = "" }: Located): Launch {
  const program = readFileSync(join(import.meta.dirname, "front.py"), "utf8");
  return async (data, port) => ({
    file: interpreter.file,
    // Nothing of the user's Python gets in.
    args: ["-I", "-c", program, folder, data, String(port)],
    cwd: data,
    env: { PATH: process.env.PATH ?? "", HOME: data, LC_ALL: "C.UTF-8", TZ: "UTC" },
  });
}

function server({ file }: Located, context: RunContext): Launch {
  return async (data, port) => {
    const configuration = join(data, "kata.xml");
    await writeFor(context.user, configuration, configured(data, port, adminPassword(context)));
    return {
      file,
      args: ["server", `--config-file=${configuration}`],
      cwd: data,
      env: { PATH: process.env.PATH ?? "", HOME: data, LC_ALL: "C.UTF-8", TZ: "UTC" },
    };
  };
}

/**
 * Users whom statements make are kept in a folder, which takes an administrator with
 * `access_management` (ClickHouse documentation, Settings > Users, Access Control and Account Management).
 */
function configured(data: string, port: number, secret: string): string {
  return `<clickhouse>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${port}</http_port>
  <path>${data}/</path>
  <tmp_path>${data}/tmp/</tmp_path>
  <user_files_path>${data}/user_files/</user_files_path>
  <user_directories>
    <users_xml><path>${join(data, "kata.xml")}</path></users_xml>
    <local_directory><path>${data}/access/</path></local_directory>
  </user_directories>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <${adminName}>
      <password>${secret}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </${adminName}>
  </users>
</clickhouse>
`;
}
