/** What the servers of the dev script take, in bytes. */
export const LIMITS = {
  /** Thousands of shapes that are moved, or grouped, at once. */
  changeBytes: 256 * 1_024,
  frameBytes: 1_024 * 1_024,
  backlogBytes: 4 * 1_024 * 1_024,
};
