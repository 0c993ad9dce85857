import type { Kit, Session } from "../../conformance/kit.ts";
import { ask, pathOf, Refusal } from "./rest.ts";

type Config = Record<string, string>;

/** Values are settings of a connector that is never started, and would need no database. */
async function connect(url: string): Promise<Session> {
  const name = `${new URL(url).searchParams.get("prefix")}.kit`;
  const config = `${pathOf(name)}/config`;
  const get = async (key: string): Promise<string | undefined> =>
    (await orNothing(ask<Config>(url, "GET", config)))?.[setting(key)];
  await get("");
  return {
    async set(key, value) {
      const values = { [setting(key)]: value };
      const changed = await orNothing(ask(url, "PATCH", config, values));
      if (!changed)
        await ask(url, "POST", "connectors", {
          name,
          initial_state: "STOPPED",
          config: {
            "connector.class": "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector",
            "source.cluster.alias": "here",
            "target.cluster.alias": "there",
            ...values,
          },
        });
    },
    get,
    close: async () => {},
  };
}

function setting(key: string): string {
  return `kit.${key}`;
}

/** A connector that isn't there is no failure. */
async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}

export const kit: Kit = {
  connect,
  reconnects: true,
  prepare: async (url) => (await connect(url)).set("prepared", "yes"),
};
