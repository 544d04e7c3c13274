import { describe, expect, it } from 'vitest';

import type { ActingChoice, Session } from '../api/types';
import { landingOf, mustChoose, pageAfterChoice } from './roles';

const choice = (code: string, roles: string[]): ActingChoice => ({
  id: code,
  code,
  name: code,
  name_en: '',
  kind: 'site',
  roles,
});

function acting(roles: string[], choices: ActingChoice[]): Session {
  return {
    person: { id: 'p', login: 'p', display_name: 'P' },
    organisation: { id: 'o', code: 'o', name: 'o', name_en: '', kind: 'site' },
    roles,
    choices,
    csrf_token: '',
    expires_at: '2026-11-22T00:00:00Z',
    ends_at: '2026-11-22T00:00:00Z',
    outstanding: null,
    provider: null,
    idle_seconds: 3600,
    time_zone: 'Asia/Shanghai',
  };
}

const centre = choice('centre', ['reviewer']);
const east = choice('EAST', ['site_doctor']);

describe('somebody of several organisations', () => {
  it('chooses only when there is a choice', () => {
    expect(mustChoose(acting(['reviewer'], [centre]))).toBe(false);
    expect(mustChoose(acting(['reviewer'], [centre, east]))).toBe(true);
  });

  it('goes on to the page that was asked for when the chosen roles open it', () => {
    const atCentre = acting(['reviewer'], [centre, east]);
    expect(pageAfterChoice(atCentre, '/exams/1?x=1')).toBe('/exams/1?x=1');
    expect(pageAfterChoice(atCentre, '/worklist?q=a')).toBe('/worklist?q=a');
    expect(pageAfterChoice(atCentre, '/portal/1')).toBe('/');
    expect(pageAfterChoice(atCentre, '/')).toBe('/');
    const atSite = acting(['site_doctor'], [centre, east]);
    expect(pageAfterChoice(atSite, '/exams/1')).toBe('/');
    expect(pageAfterChoice(atSite, '/portal/1')).toBe('/portal/1');
    expect(landingOf(atSite)).toBe('/portal');
  });
});
