/** A closed loop: so many clients, each of which asks again when it has its answer. */

export interface Load {
  readonly clients: number;
  readonly ms: number;
  readonly sessions: number;
}

export interface Sample {
  readonly perSecond: number;
  /**
   * Processor time that a call took of this process, in microseconds. A busy machine hardly changes
   * it, and on an idle one it is what bounds the rate: a client uses one core.
   */
  readonly cpuUs: number;
  /** Milliseconds, one for each call. */
  readonly latencies: Float64Array;
}

/** Far more than any contender does in a round. */
const MOST = 1_000_000;

/** @throws when an answer is empty: nothing must look fast because it finds nothing */
export async function run(
  work: (n: number) => Promise<unknown>,
  { clients, ms, sessions }: Load,
  mayBeEmpty = false,
): Promise<Sample> {
  const latencies = new Float64Array(MOST);
  let done = 0;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const until = begin + ms;
  let last = begin;
  const client = async (first: number): Promise<void> => {
    let n = first;
    for (let from = performance.now(); from < until; from = last) {
      const answer = await work(n);
      if (!mayBeEmpty && !answer) throw new Error(`Session ${n} was not found.`);
      last = performance.now();
      latencies[done++] = last - from;
      // Its own share of the sessions, in turn.
      n = n + clients < sessions ? n + clients : first;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuUs: (user + system) / done,
    perSecond: (done * 1_000) / (last - begin),
    latencies: latencies.slice(0, done),
  };
}
