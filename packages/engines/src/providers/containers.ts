import type { RunContext } from "../context.ts";
import type { ContainerRecipe, EngineDefinition, Found, Server } from "../definition.ts";
import { containerRuntimeFailed } from "../errors.ts";
import { containersOf, imagesFor } from "../image.ts";
import { loadFollower } from "../signals.ts";
import { runLabel } from "./docker.ts";
import type { StartOptions } from "./process.ts";
import { findRuntime, hasImage, patientMs } from "./runtime.ts";

/** About what an official image weighs; the runtime tells the exact size only while it fetches. */
const imageBytes = 150_000_000;

/** Official images, through whatever container runtime answers. Nothing is imported before one does. */
export async function offerContainer(
  definition: EngineDefinition,
  env: NodeJS.ProcessEnv,
  patient = false,
): Promise<Found> {
  const capMs = patient ? patientMs : undefined;
  const { container, title, library } = definition;
  const images = imagesFor(definition, env).map(({ name }) => name);
  if (library) return { offered: false, reason: `${title} needs no container` };
  if (!container || images.length === 0)
    return { offered: false, reason: `there is no recipe to run ${title} in a container` };
  const runtime = await findRuntime(env, capMs);
  if (!runtime.found) {
    const { found, ...declined } = runtime;
    return { offered: found, ...declined };
  }
  const { endpoint } = runtime;
  const here = await Promise.all(images.map((image) => hasImage(endpoint, image, capMs)));
  const unsure = images.find((_, index) => here[index] === undefined);
  if (unsure !== undefined) {
    return {
      offered: false,
      reason: `the container runtime at ${endpoint.uri} does not say whether ${unsure} is there`,
      remedy: "look at `docker info`",
      late: true,
    };
  }
  const absent = images.filter((_, index) => !here[index]);
  const built = absent.find((image) => image === definition.image && definition.imageFolder);
  if (built !== undefined) {
    return {
      offered: false,
      reason: `the image ${built} is not there, and is built here or nowhere`,
      remedy: `docker build --tag ${built} ${definition.imageFolder}`,
    };
  }
  if (absent.length > 0 && env.KATA_INSTALL === "never") {
    return {
      offered: false,
      reason: `the image ${absent[0]} is not there, and KATA_INSTALL=never forbids fetching it`,
      remedy: absent.map((image) => `docker pull ${image}`).join(" && "),
    };
  }
  const what =
    absent.length > 1 ? `${absent.length} images (${absent.join(", ")})` : `the image ${absent[0]}`;
  const memoryBytes = memoryOf(container);
  return {
    offered: true,
    source: `${containersOf(images)} at ${endpoint.uri}`,
    ...(memoryBytes > 0 ? { memoryBytes } : {}),
    ...(absent.length > 0 ? { fetch: { what, bytes: imageBytes * absent.length } } : {}),
  };
}

/** What its containers may have together; 0 where nothing is said of that. */
function memoryOf({ memoryBytes = 0, companions = [] }: ContainerRecipe): number {
  return companions.reduce((sum, each) => sum + (each.memoryBytes ?? 0), memoryBytes);
}

export async function startContainer(
  definition: EngineDefinition,
  context: RunContext,
  options: StartOptions,
): Promise<Server> {
  const { container: recipe } = definition;
  const images = imagesFor(definition, context.env);
  const runtime = await findRuntime(context.env, patientMs);
  if (!recipe || images.length === 0) throw new Error(`${definition.name} has no container recipe`);
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
  return ContainerServer.start(definition, recipe, images, client, context, options);
}
