/** Hocuspocus with its defaults: it keeps nothing, and lets everybody in. Only who listens may be silent for longer. */
import { Server } from "@hocuspocus/server";
import { serve } from "./child.ts";

const server = new Server({
  address: "127.0.0.1",
  port: 0,
  quiet: true,
  stopOnSignals: false,
  timeout: 3_600_000,
});
await server.listen();
await serve(`ws://127.0.0.1:${server.address.port}`);
