import type { ContainerRecipe } from "../../definition.ts";

/**
 * A folder that its image, of Ubuntu, has and that the server may write, root or not: from 3 on it is
 * not, and the usual /var/lib/milvus is root's (milvus-io/milvus, issue 51221). What a snapshot holds
 * is put into it before the server has ever run.
 */
const data = "/var/tmp";

/**
 * All of Milvus in one process, its etcd included (scripts/standalone_embed.sh). Any setting of
 * milvus.yaml is a variable without its dots: `rocksmq.path` is ROCKSMQ_PATH.
 */
export const container: ContainerRecipe = {
  port: 19530,
  data,
  startSeconds: 90,
  stopSeconds: 20,
  describe: () => ({
    env: {
      DEPLOY_MODE: "STANDALONE",
      ETCD_USE_EMBED: "true",
      ETCD_DATA_DIR: `${data}/etcd`,
      COMMON_STORAGETYPE: "local",
      LOCALSTORAGE_PATH: `${data}/data`,
      // From 3 on, another log of messages is the default.
      MQ_TYPE: "rocksmq",
      ROCKSMQ_PATH: `${data}/messages`,
      // Of the machine's memory.
      ROCKSMQ_LRUCACHERATIO: "0.01",
      // A namespace is one, and 64 the default.
      ROOTCOORD_MAXDATABASENUM: "1024",
    },
    command: ["milvus", "run", "standalone"],
  }),
  adminUrl: (_context, port) => `http://127.0.0.1:${port}/`,
};
