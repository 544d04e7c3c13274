import { expect, test } from 'vitest';

import { begun, urgencyOf, waitingKey } from './ring';

const ECG = { workitem_id: 'a', warn_at: '2026-11-22T08:05:00Z', due_at: '2026-11-22T08:10:00Z' };
const at = (time: string): number => Date.parse(`2026-11-22T${time}Z`);

test('an ECG that waits is warned of and then late', () => {
  expect(urgencyOf(ECG, at('08:04:59'))).toBe('fresh');
  expect(urgencyOf(ECG, at('08:05:00'))).toBe('warned');
  expect(urgencyOf(ECG, at('08:10:00'))).toBe('late');
  expect(urgencyOf({ ...ECG, warn_at: null }, at('08:09:00'))).toBe('fresh');
});

test('it rings once when it comes, once when it is near and once when it is late', () => {
  const rung = new Set<string>();
  const rings = (time: string): number => begun([ECG], (one) => waitingKey(one, at(time)), rung).length;
  expect(['08:00:01', '08:00:31', '08:05:01', '08:07:00', '08:10:01', '08:30:00'].map(rings)).toEqual([
    1, 0, 1, 0, 1, 0,
  ]);
});

test('another one rings although the first still waits', () => {
  const rung = new Set<string>();
  begun([ECG], (one) => one.workitem_id, rung);
  expect(begun([ECG, { ...ECG, workitem_id: 'b' }], (one) => one.workitem_id, rung)).toHaveLength(1);
});
