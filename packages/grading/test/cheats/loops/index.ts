export default {
  async createNode() {
    return {
      async answer() {
        for (;;);
      },
    };
  },
};
