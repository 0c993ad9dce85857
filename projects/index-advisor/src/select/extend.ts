import type { Select } from "../model.ts";

export const extend: Select = async () => {
  throw new Error("not yet");
};
