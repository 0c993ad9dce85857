import type { ContainerRecipe } from "../../definition.ts";
import { container as postgres } from "../postgres/container.ts";
import { settingsFor } from "./settings.ts";

export const container: ContainerRecipe = {
  ...postgres,
  describe(context, published) {
    const { env, command } = postgres.describe(context, published);
    const further = Object.entries(settingsFor(context));
    return {
      env,
      command: [...command, ...further.flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    };
  },
};
