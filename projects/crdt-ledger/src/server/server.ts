import type { Server, ServerConfig } from "../../contract.ts";

export async function startServer(config: ServerConfig): Promise<Server> {
  throw new Error(`the server ${config.name} is still to be written`);
}
