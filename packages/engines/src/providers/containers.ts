import type { RunContext } from "../context.ts";
import type { EngineDefinition, Found, Server } from "../definition.ts";
import { containerRuntimeFailed } from "../errors.ts";
import { imageFor } from "../image.ts";
import { loadFollower } from "../signals.ts";
import { runLabel } from "./docker.ts";
import type { StartOptions } from "./process.ts";
import { findRuntime, hasImage } from "./runtime.ts";

/** About what an official image weighs; the runtime tells the exact size only while it fetches. */
const imageBytes = 150_000_000;
/** Whoever has been chosen may take its time on a busy machine. */
const startPingMs = 5_000;

/** Official images, through whatever container runtime answers. Nothing is imported before one does. */
export async function offerContainer(
  definition: EngineDefinition,
  env: NodeJS.ProcessEnv,
): Promise<Found> {
  const { container, title, library } = definition;
  const image = imageFor(definition, env);
  if (library) return { offered: false, reason: `${title} needs no container` };
  if (!container || !image)
    return { offered: false, reason: `there is no recipe to run ${title} in a container` };
  const runtime = await findRuntime(env);
  if (!runtime.found) return { offered: false, reason: runtime.reason, remedy: runtime.remedy };
  const here = await hasImage(runtime.endpoint, image);
  const source = `container of ${image} at ${runtime.endpoint.uri}`;
  if (here === true) return { offered: true, source };
  if (here === undefined) {
    return {
      offered: false,
      reason: `the container runtime at ${runtime.endpoint.uri} does not say whether ${image} is there`,
      remedy: "look at `docker info`",
    };
  }
  if (definition.imageFolder !== undefined && image === definition.image) {
    return {
      offered: false,
      reason: `the image ${image} is not there, and is built here or nowhere`,
      remedy: `docker build --tag ${image} ${definition.imageFolder}`,
    };
  }
  if (env.KATA_INSTALL === "never") {
    return {
      offered: false,
      reason: `the image ${image} is not there, and KATA_INSTALL=never forbids fetching it`,
      remedy: `docker pull ${image}`,
    };
  }
  return { offered: true, source, fetch: { what: `the image ${image}`, bytes: imageBytes } };
}

export async function startContainer(
  definition: EngineDefinition,
  context: RunContext,
  options: StartOptions,
): Promise<Server> {
  const { container: recipe } = definition;
  const image = imageFor(definition, context.env);
  const runtime = await findRuntime(context.env, startPingMs);
  if (!recipe || !image) throw new Error(`${definition.name} has no container recipe`);
  if (!runtime.found) throw containerRuntimeFailed("be reached", runtime.reason);
  const { uri, ...where } = runtime.endpoint;
  // testcontainers reads these as it first looks for a runtime, and then knows that one for good.
  process.env.DOCKER_HOST = uri;
  // In a container, it would look for the way out; what findRuntime finds publishes right here.
  process.env.TESTCONTAINERS_HOST_OVERRIDE = "127.0.0.1";
  const { getContainerRuntimeClient } = await loadFollower(() => import("testcontainers"));
  const { ContainerServer } = await import("./container.ts");
  const label = `${runLabel}=${context.id}`;
  await context.watcher.ask({ op: "containers", scope: { ...where, label } });
  const client = await getContainerRuntimeClient().catch((error: unknown) => {
    throw containerRuntimeFailed("be used by testcontainers", error);
  });
  return ContainerServer.start(definition, recipe, image, client, context, options);
}
