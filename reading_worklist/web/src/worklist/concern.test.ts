import { expect, it } from 'vitest';

import type { WorklistFilter, WorklistLine } from '../api/types';
import { mayEnter } from './concern';

const person = (id: string) => ({ id, display_name: id });
const waiting = {
  state: 'QUEUED',
  lane: 'imaging',
  priority: 'ROUTINE',
  claimed_by: null,
  assigned_to: null,
  written_by: null,
} as unknown as WorklistLine;
const claimed: WorklistLine = { ...waiting, state: 'CLAIMED', claimed_by: person('she') };

it.each<[WorklistFilter, WorklistLine, boolean]>([
  [{}, waiting, true],
  [{ state: ['QUEUED', 'RETURNED'] }, waiting, true],
  [{ state: ['QUEUED'] }, claimed, false],
  [{ lane: 'ecg' }, waiting, false],
  [{ lane: 'imaging' }, claimed, true],
  [{ priority: ['STAT'] }, waiting, false],
  [{ unclaimed: true }, claimed, false],
  [{ unclaimed: true }, { ...waiting, assigned_to: person('me') }, false],
  [{ mine: true }, claimed, false],
  [{ mine: true }, { ...waiting, assigned_to: person('me') }, true],
  [{ mine: true }, { ...claimed, claimed_by: person('me') }, true],
  [{ mine: true }, { ...claimed, written_by: person('me') }, true],
  [{ q: 'zhang', body_part: ['CHEST'], days: 1 }, waiting, true],
])('%o', (question, line, may) => {
  expect(mayEnter(question, line, 'me')).toBe(may);
});
