import type { ContainerRecipe } from "../../definition.ts";

/**
 * A folder that its image, of Debian, has: what a snapshot holds is put into it before the server
 * has ever run.
 */
const data = "/srv";

export const container: ContainerRecipe = {
  port: 6333,
  data,
  stopSeconds: 10,
  describe: () => ({
    // Any setting of its configuration file is a variable (Qdrant's documentation, "Configuration").
    env: {
      QDRANT__STORAGE__STORAGE_PATH: `${data}/storage`,
      QDRANT__STORAGE__SNAPSHOTS_PATH: `${data}/snapshots`,
      QDRANT__TELEMETRY_DISABLED: "true",
    },
    command: [],
  }),
  adminUrl: (_context, port) => `http://127.0.0.1:${port}/`,
};
