/** Has a plan's deaths and compactions come when so many changes are acknowledged, and sees how long they hurt. */
import type { DocumentId } from "../../contract.ts";
import type { Cluster } from "./cluster.ts";
import type { Person } from "./person.ts";
import { type Compaction, type Death, type Kind, type Plan, SERVERS } from "./plan.ts";

interface Wound {
  readonly from: number;
  /** What each of the people had made by then. */
  readonly made: ReadonlyMap<Person, number>;
}

export class Fate {
  /** All that there are, in the order of their acknowledgements. */
  acknowledged = 0;
  readonly kills: Kind[] = [];
  /** Compactions that were done and said so. */
  compactions = 0;
  /** From each death until all was acknowledged that had been made by then, in milliseconds. */
  readonly recoveriesMs: number[] = [];
  /** What came when, for people. */
  readonly story: string[] = [];
  readonly #cluster: Cluster;
  readonly #document: DocumentId;
  readonly #plan: Plan;
  readonly #people: readonly Person[];
  readonly #wounds = new Set<Wound>();
  readonly #underWay: Promise<void>[] = [];

  /** @param people may come later: those who are there when something dies count */
  constructor(
    cluster: Cluster,
    document: DocumentId,
    { plan, people }: { readonly plan: Plan; readonly people: readonly Person[] },
  ) {
    this.#cluster = cluster;
    this.#document = document;
    this.#plan = plan;
    this.#people = people;
  }

  /** One more change is acknowledged. What dies now is dead, or about to be, when this returns. */
  count(): void {
    this.acknowledged += 1;
    for (const wound of this.#wounds) {
      if (![...wound.made].every(([person, seq]) => person.acked >= seq)) continue;
      this.#wounds.delete(wound);
      this.recoveriesMs.push(performance.now() - wound.from);
    }
    const isNow = ({ at }: { readonly at: number }) => at === this.acknowledged;
    for (const one of this.#plan.compactions.filter(isNow)) this.#begin(this.#compact(one));
    for (const one of this.#plan.deaths.filter(isNow)) this.#begin(this.#die(one));
  }

  /** Resolves when what was killed is alive again. @throws where PostgreSQL can't be started */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #begin(work: Promise<void>): void {
    this.#underWay.push(work);
    // Whoever asks is told.
    work.catch(() => {});
  }

  async #die(death: Death): Promise<void> {
    this.kills.push(death.kind);
    const servers = death.servers.map((place) => SERVERS[place]);
    this.#tell(`SIGKILL to ${[...(death.postgres ? ["PostgreSQL"] : []), ...servers].join(", ")}`);
    const made = new Map(this.#people.map((person) => [person, person.made.length]));
    this.#wounds.add({ from: performance.now(), made });
    await this.#cluster.kill(death);
  }

  async #compact({ server }: Compaction): Promise<void> {
    this.#tell(`${SERVERS[server]} compacts`);
    try {
      await this.#cluster.servers[server]?.ask("compact", this.#document);
      this.compactions += 1;
    } catch {
      // Something that it takes has died meanwhile: it is right that it says so.
    }
  }

  #tell(what: string): void {
    this.story.push(`after ${this.acknowledged} acknowledgements ${what}`);
  }
}
