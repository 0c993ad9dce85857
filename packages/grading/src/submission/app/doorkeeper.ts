/**
 * Runs beside an app node in its network namespace, where nothing but loopback is. Listens on a port
 * when it is asked to and hands the listening socket to the grader, which accepts for itself from
 * then on: a socket stays in the namespace in which it was made (network_namespaces(7)). Likewise it
 * hands over a connection to a port on which the app node listens.
 */
import { createConnection, createServer } from "node:net";

/** `connection` is there when one is wanted, and names it. */
process.on("message", ({ port, connection }: { port: number; connection?: number }) => {
  if (connection === undefined) listen(port);
  else dial(port, connection);
});
process.on("disconnect", () => process.exit(0));

function listen(port: number): void {
  const server = createServer();
  server.once("error", (error) => process.send?.({ port, error: error.message }));
  server.listen(port, "127.0.0.1", () =>
    process.send?.({ port }, server, {}, () => {
      server.close();
    }),
  );
}

function dial(port: number, connection: number): void {
  const socket = createConnection({ port, host: "127.0.0.1" });
  // What comes is for the grader to read.
  socket.pause();
  socket.once("error", (error) => process.send?.({ connection, error: error.message }));
  socket.once("connect", () => process.send?.({ connection }, socket));
}
