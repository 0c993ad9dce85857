import { cpus } from "node:os";

/** @returns a function that tells which share of this machine's cores was idle since its last call: 0 to 1 */
export function idleMeter(): () => number {
  let before = times();
  return () => {
    const now = times();
    const share = (now.idle - before.idle) / Math.max(now.all - before.all, 1);
    before = now;
    return share;
  };
}

function times(): { idle: number; all: number } {
  const each = cpus().map((cpu) => cpu.times);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  return {
    idle: sum(each.map(({ idle }) => idle)),
    all: sum(each.flatMap((times) => Object.values(times))),
  };
}
