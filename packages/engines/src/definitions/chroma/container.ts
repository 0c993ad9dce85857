import type { ContainerRecipe } from "../../definition.ts";

/**
 * A folder that its image, of Debian, has: what a snapshot holds is put into it before the server
 * has ever run, and the image's own /data is made by the server only (rust/Dockerfile, target `cli`).
 */
const data = "/srv";

export const container: ContainerRecipe = {
  port: 8000,
  data,
  stopSeconds: 10,
  describe: () => ({
    env: { NO_COLOR: "1" },
    // To the image's entry point, which is the program `chroma`.
    command: ["run", "--host", "0.0.0.0", "--port", "8000", "--path", data],
  }),
  adminUrl: (_context, port) => `http://127.0.0.1:${port}/`,
};
