import type { Package } from "../../../src/fetch/package.ts";
import { packaged } from "../../../src/fetch/recipe.ts";

const node: Package = {
  name: "node",
  licence: "MIT",
  own: { program: "node" },
  ways: [],
  hint: () => "https://nodejs.org",
};

/** Everything that changes something is a line of its log, which it reads when it starts. */
const program = `
const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const [log, port] = process.argv.slice(1);
const shelves = new Map();
const verbs = {
  version: () => "1.0.0",
  make: ({ shelf }) => void shelves.set(shelf, shelves.get(shelf) ?? new Map()),
  drop: ({ shelf }) => void shelves.delete(shelf),
  size: ({ shelf }) => shelves.get(shelf)?.size ?? 0,
  copy: ({ shelf, to }) => void shelves.set(to, new Map(shelves.get(shelf))),
  set: ({ shelf, key, value }) => void shelves.get(shelf).set(key, value),
  get: ({ shelf, key }) => shelves.get(shelf).get(key),
};
const lines = existsSync(log) ? readFileSync(log, "utf8").split("\\n").filter(Boolean) : [];
for (const line of lines) verbs[JSON.parse(line).verb](JSON.parse(line));
require("node:http").createServer(async (request, response) => {
  let line = "";
  for await (const chunk of request) line += chunk;
  try {
    const said = JSON.parse(line);
    const answer = verbs[said.verb](said);
    if (["make", "drop", "copy", "set"].includes(said.verb)) appendFileSync(log, line + "\\n");
    response.end(JSON.stringify({ answer }));
  } catch (error) {
    response.writeHead(400).end(String(error));
  }
}).listen(Number(port), "127.0.0.1");
`;

export const recipe = packaged({
  engine: "shelf",
  bundles: [{ packages: [node] }],

  async prepare([runtime]) {
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `http://127.0.0.1:${port}/`,
      launch: async (data, port) => ({
        file: runtime?.file ?? "",
        args: ["-e", program, `${data}/log`, String(port)],
        cwd: data,
        env: { PATH: process.env.PATH ?? "" },
      }),
    };
  },
});
