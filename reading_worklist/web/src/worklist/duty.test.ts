import { describe, expect, it } from 'vitest';

import type { Duty } from '../roster/queries';
import { rosterOf } from './duty';

const NOW = Date.parse('2026-11-22T10:00:00Z');

function duty(id: string, person: string, starts: string, ends: string, group: string | null = null): Duty {
  return {
    id,
    person: { id: person, display_name: person },
    lane: 'imaging',
    group: group === null ? null : { code: group, name: group, name_en: group },
    starts_at: `2026-11-${starts}:00Z`,
    ends_at: `2026-11-${ends}:00Z`,
  };
}

describe('the roster of one reader', () => {
  const duties = [
    duty('later', 'me', '24T08:00', '24T18:00'),
    duty('short', 'me', '22T08:00', '22T12:00', 'chest'),
    duty('long', 'me', '22T08:00', '22T18:00'),
    duty('over', 'me', '22T00:00', '22T10:00'),
    duty('soon', 'me', '22T20:00', '23T08:00'),
    duty('another', 'you', '22T09:00', '22T18:00', 'bone'),
    duty('theirs', 'you', '22T20:00', '23T08:00'),
  ];
  const ids = (list: readonly Duty[]): string[] => list.map((one) => one.id);

  it('is what lasts longest now, and what comes next in its order', () => {
    const roster = rosterOf(duties, 'me', NOW);
    expect(roster.now?.id).toBe('long');
    expect(ids(roster.next)).toEqual(['soon', 'later']);
  });

  it('has everybody who is on duty now, and nobody whose duty has just ended', () => {
    expect(ids(rosterOf(duties, 'me', NOW).onDuty)).toEqual(['long', 'another', 'short']);
  });

  it('is empty for who has none', () => {
    expect(rosterOf(duties, 'she', NOW)).toMatchObject({ now: null, next: [] });
  });
});
