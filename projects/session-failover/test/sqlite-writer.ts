/** A process of sqlite.test.ts: adds one to a counter in a session, so many times. */
import reference from "../src/index.ts";

const [file = "", name = "", id = "", writes = "0"] = process.argv.slice(2);
const node = await reference.createNode({
  name,
  stores: { kind: "local", sqlite: file },
  requestBudgetMs: 5_000,
  stalenessBoundMs: 500,
});
for (let done = 0; done < Number(writes); ) {
  const session = await node.get(id);
  if (!session) throw new Error("The session is gone.");
  const data = { n: Number(session.data.n) + 1 };
  try {
    await node.update(id, { data, expectedVersion: session.version });
    done++;
  } catch (error) {
    const lostTheRace =
      error instanceof Error && "code" in error && error.code === "VERSION_CONFLICT";
    if (!lostTheRace) throw error;
  }
}
await node.close();
