/** What tests use of it. */
export function play(
  name: string,
  now: number,
  pastMs: number,
  told: ((event: unknown) => void) | null,
): { tick(unixMs: number): void; status(unixMs: number): unknown };
