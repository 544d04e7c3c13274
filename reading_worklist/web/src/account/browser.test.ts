import { describe, expect, it } from 'vitest';

import { browserOf } from './browser';

describe('what a browser is called', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0',
      'Edge · Windows',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36', 'Chrome · Linux'],
    ['Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1', 'Safari · iOS'],
    ['python-httpx/0.28', 'python-httpx/0.28'],
    ['', '—'],
  ])('%s', (given, called) => {
    expect(browserOf(given)).toBe(called);
  });
});
