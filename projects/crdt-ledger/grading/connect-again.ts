import {
  type Client,
  type Person,
  perhaps,
  RECOVERY_MS,
  type ServerNode,
  type Stage,
} from "./clients.ts";
import type { LedgerContext } from "./kit.ts";

/**
 * A connection like {@link Stage.connect}'s, where a hello may be let go with 1013: PostgreSQL has been away, or
 * the budget is small and the machine is busy.
 */
export async function connectAgain(
  t: LedgerContext,
  stage: Stage,
  person: Person,
  server: ServerNode,
): Promise<Client> {
  const token = await stage.token({ sub: person.actor });
  const ask = async () => {
    const client = await stage.open(server, token, person);
    await client.hello();
    await perhaps(
      () => client.closedWith !== undefined || client.all("synced").length > 0,
      RECOVERY_MS,
    );
    if (client.closedWith === undefined) return client;
    client.vanish();
    return null;
  };
  const what = "a server that has PostgreSQL again lets clients in";
  const client = (await t.eventually(
    RECOVERY_MS,
    ask,
    (found) => found !== null,
    what,
    "synced",
  )) as Client;
  await client.taken();
  return client;
}
