import { describe, expect, it } from 'vitest';

import {
  type Beat,
  gapFor,
  isCorrected,
  NO_CORRECTIONS,
  sameCorrections,
  withBeat,
  withKind,
  withMovedBeat,
  withoutBeat,
  withoutP,
  withPoint,
} from './corrections';

const beat = (at: number, byHand = false): Beat => ({
  r_seconds: at,
  kind: 'normal',
  onset_seconds: null,
  offset_seconds: null,
  in_median: true,
  by_hand: byHand,
});

describe('beats', () => {
  it('one that was found is said to be none, one set by hand is forgotten', () => {
    expect(withoutBeat(NO_CORRECTIONS, beat(2)).removed_beats).toEqual([2]);
    const added = withBeat(NO_CORRECTIONS, 2.5);
    expect(withoutBeat(added, beat(2.5, true))).toEqual(NO_CORRECTIONS);
  });

  it('moving is taking out and setting, however often', () => {
    const once = withMovedBeat(NO_CORRECTIONS, beat(2), 2.3);
    expect(once).toMatchObject({ removed_beats: [2], added_beats: [2.3] });
    const twice = withMovedBeat(once, beat(2.3, true), 2.6);
    expect(twice).toMatchObject({ removed_beats: [2], added_beats: [2.6] });
  });

  it('a class belongs to one beat and goes with it', () => {
    const ectopic = withKind(withKind(NO_CORRECTIONS, beat(2), 'ectopic'), beat(2), 'paced');
    expect(ectopic.reclassified).toEqual([{ r_seconds: 2, kind: 'paced' }]);
    expect(withoutBeat(ectopic, beat(2)).reclassified).toEqual([]);
  });

  it('a further one belongs after the chosen, else in the widest gap', () => {
    const beats = [beat(1), beat(2), beat(4), beat(5)];
    expect(gapFor(beats, null)).toBe(3);
    expect(gapFor(beats, 1)).toBe(1.5);
    expect(gapFor([beat(1)], null)).toBeNull();
  });
});

describe('points', () => {
  it('no P takes its points away, and a point set brings P back', () => {
    const none = withoutP(withPoint(NO_CORRECTIONS, 'p_onset_ms', -160), true);
    expect(none).toMatchObject({ no_p: true, p_onset_ms: null });
    expect(withPoint(none, 'p_offset_ms', -80)).toMatchObject({ no_p: false, p_offset_ms: -80 });
    expect(withPoint(none, 'qrs_offset_ms', 50).no_p).toBe(true);
  });

  it('nothing set by hand is no correction, in whatever order', () => {
    expect(isCorrected(NO_CORRECTIONS)).toBe(false);
    expect(isCorrected(withPoint(NO_CORRECTIONS, 't_end_ms', 360))).toBe(true);
    const one = withBeat(withBeat(NO_CORRECTIONS, 3), 1);
    expect(sameCorrections(one, { ...one, added_beats: [3, 1] })).toBe(true);
  });
});
