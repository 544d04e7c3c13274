import type { EcgCorrections, EcgMeasured } from '../api/types';

export type Beat = EcgMeasured['beats'][number];
export type BeatKind = Beat['kind'];
export type PointName = 'p_onset_ms' | 'p_offset_ms' | 'qrs_onset_ms' | 'qrs_offset_ms' | 't_end_ms';

/** The points of a median beat in the order of time, each with the sign that stands at it on the page. */
export const POINTS: readonly (readonly [PointName, string])[] = [
  ['p_onset_ms', 'P'],
  ['p_offset_ms', 'P′'],
  ['qrs_onset_ms', 'Q'],
  ['qrs_offset_ms', 'J'],
  ['t_end_ms', 'T′'],
];

export const KINDS = ['normal', 'ectopic', 'paced'] as const satisfies readonly BeatKind[];

export const NO_CORRECTIONS: EcgCorrections = {
  p_onset_ms: null,
  p_offset_ms: null,
  qrs_onset_ms: null,
  qrs_offset_ms: null,
  t_end_ms: null,
  no_p: false,
  added_beats: [],
  removed_beats: [],
  reclassified: [],
};

/** Beats nearer than this are one beat, as the server sees it. */
const ONE_BEAT = 0.1;

const near = (one: number, other: number): boolean => Math.abs(one - other) < ONE_BEAT;
const without = (times: readonly number[], at: number): number[] => times.filter((time) => !near(time, at));

/** Sets a point by hand; null leaves it to the method again. A P that is set is there. */
export function withPoint(old: EcgCorrections, point: PointName, ms: number | null): EcgCorrections {
  const isP = point === 'p_onset_ms' || point === 'p_offset_ms';
  return { ...old, [point]: ms, ...(isP && ms !== null ? { no_p: false } : {}) };
}

/** Says that there is no P wave, or leaves that to the method again. */
export function withoutP(old: EcgCorrections, none: boolean): EcgCorrections {
  return none ? { ...old, no_p: true, p_onset_ms: null, p_offset_ms: null } : { ...old, no_p: false };
}

export function withBeat(old: EcgCorrections, at: number): EcgCorrections {
  return { ...old, added_beats: [...without(old.added_beats, at), at].toSorted((a, b) => a - b) };
}

/** Takes a beat out: one that was set by hand is forgotten, one that was found is said to be none. */
export function withoutBeat(old: EcgCorrections, beat: Beat): EcgCorrections {
  const at = beat.r_seconds;
  const reclassified = old.reclassified.filter((each) => !near(each.r_seconds, at));
  if (beat.by_hand) return { ...old, reclassified, added_beats: without(old.added_beats, at) };
  return { ...old, reclassified, removed_beats: [...without(old.removed_beats, at), at] };
}

/** Moves a beat: what was there is none, what is set by hand is one. */
export function withMovedBeat(old: EcgCorrections, beat: Beat, to: number): EcgCorrections {
  return withBeat(withoutBeat(old, beat), to);
}

export function withKind(old: EcgCorrections, beat: Beat, kind: BeatKind): EcgCorrections {
  const others = old.reclassified.filter((each) => !near(each.r_seconds, beat.r_seconds));
  return { ...old, reclassified: [...others, { r_seconds: beat.r_seconds, kind }] };
}

/** Where a further beat most likely belongs: after the given one, else in the widest gap. */
export function gapFor(beats: readonly Beat[], after: number | null): number | null {
  let best: { from: number; to: number } | null = null;
  for (let at = 0; at + 1 < beats.length; at += 1) {
    const from = beats[at]?.r_seconds ?? 0;
    const to = beats[at + 1]?.r_seconds ?? 0;
    if (after !== null && near(from, after)) return (from + to) / 2;
    if (best === null || to - from > best.to - best.from) best = { from, to };
  }
  return best === null ? null : (best.from + best.to) / 2;
}

export function sameCorrections(one: EcgCorrections, other: EcgCorrections): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(corrections: EcgCorrections): unknown[] {
  const up = (a: number, b: number): number => a - b;
  return [
    ...POINTS.map(([point]) => corrections[point] ?? null),
    corrections.no_p,
    corrections.added_beats.toSorted(up),
    corrections.removed_beats.toSorted(up),
    corrections.reclassified.toSorted((a, b) => a.r_seconds - b.r_seconds),
  ];
}

export function isCorrected(corrections: EcgCorrections): boolean {
  return !sameCorrections(corrections, NO_CORRECTIONS);
}
