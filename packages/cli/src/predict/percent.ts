/** 0.8 as `80 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
