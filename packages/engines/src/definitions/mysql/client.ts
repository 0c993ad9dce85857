/**
 * Asks over a connection of its own.
 * @returns the first value of the answer; empty where there is none
 */
export async function ask(url: string, statement: string): Promise<string> {
  const { createConnection } = await import("mysql2/promise");
  const client = await createConnection({ uri: url, connectTimeout: 5_000, rowsAsArray: true });
  client.on("error", () => {});
  try {
    const [rows] = await client.query(statement);
    return Array.isArray(rows) ? String((rows as unknown[][])[0]?.[0] ?? "") : "";
  } finally {
    client.destroy();
  }
}
