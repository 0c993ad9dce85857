import { password, type RunContext } from "../../context.ts";
import type { Companion, ContainerRecipe } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";

const mib = 1024 ** 2;
const { dirname } = import.meta;

/**
 * Whether it serves, asked from inside: the images have `wget` for that
 * (PingCAP-QE/artifacts, dockerfiles/bases).
 */
const asks = (url: string) => ["wget", "--quiet", "--output-document=-", url];

/**
 * Who knows where everything is, and what time it is. Flags and addresses of all four are those of
 * pingcap/tidb-docker-compose and of TiFlash's own tests (pingcap/tiflash, tests/docker/cluster.yaml).
 */
const pd: Companion = {
  name: "pd",
  image: pinnedImage(dirname, "pd"),
  data: "/data",
  startSeconds: 60,
  stopSeconds: 10,
  memoryBytes: 512 * mib,
  describe: () => ({
    env: {},
    command: [
      "--name=pd",
      "--client-urls=http://0.0.0.0:2379",
      "--advertise-client-urls=http://pd:2379",
      "--peer-urls=http://0.0.0.0:2380",
      "--advertise-peer-urls=http://pd:2380",
      "--initial-cluster=pd=http://pd:2380",
      "--data-dir=/data",
      "--config=/pd.toml",
    ],
    files: {
      // One store can't hold three copies; and tests are no reason to call somebody's disk full.
      "/pd.toml": [
        "[replication]",
        "max-replicas = 1",
        "[schedule]",
        "low-space-ratio = 1.0",
        "[pd-server]",
        'dashboard-address = "none"',
        "",
      ].join("\n"),
    },
  }),
  serves: { command: asks("http://127.0.0.1:2379/pd/api/v1/health"), says: /"health": ?true/ },
};

/**
 * What a machine for tests takes of both stores: 5 GB of disk that TiKV reserves by default are for
 * nobody here, and with so few files open it needs no raised limit (both as `tiup playground` does).
 */
const frugal = [
  "[storage]",
  'reserve-space = "0"',
  'reserve-raft-space = "0"',
  "[rocksdb]",
  "max-open-files = 256",
  "[raftdb]",
  "max-open-files = 256",
  "",
].join("\n");

/** Rows. Its caches are shares of the memory that its container may have. */
const tikv: Companion = {
  name: "tikv",
  image: pinnedImage(dirname, "tikv"),
  data: "/data",
  startSeconds: 60,
  stopSeconds: 20,
  memoryBytes: 2048 * mib,
  describe: () => ({
    env: {},
    command: [
      "--addr=0.0.0.0:20160",
      "--advertise-addr=tikv:20160",
      "--status-addr=0.0.0.0:20180",
      "--advertise-status-addr=tikv:20180",
      "--pd=pd:2379",
      "--data-dir=/data",
      "--config=/tikv.toml",
    ],
    files: { "/tikv.toml": frugal },
  }),
  serves: { command: asks("http://127.0.0.1:20180/status"), says: /^/ },
};

/** The same in columns. It takes a processor with AVX2 (TiDB's hardware requirements). */
const tiflash: Companion = {
  name: "tiflash",
  image: pinnedImage(dirname, "tiflash"),
  data: "/data",
  startSeconds: 120,
  stopSeconds: 20,
  memoryBytes: 4096 * mib,
  describe: () => ({
    env: {},
    command: ["--config-file", "/tiflash.toml"],
    files: {
      // Of a gigabyte each, by default (etc/config-template.toml).
      "/tiflash.toml": [
        `mark_cache_size = ${128 * mib}`,
        `minmax_index_cache_size = ${128 * mib}`,
        'tmp_path = "/data/tmp"',
        "[storage.main]",
        'dir = ["/data/main"]',
        "[flash]",
        'service_addr = "0.0.0.0:3930"',
        "[flash.proxy]",
        'addr = "0.0.0.0:20170"',
        'advertise-addr = "tiflash:20170"',
        'engine-addr = "tiflash:3930"',
        'status-addr = "0.0.0.0:20292"',
        'advertise-status-addr = "tiflash:20292"',
        'data-dir = "/data/proxy"',
        'config = "/tiflash-proxy.toml"',
        "[raft]",
        'pd_addr = "pd:2379"',
        "[logger]",
        // Without a terminal it would say nothing (BaseDaemon.cpp).
        "console = true",
        'level = "info"',
        "",
      ].join("\n"),
      "/tiflash-proxy.toml": frugal,
    },
  }),
  // Idle and Ready come before, Stopping after (docs/tiflash_http_api.md).
  serves: { command: asks("http://127.0.0.1:20292/tiflash/store-status"), says: /Running/ },
};

const rootPassword = (context: RunContext) => password(context, "tidb root");

/** TiDB itself keeps nothing. */
export const container: ContainerRecipe = {
  port: 4000,
  startSeconds: 90,
  stopSeconds: 15,
  memoryBytes: 1536 * mib,
  companions: [pd, tikv, tiflash],
  describe: (context) => ({
    env: {},
    command: [
      "--store=tikv",
      "--path=pd:2379",
      "--advertise-address=tidb",
      // Run once, as a new cluster is first started (TiDB configuration file, `initialize-sql-file`).
      "--initialize-sql-file=/kata.sql",
    ],
    files: { "/kata.sql": `ALTER USER root@'%' IDENTIFIED BY '${rootPassword(context)}';\n` },
  }),
  adminUrl: (context, port) => `mysql://root:${rootPassword(context)}@127.0.0.1:${port}/mysql`,
};
