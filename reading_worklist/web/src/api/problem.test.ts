import { expect, it } from 'vitest';

import { wordsOf } from '../i18n/problemWords';
import { asProblem, problemFrom } from './problem';

it('a problem of the server is told in Chinese by its code and in English by its own words', () => {
  const problem = problemFrom(403, {
    type: 'urn:rdc:problem:self-review',
    title: 'You wrote this report, so you cannot review it',
    status: 403,
    remedy: 'Leave it for another reviewer.',
  });
  expect(wordsOf('zh-CN', problem).title).toBe('本报告由您书写，不能由您审核');
  expect(wordsOf('en', problem).remedy).toBe('Leave it for another reviewer.');
});

it('a wrong PIN says how many attempts are left', () => {
  const problem = problemFrom(403, {
    type: 'urn:rdc:problem:wrong-pin',
    title: 'the signing PIN is wrong',
    status: 403,
    attempts_left: 2,
  });
  expect(wordsOf('zh-CN', problem).remedy).toContain('2');
});

it('a server that cannot be reached, and an answer that is no problem document, are told too', () => {
  const away = asProblem(new TypeError('Failed to fetch'));
  expect([away.code, away.passing]).toEqual(['no-answer', true]);
  expect(problemFrom(502, '<html>').code).toBe('unexpected-answer');
  expect(wordsOf('en', problemFrom(502, null)).title).not.toBe('');
});

it('an unknown code keeps the words of the server', () => {
  const problem = problemFrom(409, { type: 'urn:rdc:problem:new-kind', title: 'Something new' });
  expect(wordsOf('zh-CN', problem).title).toBe('Something new');
});
