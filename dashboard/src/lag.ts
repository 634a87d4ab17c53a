/** How far behind what comes is. Pure. */

/** From here on the page says it: a status a second, sent and drawn, is never as old. */
export const sayBehindMs = 5000;

const drift = 0.001; // more than two clocks differ in speed

/**
 * Of one stream. Two machines' clocks differ by nobody knows how much, but always by the same: what
 * came the quickest is taken to have come at once.
 */
export class Lag {
  private ahead = -Infinity; // the server's clock, of ours
  private unixMs = -Infinity;
  private at = 0;

  /**
   * Takes the server's time as it comes at `at`, of a clock that never steps; says by how many
   * milliseconds it is behind.
   */
  take(unixMs: number, at: number): number {
    const ahead = unixMs - at;
    const setBack = unixMs < this.unixMs; // the server's clock: what was known of it is void
    this.ahead = setBack ? ahead : Math.max(ahead, this.ahead - drift * (at - this.at));
    [this.unixMs, this.at] = [unixMs, at];
    return this.ahead - ahead;
  }
}
