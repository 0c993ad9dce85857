/** A real browser, and one person in front of a page of it. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** For whatever has to happen at last, on a busy machine, in milliseconds. */
export const SOON = { timeout: 20_000 };

/** Undefined where there is none. */
export function findChromium(): string | undefined {
  const { KATA_CHROMIUM, PATH = "" } = process.env;
  if (KATA_CHROMIUM) return KATA_CHROMIUM;
  const folders = PATH.split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function launch(executablePath: string) {
  return chromium.launch({
    executablePath,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export type At = readonly [x: number, y: number];

export class Person {
  readonly page: Page;
  /** What the page's scripts threw, and what they wrote as an error. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  /** @param query name, board and server, as the page has them */
  static async at(
    context: BrowserContext,
    url: string,
    query: Readonly<Record<string, string>>,
  ): Promise<Person> {
    const person = new Person(await context.newPage());
    await person.page.goto(`${url}?${new URLSearchParams(query)}`);
    await person.page.locator("#board").waitFor({ timeout: SOON.timeout });
    return person;
  }

  get status() {
    return this.page.locator("#status");
  }

  async isOnline(): Promise<void> {
    await expect.poll(() => this.status.textContent(), SOON).toBe("Online");
  }

  async use(tool: string): Promise<void> {
    await this.page.getByRole("toolbar").getByRole("button", { name: tool, exact: true }).click();
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** @param at in pixels from the board's upper left, which is also what the board begins with */
  async drag(...at: readonly At[]): Promise<void> {
    const { x, y } = await this.#corner();
    const [first, ...others] = at.map(([right, down]) => [x + right, y + down] as const);
    if (!first) return;
    await this.page.mouse.move(...first);
    await this.page.mouse.down();
    for (const to of others) await this.page.mouse.move(...to, { steps: 4 });
    await this.page.mouse.up();
  }

  async click([right, down]: At): Promise<void> {
    const { x, y } = await this.#corner();
    await this.page.mouse.click(x + right, y + down);
  }

  async draw(tool: string, ...at: readonly At[]): Promise<void> {
    await this.use(tool);
    await this.drag(...at);
  }

  async doubleClick([right, down]: At): Promise<void> {
    const { x, y } = await this.#corner();
    await this.page.mouse.dblclick(x + right, y + down);
  }

  /** Writes an entry of the ledger, as its form has it. */
  async enter(form: string, values: Readonly<Record<string, string>>): Promise<void> {
    const entry = this.page.getByRole("form", { name: form });
    for (const [field, value] of Object.entries(values)) {
      await entry.getByLabel(field, { exact: true }).fill(value);
    }
    await entry.getByRole("button").click();
  }

  /** @returns the balance, and what this person may spend of it */
  async account(name: string): Promise<string[]> {
    return await this.page.getByRole("row", { name }).getByRole("cell").allTextContents();
  }

  /** What a screen reader is told of each shape, from the lowest to the highest. */
  labels(): Promise<string[]> {
    return this.page
      .locator("#shapes > [data-shape]")
      .evaluateAll((shapes) => shapes.map((shape) => shape.getAttribute("aria-label") ?? ""));
  }

  async sees(...labels: readonly string[]): Promise<void> {
    await expect.poll(() => this.labels(), SOON).toEqual(labels);
  }

  /** All that is drawn: ids, order, places, colours, texts. */
  async state(): Promise<string> {
    await this.calm();
    return await this.page.locator("#shapes").evaluate((shapes) => shapes.innerHTML);
  }

  /** The board's pixels, without what belongs to one person or the other. */
  async pixels(): Promise<Buffer> {
    await this.calm();
    const style = "#pointers { display: none } * { outline: none !important }";
    return await this.page.locator("#board").screenshot({ style, animations: "disabled" });
  }

  /** Nothing is chosen or under way. */
  async calm(): Promise<void> {
    await this.page.locator("#board").focus();
    await this.page.keyboard.press("Escape");
    const chosen = this.page.locator("#shapes [aria-pressed=true], #hand > *");
    await expect.poll(() => chosen.count(), SOON).toBe(0);
  }

  async #corner(): Promise<{ x: number; y: number }> {
    const box = await this.page.locator("#board").boundingBox();
    if (!box) throw new Error("The page has no board.");
    return box;
  }
}
