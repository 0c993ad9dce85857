import type { ProcessRecipe } from "../../definition.ts";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { ownNetworks } from "../../providers/own-network.ts";
import { settings } from "./settings.ts";

const weaviate: Package = {
  name: "weaviate",
  licence: "BSD-3-Clause",
  own: { program: "weaviate", variable: "KATA_WEAVIATE" },
  ways: [
    {
      client: "go",
      key: "weaviate-1.35.2",
      what: "Weaviate 1.35.2, built from its Go module",
      bytes: 382_000_000,
      compiledBytes: 1_450_000_000,
      source: "Weaviate 1.35.2, built from its Go module, in our cache",
      version: "1.35.2",
      module: "github.com/weaviate/weaviate/cmd/weaviate-server@v1.35.2",
      file: "bin/weaviate-server",
    },
  ],
  hint: () => "https://github.com/weaviate/weaviate/releases",
};

const packages = packaged({
  engine: "weaviate",
  bundles: [{ packages: [weaviate] }],

  async prepare([server]) {
    return {
      stopSignal: "SIGTERM",
      // Its gRPC and the data port of its cluster are bound to no address (`:50051`), and can't be.
      ownNetwork: true,
      metrics: true,
      adminUrl: (port) => `http://127.0.0.1:${port}/`,
      launch: async (data, port, { ports }) => ({
        file: server?.file ?? "",
        args: ["--host", "127.0.0.1", "--port", String(port), "--scheme", "http"],
        cwd: data,
        env: {
          ...settings,
          PATH: process.env.PATH ?? "",
          HOME: data,
          LC_ALL: "C.UTF-8",
          PERSISTENCE_DATA_PATH: data,
          GRPC_PORT: String(ports.get("grpc")),
          PROMETHEUS_MONITORING_ENABLED: "true",
          PROMETHEUS_MONITORING_PORT: String(ports.get("metrics")),
          CLUSTER_BIND_ADDR: "127.0.0.1",
          CLUSTER_ADVERTISE_ADDR: "127.0.0.1",
          CLUSTER_IN_LOCALHOST: "true",
        },
      }),
    };
  },
});

export const recipe: ProcessRecipe = {
  ...packages,
  offer: async (env) =>
    (await ownNetworks(env))
      ? packages.offer(env)
      : {
          offered: false,
          reason:
            "it listens on every interface, and this machine gives it no network of its own: that takes Linux with util-linux and iproute2, and root or user namespaces",
          remedy:
            "unshare --user --map-root-user --net ip link set lo up   # says what is in the way",
        },
};
