const kept: Buffer[] = [];

/** Outside of the JavaScript heap. Ends by itself at 1 GiB; the limit is below that. */
export default {
  async createNode() {
    return {
      async answer() {
        for (let i = 0; i < 64; i++) {
          kept.push(Buffer.alloc(16 << 20, i + 1));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return 4711;
      },
    };
  },
};
