/**
 * Runs beside an app node in its network namespace, where nothing but loopback is. Listens on a port
 * when it is asked to and hands the listening socket to the grader, which accepts for itself from
 * then on: a socket stays in the namespace in which it was made (network_namespaces(7)).
 */
import { createServer } from "node:net";

process.on("message", ({ port }: { port: number }) => {
  const server = createServer();
  server.once("error", (error) => process.send?.({ port, error: error.message }));
  server.listen(port, "127.0.0.1", () =>
    process.send?.({ port }, server, {}, () => {
      server.close();
    }),
  );
});
process.on("disconnect", () => process.exit(0));
