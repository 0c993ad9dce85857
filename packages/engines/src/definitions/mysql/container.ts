import type { ContainerRecipe } from "../../definition.ts";
import { adminPassword, settings } from "./settings.ts";

export const container: ContainerRecipe = {
  port: 3306,
  data: "/var/lib/mysql",
  stopSeconds: 10,
  describe: (context) => ({
    // The image's own first user has rights on one database only; root is who may do everything.
    env: { MARIADB_ROOT_PASSWORD: adminPassword(context), MARIADB_ROOT_HOST: "%" },
    command: ["mariadbd", ...settings],
  }),
  adminUrl: (context, port) => `mysql://root:${adminPassword(context)}@127.0.0.1:${port}/mysql`,
};
