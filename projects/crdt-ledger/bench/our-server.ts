/** A server that speaks the contract's frames in a process of its own, with a document of its own, and who connects. */
import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { WebSocket } from "ws";
import type { Actor, ClientFrame, DocumentId, Replica } from "../contract.ts";
import reference from "../src/index.ts";
import { Bystander } from "./bystander.ts";
import { connected, untilMessage } from "./relay.ts";
import { ServerProcess } from "./server-process.ts";
import type { Usage } from "./servers/child.ts";

export class OurServer implements AsyncDisposable {
  readonly document: DocumentId = `bench-${randomUUID()}`;
  readonly #secret: string;
  readonly #process: ServerProcess;
  readonly #sockets: (Bystander | WebSocket)[] = [];

  private constructor(process: ServerProcess, secret: string) {
    this.#process = process;
    this.#secret = secret;
  }

  /**
   * @param postgres of a database that is migrated
   * @param file of `servers/`
   * @param backlogBytes default: so much that nobody is sent away who is only busy
   */
  static async start(
    postgres: string,
    { file = "ours.ts", backlogBytes = 16 * 1_024 * 1_024 } = {},
  ): Promise<OurServer> {
    const secret = randomUUID();
    const args = [postgres, secret, String(backlogBytes)];
    return new OurServer(await ServerProcess.start(file, args), secret);
  }

  /** Resolves when the client has been told all that there is. */
  connect(actor: Actor): Promise<WebSocket> {
    return this.#join(actor, connected);
  }

  /** As {@link connect}, for somebody who makes nothing of what comes. */
  connectBystander(actor: Actor): Promise<Bystander> {
    return this.#join(actor, Bystander.connect);
  }

  async #join<Client extends Bystander | WebSocket>(
    actor: Actor,
    connect: (url: string) => Promise<Client>,
  ): Promise<Client> {
    const token = await new SignJWT({ sub: actor, doc: this.document })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("12h")
      .sign(new TextEncoder().encode(this.#secret));
    const socket = await connect(`${this.#process.address}/${this.document}?token=${token}`);
    this.#sockets.push(socket);
    const synced = untilMessage(socket, (data) => String(data).includes('"synced"'));
    socket.send(JSON.stringify({ type: "hello", version: {} } satisfies ClientFrame));
    await synced;
    return socket;
  }

  usage(): Promise<Usage> {
    return this.#process.usage();
  }

  memory(): Promise<number> {
    return this.#process.memory();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await this.#process[Symbol.asyncDispose]();
  }
}

export async function replicaOf(actor: Actor): Promise<Replica> {
  const config = { role: "replica", name: actor, actor, treasurer: "treasury" } as const;
  return (await reference.createNode(config)) as Replica;
}

/** What a client of a bench is called. */
export function actorOf(client: number): Actor {
  return `person-${client}`;
}
