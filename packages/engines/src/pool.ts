/** Keeps a few things ready, made in the background; who comes when there are none waits for the next. */
export class Pool<T> {
  readonly #make: () => Promise<T>;
  readonly #size: number;
  readonly #makers: number;
  readonly #ready: T[] = [];
  readonly #waiting: { resolve(item: T): void; reject(error: unknown): void }[] = [];
  readonly #making = new Set<Promise<void>>();
  #closed = false;

  /**
   * @param size how many are kept ready; with 0 each is made when asked for
   * @param makers how many are made at the same time
   */
  constructor(make: () => Promise<T>, size: number, makers = 2) {
    this.#make = make;
    this.#size = size;
    this.#makers = makers;
  }

  take(): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const item = this.#ready.shift();
    if (item === undefined) this.#waiting.push({ resolve, reject });
    else resolve(item);
    this.#refill();
    return promise;
  }

  /** Makes no more; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#making);
  }

  #refill(): void {
    const wanted = () => (this.#closed ? 0 : this.#size) + this.#waiting.length;
    while (this.#making.size < this.#makers && this.#ready.length + this.#making.size < wanted()) {
      const task: Promise<void> = this.#make()
        .then(
          (item) => {
            const first = this.#waiting.shift();
            if (first) first.resolve(item);
            else this.#ready.push(item);
            return true;
          },
          (error) => {
            // With nobody waiting it is told to nobody: the next who comes will meet it again.
            const first = this.#waiting.shift();
            first?.reject(error);
            return first !== undefined;
          },
        )
        .then((goOn) => {
          this.#making.delete(task);
          if (goOn) this.#refill();
        });
      this.#making.add(task);
    }
  }
}
