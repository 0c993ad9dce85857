/** What one person can do with a page, by mouse, by keys, and with fingers. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { Person, SOON } from "./browser.ts";
import { CHROMIUM, IN_CHROMIUM, test } from "./stage.ts";

describe.skipIf(!CHROMIUM)(`the tools, ${IN_CHROMIUM}`, { timeout: 120_000 }, () => {
  test("keys alone: add, type, move, group, restack, take apart, delete, undo", async ({
    stage,
    context,
  }) => {
    const ada = await Person.at(await context(), stage.url, { name: "ada", board: "keys" });
    const { keyboard } = ada.page;
    const board = ada.page.locator("#board");
    for (const key of ["r", "e", "l"]) {
      await board.focus();
      await keyboard.press(key);
      await keyboard.press("Enter");
      await expect.poll(async () => (await ada.labels()).length, SOON).toBe("rel".indexOf(key) + 1);
    }
    await ada.sees("blue rectangle", "blue ellipse", "blue line");
    await ada.page.locator("#shapes > [data-shape]").first().focus();
    await keyboard.press("Enter");
    await ada.page.locator("#text").focus();
    await keyboard.type("hi 😀");
    await ada.sees("blue rectangle: hi 😀", "blue ellipse", "blue line");

    const rectangle = ada.page.locator("#shapes rect").first();
    const before = Number(await rectangle.getAttribute("x"));
    await ada.page.locator("#shapes > [data-shape]").first().focus();
    await keyboard.press("ArrowRight");
    await keyboard.press("Shift+ArrowRight");
    await expect
      .poll(async () => Number(await rectangle.getAttribute("x")), SOON)
      .toBe(before + 11);

    await keyboard.press("]");
    await ada.sees("blue ellipse", "blue rectangle: hi 😀", "blue line");
    await ada.page.locator("#shapes > [data-shape]").first().focus();
    await keyboard.press("Shift+Enter");
    await keyboard.press("Control+g");
    await ada.sees("group of 2", "blue line");
    await keyboard.press("}");
    await ada.sees("blue line", "group of 2");
    await keyboard.press("Control+Shift+G");
    await ada.sees("blue line", "blue ellipse", "blue rectangle: hi 😀");
    await keyboard.press("Delete");
    await ada.sees("blue line");
    await keyboard.press("Control+z");
    await ada.sees("blue line", "blue ellipse", "blue rectangle: hi 😀");
    await keyboard.press("Control+z");
    await ada.sees("blue line", "group of 2");
    expect(ada.errors).toEqual([]);
  });

  test("a text has every letter from the first one on, and Escape leaves it", async ({
    stage,
    context,
  }) => {
    const ada = await Person.at(await context(), stage.url, { name: "ada", board: "typed" });
    // In one go: there is no field yet when "h" comes, which otherwise takes the hand.
    await ada.page.locator("#board").evaluate((board) => {
      for (const key of ["t", "Enter", "h", "i"])
        board.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    });
    await ada.page.locator("#text").waitFor();
    await ada.page.keyboard.type(" there");
    await ada.sees("blue text: hi there");
    await ada.page.keyboard.press("Escape");
    await ada.page.keyboard.press("r");
    await ada.page.keyboard.press("Enter");
    await ada.sees("blue text: hi there", "blue rectangle");
    expect(ada.errors).toEqual([]);
  });

  test("undo takes back what one has done oneself, and nothing of others", async ({
    stage,
    context,
  }) => {
    const board = "mine";
    const ada = await Person.at(await context(), stage.url, { name: "ada", board });
    const ben = await Person.at(await context(), stage.url, { name: "ben", board });
    await ada.draw("rectangle", [100, 100], [200, 200]);
    await ben.sees("blue rectangle");
    await ben.draw("ellipse", [300, 100], [400, 200]);
    await ada.sees("blue rectangle", "blue ellipse");
    await ada.press("Undo");
    await ada.sees("blue ellipse");
    await ada.press("Undo");
    await ada.sees("blue ellipse");
    await ben.sees("blue ellipse");
  });

  test("what is chosen takes a colour and a size, and goes with a mark around it", async ({
    stage,
    context,
  }) => {
    const ada = await Person.at(await context(), stage.url, { name: "ada", board: "looks" });
    await ada.draw("rectangle", [100, 100], [200, 200]);
    await ada.page.getByRole("radio", { name: "red" }).check();
    await ada.sees("red rectangle");
    await ada.drag([200, 200], [260, 240]);
    const rectangle = ada.page.locator("#shapes rect").first();
    await expect.poll(() => rectangle.getAttribute("width"), SOON).toBe("160");
    expect(await rectangle.getAttribute("height")).toBe("140");
    await ada.draw("ellipse", [400, 100], [500, 200]);
    await ada.use("select");
    await ada.drag([60, 60], [560, 300]);
    expect(await ada.page.locator("#hand .chosen").count()).toBe(2);
    await ada.press("Delete");
    await ada.sees();
  });

  test("one shape of a group can be chosen, and moved, alone", async ({ stage, context }) => {
    const ada = await Person.at(await context(), stage.url, { name: "ada", board: "within" });
    await ada.draw("rectangle", [100, 100], [200, 200]);
    await ada.draw("ellipse", [300, 100], [400, 200]);
    await ada.drag([60, 60], [460, 260]);
    await ada.press("Group");
    await ada.sees("group of 2");
    await ada.drag([150, 150], [170, 150]);
    const [rectangle, ellipse] = [
      ada.page.locator("#shapes rect"),
      ada.page.locator("#shapes ellipse"),
    ];
    const xs = async () => {
      const boxes = [await rectangle.boundingBox(), await ellipse.boundingBox()];
      const board = await ada.page.locator("#board").boundingBox();
      return boxes.map((box) => Math.round((box?.x ?? 0) - (board?.x ?? 0)));
    };
    await expect.poll(xs, SOON).toEqual([119, 319]);
    await ada.doubleClick([370, 150]);
    await ada.page.keyboard.type("alone");
    await expect.poll(() => ada.page.locator("#shapes text").textContent(), SOON).toBe("alone");
    await ada.drag([370, 150], [370, 250]);
    const down = async () => Number(await ellipse.getAttribute("cy"));
    await expect.poll(down, SOON).toBe(250);
    expect(await xs()).toEqual([119, 319]);
    expect(await rectangle.getAttribute("y")).toBe("100");
    await ada.sees("group of 2");
  });

  test("the slider shows the board, and the accounts, as they were", async ({ stage, context }) => {
    const board = "then";
    const ada = await Person.at(await context(), stage.url, { name: "treasurer", board });
    await ada.draw("rectangle", [100, 100], [200, 200]);
    await ada.page.getByText("Ledger", { exact: true }).click();
    const issue = ada.page.getByRole("form", { name: "Issue" });
    await issue.getByLabel("account").fill("cash");
    await issue.getByLabel("amount").fill("100");
    await issue.getByRole("button").click();
    const balance = ada.page.getByRole("row", { name: "cash" });
    await expect.poll(() => balance.textContent(), SOON).toBe("cash100100");
    await ada.draw("line", [300, 100], [400, 100]);
    await ada.calm();
    const now = await ada.pixels();

    await ada.press("History");
    const slider = ada.page.getByRole("slider");
    await slider.fill("2");
    await ada.sees("blue rectangle");
    expect(await balance.textContent()).toBe("cash100");
    await slider.fill("1");
    await ada.sees("blue rectangle");
    expect(await balance.count()).toBe(0);
    await slider.press("ArrowLeft");
    await ada.sees();
    expect(await ada.page.locator("footer label").textContent()).toBe("Before all changes");
    await ada.press("Back to now");
    await ada.sees("blue rectangle", "blue line");
    expect(Buffer.compare(await ada.pixels(), now)).toBe(0);
  });

  test("one finger draws, two move and enlarge", async ({ stage, context }) => {
    const phone = await context({ hasTouch: true, viewport: { width: 420, height: 780 } });
    const ada = await Person.at(phone, stage.url, { name: "ada", board: "fingers" });
    await ada.use("rectangle");
    await touch(ada.page, [[[60, 80]], [[120, 160]], [[180, 200]]]);
    await ada.sees("blue rectangle");
    await touch(ada.page, [
      [
        [100, 150],
        [200, 150],
      ],
      [
        [75, 150],
        [225, 150],
      ],
      [
        [50, 150],
        [250, 150],
      ],
    ]);
    const scene = ada.page.locator("#board > g");
    await expect.poll(() => scene.getAttribute("transform"), SOON).toMatch(/^scale\(2\)/);
    await ada.sees("blue rectangle");
    await ada.press("Show all");
    await expect.poll(() => scene.getAttribute("transform"), SOON).toMatch(/^scale\(1\)/);
  });

  test("nothing that axe looks for is wrong, whatever the page shows", async ({
    stage,
    context,
  }) => {
    const home = await context();
    const join = await home.newPage();
    await join.goto(stage.url);
    await join.getByRole("button", { name: "Join" }).waitFor();
    expect(await violations(join)).toEqual([]);
    await join.getByLabel("Your name").fill("ada");
    await join.getByLabel("Board").fill("open-to-all");
    await join.getByRole("button", { name: "Join" }).click();
    await join.locator("#board").waitFor();
    expect(await violations(join)).toEqual([]);

    const ada = await Person.at(home, stage.url, { name: "ada", board: "open-to-all" });
    await ada.draw("rectangle", [100, 100], [200, 200]);
    await ada.draw("pen", [300, 100], [340, 60], [380, 120]);
    await ada.page.getByText("Ledger", { exact: true }).click();
    await ada.click([150, 150]);
    await ada.page.locator("#text").waitFor();
    await ada.page.getByLabel("Work offline").check();
    expect(await violations(ada.page)).toEqual([]);
    await ada.press("History");
    expect(await violations(ada.page)).toEqual([]);
  });
});

/** Fingers, from one place to the next. @param steps of each finger, in pixels from the board's upper left */
async function touch(page: Page, steps: readonly (readonly (readonly [number, number])[])[]) {
  const box = await page.locator("#board").boundingBox();
  if (!box) throw new Error("The page has no board.");
  const devtools = await page.context().newCDPSession(page);
  for (const [i, fingers] of steps.entries()) {
    const touchPoints = fingers.map(([x, y], id) => ({ x: box.x + x, y: box.y + y, id }));
    const type = i === 0 ? "touchStart" : "touchMove";
    await devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
  }
  await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await devtools.detach();
}

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Each as what is wrong, and with what. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, "utf8"));
  const found = await page.evaluate<AxeResults>("axe.run()");
  return found.violations.flatMap(({ help, nodes }) => nodes.map(({ html }) => `${help}: ${html}`));
}
