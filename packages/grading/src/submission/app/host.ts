/**
 * The main module of an app node's process: imports one submission and serves the grader's calls.
 * Keep its imports few: every app node of every check pays for them, and an isolated one sees no
 * file of the grader but this folder.
 */
import { readSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { deserialize } from "node:v8";
import {
  type Answer,
  answerWriter,
  Frames,
  KEY_BYTES,
  type Outcome,
  REQUESTS_FD,
  type RemoteError,
  type Request,
} from "./channel.ts";
import { installClock } from "./clock.ts";
import { resolveFrom } from "./resolve.ts";

const keepResolutions = resolveFrom(process.argv[2] ?? ".", process.argv[3]);

type AnyFunction = (...args: unknown[]) => unknown;

// The submission runs in this process too, later. What is called after that is captured now: a
// function that it replaces is not called.
const exit = process.exit.bind(process);
const decode = deserialize;
const send = answerWriter(readKey());
const setClock = installClock();
let submission: Record<string, unknown> | undefined;
let node: Record<string, unknown> | undefined;

function readKey(): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  for (let at = 0; at < KEY_BYTES; ) {
    const read = readSync(REQUESTS_FD, key, at, KEY_BYTES - at, null);
    if (read === 0) exit(0);
    at += read;
  }
  return key;
}

function remoteError(error: unknown): RemoteError {
  if (!(error instanceof Error)) return { name: "Error", message: `threw ${String(error)}` };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: error.message,
    code: typeof code === "string" ? code : undefined,
    stack: error.stack,
  };
}

function method(owner: Record<string, unknown> | undefined, name: string): AnyFunction {
  const found = owner?.[name];
  if (typeof found !== "function") {
    throw new TypeError(`The contract asks for ${name}(), and there is no such function.`);
  }
  return found.bind(owner) as AnyFunction;
}

/** @returns what the grader is told; only `call` has something to tell. */
async function perform({ operation, args }: Request): Promise<unknown> {
  switch (operation) {
    case "load": {
      const module = (await import(pathToFileURL(args[0] as string).href)) as { default?: unknown };
      if (typeof module.default !== "object" || module.default === null) {
        throw new TypeError("index.ts has no default export that is an object.");
      }
      submission = module.default as Record<string, unknown>;
      method(submission, "createNode");
      return undefined;
    }
    case "skew":
      setClock(args[0] as number);
      return undefined;
    case "migrate":
      await method(submission, "migrate")(...args);
      return undefined;
    case "createNode": {
      const made = await method(submission, "createNode")(...args);
      if (typeof made !== "object" || made === null) {
        throw new TypeError("createNode() did not resolve to an object.");
      }
      node = made as Record<string, unknown>;
      // Node keeps compiled code when a process exits by itself. This one is killed.
      flushCompileCache();
      keepResolutions();
      return undefined;
    }
    case "call": {
      const [name, ...rest] = args;
      return method(node, name as string)(...rest);
    }
  }
}

async function outcomeOf(request: Request): Promise<Outcome> {
  try {
    return { ok: true, value: await perform(request) };
  } catch (error) {
    return { ok: false, error: remoteError(error) };
  }
}

function answer(message: Answer): void {
  try {
    send(message);
  } catch (error) {
    const told = { ...remoteError(error), message: `The result can't be sent: ${String(error)}` };
    send({ id: message.id, outcome: { ok: false, error: told } });
  }
}

async function serve(request: Request): Promise<void> {
  answer({ id: request.id, outcome: await outcomeOf(request) });
}

const frames = new Frames();
const requests = new Socket({ fd: REQUESTS_FD, readable: true, writable: false });
requests.on("data", (bytes) => {
  for (const frame of frames.take(bytes)) {
    serve(decode(frame) as Request);
  }
});
// Without a grader there is nothing to do here.
for (const event of ["end", "error", "close"]) requests.on(event, () => exit(0));
