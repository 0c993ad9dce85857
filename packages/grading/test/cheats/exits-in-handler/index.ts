export default {
  async createNode() {
    return {
      async answer() {
        process.exit(0);
      },
    };
  },
};
