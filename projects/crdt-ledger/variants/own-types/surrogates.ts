/** The halves of characters that have two code units. */
export const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
export const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;
