import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { sha256Of } from "@db-katas/engines";
import prettyBytes from "pretty-bytes";
import send from "send";
import { CliError } from "../errors.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0: whichever is free. */
  readonly port: number;
}

/**
 * Serves one file, and nothing else, until Ctrl-C.
 * @throws CliError `FILE_UNUSABLE`, `ADDRESS_UNUSABLE`
 */
export async function serveFile(file: string, { host, port }: ServeOptions): Promise<void> {
  const path = resolve(file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) {
    throw new CliError("FILE_UNUSABLE", `There is no file ${file}.`, {
      remedy: "pnpm kata engines bundle <file>",
    });
  }
  const sha256 = await sha256Of(path);
  const name = encodeURIComponent(basename(path));
  const server = createServer((request, response) => {
    if (request.url !== `/${name}`) {
      response.writeHead(404).end();
      return;
    }
    response.once("finish", () => {
      if (request.method === "GET" && [200, 206].includes(response.statusCode))
        process.stdout.write(`sent to ${request.socket.remoteAddress}\n`);
    });
    send(request, name, { root: dirname(path), dotfiles: "allow" }).pipe(response);
  });
  server.listen(port, host);
  await once(server, "listening").catch((error: Error) => {
    throw new CliError("ADDRESS_UNUSABLE", `Can't listen on ${host}: ${error.message}.`, {
      remedy: `--host with an address of this machine: ${addresses().join(", ")}`,
    });
  });
  const chosen = server.address() as AddressInfo;
  process.stdout.write(
    `${formatServed({ file, bytes: found.size, name, sha256, host, port: chosen.port })}\n`,
  );
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  server.close();
  server.closeAllConnections();
}

function formatServed(served: {
  readonly file: string;
  readonly bytes: number;
  readonly name: string;
  readonly sha256: string;
  readonly host: string;
  readonly port: number;
}): string {
  const { file, bytes, name, sha256, host, port } = served;
  const everywhere = ["0.0.0.0", "::"].includes(host);
  const hosts = everywhere ? addresses() : [host];
  const alone = host === "127.0.0.1" ? ["Only this machine can fetch it: see --host."] : [];
  return [
    `Serving ${file}, ${prettyBytes(bytes)}. What the others type:`,
    ...hosts.map(
      (each) =>
        `  pnpm kata engines load http://${isIP(each) === 6 ? `[${each}]` : each}:${port}/${name} --sha256 ${sha256}`,
    ),
    ...alone,
    "Ctrl-C ends it.",
  ].join("\n");
}

/** Where others could reach this machine. */
function addresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const found = all.filter(({ family, internal }) => family === "IPv4" && !internal);
  return found.length > 0 ? found.map(({ address }) => address) : ["127.0.0.1"];
}
