/** Tells pages where the servers are, and gives them tokens. It believes anybody's name: it is for one's own machine. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { SignJWT } from "jose";
import type { Plugin } from "vite";
import { isActor, isDocumentId } from "../../src/model.ts";
import type { Doors, Pass } from "../client/doors.ts";

export interface Doorman {
  readonly secret: string;
  readonly doors: Doors;
  /** Where each server is. A page may ask for any of them, each time that it connects. */
  readonly servers: ReadonlyMap<string, string>;
  /** Told of each document that somebody gets a token for. */
  opened(document: string): void;
}

const TOKEN_LIFE = "1h";

export function doormanPlugin(doorman: Doorman): Plugin {
  return {
    name: "doorman",
    configureServer({ middlewares }) {
      middlewares.use("/doors", (_, response) => answer(response, 200, doorman.doors));
      middlewares.use("/pass", (request, response, next) => {
        pass(doorman, request, response).catch(next);
      });
    },
  };
}

async function pass(doorman: Doorman, request: IncomingMessage, response: ServerResponse) {
  const { searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  const [document, actor, server] = ["document", "actor", "server"].map((name) =>
    searchParams.get(name),
  );
  const address = doorman.servers.get(server ?? "");
  if (!isDocumentId(document) || !isActor(actor) || !address) {
    const known = [...doorman.servers.keys()].join(", ");
    return answer(response, 400, {
      message: `Say which document, which actor, and which server (${known}).`,
    });
  }
  doorman.opened(document);
  const token = await new SignJWT({ doc: document })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(actor)
    .setExpirationTime(TOKEN_LIFE)
    .sign(new TextEncoder().encode(doorman.secret));
  answer(response, 200, { address: `${address}/${document}?token=${token}` } satisfies Pass);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
