/**
 * Countdowns follow the server's clock: a workstation that is minutes off must not
 * show a report as overdue. The offset is taken from the Date header of answers.
 */
let offsetMilliseconds = 0;

/** The header has whole seconds, so smaller differences mean nothing. */
const SMALLEST_OFFSET = 2000;

/** Learns the difference between the server's clock and this one from an answer. */
export function learnServerTime(dateHeader: string | null, receivedAt: number = Date.now()): void {
  if (dateHeader === null) return;
  const sent = Date.parse(dateHeader);
  if (Number.isNaN(sent)) return;
  const offset = sent - receivedAt;
  offsetMilliseconds = Math.abs(offset) < SMALLEST_OFFSET ? 0 : offset;
}

/** Milliseconds since the epoch by the server's clock. */
export function serverNow(): number {
  return Date.now() + offsetMilliseconds;
}
