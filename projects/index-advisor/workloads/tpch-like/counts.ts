/** How many there are at scale 1, as in TPC-H (specification, 4.2.5). */
const AT_ONE = { supplier: 10_000, customer: 150_000, part: 200_000, orders: 1_500_000 };

/** Each part is offered by so many suppliers. */
export const OFFERS = 4;
/** Lines of an order: 1 … 7. */
export const MOST_LINES = 7;

export type Counts = Readonly<Record<keyof typeof AT_ONE, number>>;

export function countsAt(scale: number): Counts {
  const of = (count: number) => Math.max(10, Math.round(count * scale));
  return {
    supplier: of(AT_ONE.supplier),
    customer: of(AT_ONE.customer),
    part: of(AT_ONE.part),
    orders: of(AT_ONE.orders),
  };
}
