/** The reference's server. Arguments: PostgreSQL's address, the tokens' secret, `backlogBytes`. */
import type { Server } from "../../contract.ts";
import reference from "../../src/index.ts";
import { serve } from "./child.ts";

const [postgres = "", secret = "", backlogBytes] = process.argv.slice(2);
const server = (await reference.createNode({
  role: "server",
  name: "bench",
  treasurer: "treasury",
  postgres,
  secret,
  // A busy machine shall make it slow, not fail.
  requestBudgetMs: 30_000,
  limits: { changeBytes: 65_536, frameBytes: 1_048_576, backlogBytes: Number(backlogBytes) },
})) as Server;
await serve(await server.address());
