import type { ContainerRecipe } from "../../definition.ts";
import { settings } from "./settings.ts";

/** A folder that its image, of Alpine, has: what a snapshot holds is put into it before the server has ever run. */
const data = "/srv";

export const container: ContainerRecipe = {
  port: 8080,
  data,
  stopSeconds: 10,
  // The image's own command makes it listen where a published port leads.
  describe: () => ({ env: { ...settings, PERSISTENCE_DATA_PATH: data }, command: [] }),
  adminUrl: (_context, port) => `http://127.0.0.1:${port}/`,
};
