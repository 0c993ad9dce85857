/** What the texts of the rows, and the parameters of the statements, are drawn from. */
export const REGIONS = ["North", "East", "South", "West", "Overseas"];
/** Five for each region, in their order. */
export const NATIONS = REGIONS.flatMap((region) =>
  ["Alder", "Birch", "Cedar", "Elm", "Fir"].map((tree) => `${region} ${tree}`),
);
export const SEGMENTS = ["builder", "carrier", "dealer", "farmer", "office"];
export const PRIORITIES = ["1 now", "2 soon", "3 normal", "4 later", "5 whenever"];
export const MODES = ["air", "barge", "courier", "pipe", "rail", "ship", "truck"];
export const INSTRUCTIONS = ["collect", "hand over", "leave", "return"];
export const COLOURS = [
  ..."amber azure beige black blue bronze brown coral cream crimson cyan gold".split(" "),
  ..."green grey indigo ivory jade khaki lemon lilac lime maroon mint navy".split(" "),
  ..."ochre olive orange peach pink plum purple red rose ruby rust sand".split(" "),
];
export const FINISHES = ["brushed", "coated", "glazed", "plain", "polished", "raw"];
export const SIZES = ["large", "medium", "small", "standard", "tiny"];
export const METALS = ["brass", "copper", "nickel", "steel", "tin"];
export const CONTAINERS = ["bag", "barrel", "box", "can", "case", "crate", "jar", "tube"];
export const CONTAINER_SIZES = ["big", "long", "medium", "small", "wide"];
export const REMARKS = [
  "asked twice about the date",
  "complaint settled by the customer desk",
  "customer wrote a complaint about the parcel",
  "delivered to the neighbour",
  "nothing to remark",
  "paid in advance",
  "special packing, many requests",
  "special wish: no requests by phone",
];
