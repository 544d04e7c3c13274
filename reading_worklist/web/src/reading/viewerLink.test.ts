import { describe, expect, it } from 'vitest';

import { agree } from './viewerLink';
import { appended, Insertions } from './insertions';

describe('whether two windows show the same', () => {
  const exam = { id: 'a', patientId: 'p' };

  it('asks for the exam and for the patient', () => {
    expect(agree(exam, { ...exam })).toBe(true);
    expect(agree(exam, { ...exam, id: 'b' })).toBe(false);
    // The same exam, whose patient was corrected in one window only.
    expect(agree(exam, { ...exam, patientId: 'q' })).toBe(false);
  });

  it('is not so while one shows nothing', () => {
    expect(agree(exam, null)).toBe(false);
    expect(agree(null, null)).toBe(true);
  });
});

describe('what panels put into the report', () => {
  it('goes to the editor that is there, and nowhere without one', () => {
    const insertions = new Insertions();
    const taken: string[] = [];
    expect(insertions.insert({ field: 'findings', text: 'x' })).toBe(false);
    const leave = insertions.register(({ text }) => taken.push(text));
    expect(insertions.open()).toBe(true);
    expect(insertions.insert({ field: 'findings', text: 'y' })).toBe(true);
    leave();
    expect(insertions.insert({ field: 'findings', text: 'z' })).toBe(false);
    expect(taken).toEqual(['y']);
  });

  it('becomes the last paragraph', () => {
    expect(appended('', 'b')).toBe('b');
    expect(appended('a\n\n', 'b')).toBe('a\nb');
  });
});
