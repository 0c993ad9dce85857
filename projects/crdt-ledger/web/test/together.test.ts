/** Two people in two browsers, on two servers, with a cable that can be cut. */
import { describe, expect } from "vitest";
import { Person, SOON } from "./browser.ts";
import { CHROMIUM, IN_CHROMIUM, test } from "./stage.ts";

describe.skipIf(!CHROMIUM)(`people together, ${IN_CHROMIUM}`, { timeout: 120_000 }, () => {
  test("cut off, both go on; together again, they have the same board, to the pixel", async ({
    stage,
    context,
    cable,
  }) => {
    const board = "apart";
    const ada = await Person.at(await context(), stage.url, { name: "ada", board, server: "a" });
    const home = await context();
    const ben = await Person.at(home, stage.url, { name: "ben", board, server: cable.name });
    await ada.draw("rectangle", [100, 100], [260, 200]);
    await ada.draw("ellipse", [400, 100], [520, 180]);
    await ada.page.locator("#text").fill("both");
    await ben.sees("blue rectangle", "blue ellipse: both");
    await ben.isOnline();

    cable.cut();
    await expect.poll(() => ben.status.textContent(), SOON).not.toBe("Online");
    // Ben moves what Ada deletes, types where Ada types, and draws on top.
    await ben.click([180, 150]);
    await ben.drag([180, 150], [200, 330]);
    await ben.click([460, 140]);
    await ben.page.locator("#text").press("End");
    await ben.page.locator("#text").pressSequentially(" of us");
    await ben.draw("pen", [600, 400], [640, 300], [690, 420], [740, 310]);
    await ben.draw("line", [60, 60], [300, 60]);
    await expect.poll(() => ben.status.textContent(), SOON).toMatch(/wait here|Connecting/);
    expect(Number(await ben.status.getAttribute("data-waiting"))).toBeGreaterThanOrEqual(4);

    await ada.calm();
    await ada.click([460, 140]);
    await ada.page.locator("#text").press("Home");
    await ada.page.locator("#text").pressSequentially("for ");
    await ada.click([180, 150]);
    await ada.page.keyboard.press("Delete");
    await ada.draw("rectangle", [620, 280], [700, 360]);
    await ada.sees("blue ellipse: for both", "blue rectangle");
    expect((await ben.labels()).length).toBe(4);

    cable.mend();
    await ben.isOnline();
    await expect.poll(async () => (await ada.labels()).length, SOON).toBe(4);
    await expect.poll(() => ben.labels(), SOON).toEqual(await ada.labels());
    const labels = await ada.labels();
    expect(labels[0]).toBe("blue ellipse: for both of us");
    expect(labels.filter((label) => label.startsWith("group"))).toHaveLength(1);
    expect(await ben.state()).toBe(await ada.state());
    expect(Buffer.compare(await ben.pixels(), await ada.pixels())).toBe(0);

    // Who comes later has nothing but what the servers keep.
    const eve = await Person.at(await context(), stage.url, { name: "eve", board });
    await eve.sees(...labels);
    expect(Buffer.compare(await eve.pixels(), await ada.pixels())).toBe(0);
    expect([ada, ben, eve].flatMap(({ errors }) => errors)).toEqual([]);
  });

  test("two who type into one text at once lose nothing, and stay where they are", async ({
    stage,
    context,
  }) => {
    const board = "typing";
    const ada = await Person.at(await context(), stage.url, { name: "ada", board, server: "a" });
    const ben = await Person.at(await context(), stage.url, { name: "ben", board, server: "b" });
    await ada.draw("rectangle", [100, 100], [300, 200]);
    await ada.page.locator("#text").fill("<>");
    await ben.sees("blue rectangle: <>");
    await ben.click([200, 150]);
    const fields = [ada, ben].map(({ page }) => page.locator("#text"));
    await ben.page.locator("#text").press("End");
    await ada.page.locator("#text").press("Home");
    // Each goes on where the caret was, whatever comes before it meanwhile.
    await Promise.all([
      ada.page.keyboard.type("the quick brown 🦊 ", { delay: 15 }),
      ben.page.keyboard.type(" the lazy 🐕", { delay: 15 }),
    ]);
    for (const field of fields) {
      await expect.poll(() => field.inputValue(), SOON).toBe("the quick brown 🦊 <> the lazy 🐕");
    }
    expect(await ben.state()).toBe(await ada.state());
  });

  test("a browser that says it is offline is, and comes back by itself", async ({
    stage,
    context,
  }) => {
    const board = "tunnel";
    const train = await context();
    const ben = await Person.at(train, stage.url, { name: "ben", board });
    await ben.isOnline();
    await train.setOffline(true);
    await ben.draw("line", [100, 100], [200, 200]);
    await expect.poll(() => ben.status.textContent(), SOON).toMatch("Offline: 1 change waits here");
    await train.setOffline(false);
    await ben.isOnline();
  });

  test("money is spent offline as far as one's right goes, and adds up afterwards", async ({
    stage,
    context,
  }) => {
    const board = "money";
    const bank = await Person.at(await context(), stage.url, { name: "treasurer", board });
    const ben = await Person.at(await context(), stage.url, { name: "ben", board });
    const name = (await ben.page.locator("#actor").textContent()) ?? "";
    for (const { page } of [bank, ben]) await page.getByText("Ledger", { exact: true }).click();
    await bank.enter("Issue", { account: "cash", amount: "100" });
    await bank.enter("Lend", { account: "cash", to: name, amount: "40" });
    await expect.poll(() => ben.account("cash"), SOON).toEqual(["100", "40"]);
    await ben.page.getByLabel("Work offline").check();
    await bank.page.getByLabel("Work offline").check();
    await ben.enter("Transfer", { from: "cash", to: "rent", amount: "30" });
    await bank.enter("Transfer", { from: "cash", to: "food", amount: "60" });
    await expect.poll(() => ben.account("cash"), SOON).toEqual(["70", "10"]);
    await ben.enter("Transfer", { from: "cash", to: "rent", amount: "11" });
    await expect.poll(() => ben.page.getByRole("alert").textContent(), SOON).toMatch("no right");
    expect(await ben.account("cash")).toEqual(["70", "10"]);
    for (const { page } of [bank, ben]) await page.getByLabel("Work offline").uncheck();
    await expect.poll(() => bank.account("cash"), SOON).toEqual(["10", "0"]);
    await expect.poll(() => ben.account("cash"), SOON).toEqual(["10", "10"]);
    for (const person of [bank, ben]) {
      expect((await person.account("rent"))[0]).toBe("30");
      expect((await person.account("food"))[0]).toBe("60");
    }
  });

  test("what is drawn offline outlives the page that it was drawn in", async ({
    stage,
    context,
    cable,
  }) => {
    const board = "later";
    const home = await context();
    const query = { name: "ben", board, server: cable.name };
    const ben = await Person.at(home, stage.url, query);
    await ben.isOnline();
    cable.cut();
    await ben.draw("rectangle", [100, 100], [200, 200]);
    await ben.page.locator("#text").fill("kept");
    await expect.poll(() => ben.status.getAttribute("data-waiting"), SOON).toBe("2");
    await expect.poll(() => ben.status.getAttribute("data-kept"), SOON).toBe("true");
    const actor = await ben.page.locator("#actor").textContent();
    await ben.page.close();

    const again = await Person.at(home, stage.url, query);
    await again.sees("blue rectangle: kept");
    expect(await again.page.locator("#actor").textContent()).toBe(actor);
    await again.draw("line", [300, 100], [400, 100]);
    cable.mend();
    await again.isOnline();
    const ada = await Person.at(await context(), stage.url, { name: "ada", board, server: "a" });
    await ada.sees("blue rectangle: kept", "blue line");
  });

  test("two pages of one name in one browser are two people", async ({ stage, context }) => {
    const home = await context();
    const query = { name: "ada", board: "twins" };
    const first = await Person.at(home, stage.url, query);
    const second = await Person.at(home, stage.url, query);
    const actors = [first, second].map(({ page }) => page.locator("#actor").textContent());
    expect(new Set(await Promise.all(actors)).size).toBe(2);
    await first.draw("rectangle", [100, 100], [200, 200]);
    await second.sees("blue rectangle");
    await second.draw("ellipse", [300, 100], [400, 200]);
    await first.sees("blue rectangle", "blue ellipse");
  });

  test("a compaction on the way takes nothing from who was offline", async ({ stage, context }) => {
    const board = "compacted";
    const ada = await Person.at(await context(), stage.url, { name: "ada", board, server: "a" });
    const ben = await Person.at(await context(), stage.url, { name: "ben", board, server: "b" });
    await ada.draw("rectangle", [100, 100], [200, 200]);
    await ben.sees("blue rectangle");
    await ben.page.getByLabel("Work offline").check();
    await expect.poll(() => ben.status.textContent()).toBe("Offline");
    await ben.draw("line", [300, 100], [400, 100]);
    await ada.draw("ellipse", [300, 300], [400, 400]);
    await ada.isOnline();
    expect(await stage.server.compact(board)).toBeGreaterThan(0);
    await ada.draw("ellipse", [500, 300], [600, 400]);
    await ada.isOnline();
    await ben.page.getByLabel("Work offline").uncheck();
    await ben.isOnline();
    await expect.poll(async () => (await ben.labels()).length, SOON).toBe(4);
    await ada.sees(...(await ben.labels()));
    expect(await ben.state()).toBe(await ada.state());

    // What is compacted is still there to be looked back on.
    const eve = await Person.at(await context(), stage.url, { name: "eve", board });
    await eve.sees(...(await ben.labels()));
    await eve.press("History");
    await eve.page.getByRole("slider").fill("1");
    await eve.sees("blue rectangle");
  });

  test("a page goes to another server when its own is away", async ({
    stage,
    context,
    onTestFinished,
  }) => {
    const servers = new Map(stage.servers);
    onTestFinished(() => {
      for (const [name, address] of servers) stage.servers.set(name, address);
    });
    // Nobody listens there.
    for (const away of ["a", "b"]) {
      for (const [name, address] of servers) stage.servers.set(name, address);
      stage.servers.set(away, "ws://127.0.0.1:9");
      const ada = await Person.at(await context(), stage.url, { name: "ada", board: "elsewhere" });
      await ada.isOnline();
    }
  });

  test("each sees where the other one points", async ({ stage, context }) => {
    const board = "pointing";
    const ada = await Person.at(await context(), stage.url, { name: "ada", board, server: "a" });
    const ben = await Person.at(await context(), stage.url, { name: "ben", board, server: "b" });
    await Promise.all([ada.isOnline(), ben.isOnline()]);
    const pointer = ben.page.locator("#pointers [data-actor]");
    const place = async () => {
      await ada.drag([300, 200]);
      await ada.page.mouse.move(0, 0);
      return (await pointer.count()) === 1 ? await pointer.getAttribute("transform") : null;
    };
    await expect.poll(place, SOON).toBe("translate(300 200) scale(1)");
    expect(await pointer.textContent()).toBe("ada");
    expect(await ben.page.locator(".others").textContent()).toBe("Here as well: ada");
  });
});
