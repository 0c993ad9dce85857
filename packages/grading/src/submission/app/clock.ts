/**
 * Puts a clock that can be set in the place of `Date`, for all that is loaded after this.
 *
 * Only what asks `Date` is told another time. Timers, `performance` and `process.hrtime` measure
 * durations, which a wall clock that is wrong doesn't change; child processes ask the machine.
 *
 * @returns sets how far it is ahead of the machine's clock, in milliseconds; below zero for behind
 */
export function installClock(): (offsetMs: number) => void {
  const Machine = Date;
  const machineNow = Date.now.bind(Date);
  let ahead = 0;
  const now = () => machineNow() + ahead;
  const clock = new Proxy(Machine, {
    // Without a prototype of its own, `new.target` is the machine's: subclasses keep theirs.
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new Machine(now()).toString(),
  });
  Machine.now = now;
  Machine.prototype.constructor = clock;
  globalThis.Date = clock;
  return (offsetMs) => {
    ahead = offsetMs;
  };
}
