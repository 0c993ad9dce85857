import { type ContainerRuntimeClient, ImageName } from "testcontainers";
import type { RunContext } from "../context.ts";
import { imageMissing } from "../errors.ts";
import type { WantedImage } from "../image.ts";

const limitMs = 15 * 60_000;
const noticeMs = 10_000;

/** Fetches an image that isn't there yet, saying so, and gives up rather than hang. */
export async function pull(
  client: ContainerRuntimeClient,
  { name, variable }: WantedImage,
  context: RunContext,
): Promise<void> {
  const image = ImageName.fromString(name);
  if (await client.image.exists(image)) return;
  const failed = (reason: string) => imageMissing(name, variable, reason);
  const started = Date.now();
  const notice = () =>
    context.progress(
      `fetching the image ${name} (${Math.round((Date.now() - started) / 1000)} s so far)`,
    );
  notice();
  const timer = setInterval(notice, noticeMs);
  const limit = AbortSignal.any([context.ended, AbortSignal.timeout(limitMs)]);
  const over = Promise.withResolvers<never>();
  limit.addEventListener("abort", over.reject);
  try {
    await Promise.race([client.image.pull(image), over.promise]);
  } catch (error) {
    throw failed(
      context.ended.aborted
        ? "the run has ended"
        : limit.aborted
          ? `not done after ${limitMs / 60_000} min`
          : (error as Error).message,
    );
  } finally {
    clearInterval(timer);
    limit.removeEventListener("abort", over.reject);
  }
  // A registry's refusal comes in the middle of a stream that testcontainers doesn't read.
  if (!(await client.image.exists(image))) throw failed("the registry did not send it");
}
