/** One registry for all tests of this package: to build and publish everything takes half a minute. */
import type { TestProject } from "vitest/node";
import { openRegistry, type Registry } from "./registry.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly registry: Registry;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const registry = await openRegistry(["session-failover"]);
  const { env, packed } = registry;
  project.provide("registry", { env, packed });
  return async () => registry[Symbol.asyncDispose]();
}
