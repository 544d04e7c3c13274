/** Curves of an overview as SVG path data over a box of `bins` by 1, upside up; gaps stay gaps. */

/** The span of the rate axis: what is there, in whole tens, never less than 40 to 120. */
export function rateSpan(rates: readonly (number | null)[]): [low: number, high: number] {
  const known = rates.filter((rate) => rate !== null);
  const low = Math.floor(known.reduce((least, rate) => Math.min(least, rate), 40) / 10) * 10;
  const high = Math.ceil(known.reduce((most, rate) => Math.max(most, rate), 120) / 10) * 10;
  return [low, high];
}

/** A step line through the values, broken where there is none. */
export function linePath(values: readonly (number | null)[], low: number, high: number): string {
  let path = '';
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null) drawing = false;
    else {
      const y = (1 - (value - low) / (high - low)).toFixed(4);
      path += drawing ? `L${index} ${y}H${index + 1}` : `M${index} ${y}H${index + 1}`;
      drawing = true;
    }
  });
  return path;
}

/** A bar for each bin from its lowest to its highest value; what leaves ± `limit` is cut at it. */
export function envelopePath(low: readonly (number | null)[], high: readonly (number | null)[], limit: number): string {
  const yOf = (value: number): string => (0.5 - Math.max(-limit, Math.min(limit, value)) / (2 * limit)).toFixed(4);
  let path = '';
  low.forEach((lowest, index) => {
    const highest = high[index] ?? null;
    if (lowest !== null && highest !== null) path += `M${index + 0.5} ${yOf(highest)}V${yOf(lowest)}`;
  });
  return path;
}

/** How far the envelope reaches in most bins, in µV: an artefact must not flatten the rest. */
export function envelopeLimit(low: readonly (number | null)[], high: readonly (number | null)[]): number {
  const reaches = low
    .map((lowest, index) => Math.max(Math.abs(lowest ?? 0), Math.abs(high[index] ?? 0)))
    .sort((a, b) => a - b);
  return Math.max(500, 1.2 * (reaches[Math.floor(0.95 * (reaches.length - 1))] ?? 0));
}
