import { password } from "../../context.ts";
import type { ContainerRecipe } from "../../definition.ts";
import { adminName, configuration } from "./settings.ts";

const data = "/data";

export const container: ContainerRecipe = {
  port: 6379,
  data,
  stopSeconds: 10,
  describe: (context) => ({
    env: {},
    command: [
      "redis-server",
      ...asArguments(
        configuration({
          // Inside of its container; outside, the port is published on 127.0.0.1 only.
          bind: "0.0.0.0",
          port: 6379,
          folder: data,
          adminPassword: password(context, "redis admin"),
          appPassword: password(context, "redis app"),
        }),
      ),
    ],
  }),
  adminUrl: (context, port) =>
    `redis://${adminName}:${password(context, "redis admin")}@127.0.0.1:${port}`,
};

/** A configuration file's lines, as redis-server takes them from its command line: no file to bring along. */
function asArguments(lines: string): string[] {
  return lines
    .trimEnd()
    .split("\n")
    .flatMap((line) => {
      const [name, ...values] = line.split(" ");
      return [`--${name}`, ...values.map((value) => value.replace(/^"(.*)"$/, "$1"))];
    });
}
