/**
 * The main module of an app node's process: imports one submission and serves the grader's calls
 * over the parent's IPC channel. Keep its imports few: every app node of every check pays for them.
 */
import { realpathSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { createBirpc } from "birpc";
import type { HostFunctions, Outcome, RemoteError } from "./protocol.ts";

// A submission may lie anywhere on disk. What it imports and does not have itself, it gets from the
// exercise that it is an answer to, whose folder is this process's first argument.
const exercise = pathToFileURL(`${realpathSync(process.argv[2] ?? ".")}/index.ts`).href;
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (/^[./]|^[a-z]+:/.test(specifier)) throw error;
      return next(specifier, { ...context, parentURL: exercise });
    }
  },
});

type AnyFunction = (...args: unknown[]) => unknown;

// The submission runs in this process too. It gets no handle on the channel: what it prints or
// sends by the usual ways can't look like an answer.
const send = process.send?.bind(process);
if (!send) throw new Error("This module is started by the grader.");
const on = process.on.bind(process);
const exit = process.exit.bind(process);
Reflect.deleteProperty(process, "send");
on("disconnect", () => exit(0));

let submission: Record<string, unknown> | undefined;
let node: Record<string, unknown> | undefined;

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

async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: remoteError(error) };
  }
}

function method(owner: Record<string, unknown> | undefined, name: string): AnyFunction {
  const found = owner?.[name];
  if (typeof found !== "function") {
    throw new TypeError(`The contract asks for ${name}(), and there is no such function.`);
  }
  return found.bind(owner) as AnyFunction;
}

const functions: HostFunctions = {
  load: (entry) =>
    outcomeOf(async () => {
      const module = (await import(pathToFileURL(entry).href)) as { default?: unknown };
      if (typeof module.default !== "object" || module.default === null) {
        throw new TypeError("index.ts has no default export that is an object.");
      }
      submission = module.default as Record<string, unknown>;
      method(submission, "createNode");
    }),
  migrate: (args) =>
    outcomeOf(async () => {
      await method(submission, "migrate")(...args);
    }),
  createNode: (args) =>
    outcomeOf(async () => {
      const made = await method(submission, "createNode")(...args);
      if (typeof made !== "object" || made === null) {
        throw new TypeError("createNode() did not resolve to an object.");
      }
      node = made as Record<string, unknown>;
    }),
  call: (name, args) => outcomeOf(() => method(node, name)(...args)),
};

createBirpc<Record<string, never>, HostFunctions>(functions, {
  post: (message: { i?: string }) => {
    try {
      send(message);
    } catch (error) {
      const outcome: Outcome = {
        ok: false,
        error: { ...remoteError(error), message: `The result can't be sent: ${String(error)}` },
      };
      send({ ...message, r: outcome });
    }
  },
  on: (listener) => {
    on("message", listener);
  },
  timeout: -1,
});
