import { describe, expect, it } from 'vitest';

import { whyFailed } from './build';

const HERE = ['/assets/early-AAAA.js', '/assets/main-BBBB.js'];
const page = (...scripts: string[]) => scripts.map((src) => `<script type="module" src="${src}"></script>`).join('');
const answering = (body: string, status = 200) =>
  whyFailed(HERE, () => Promise.resolve(new Response(body, { status })));

describe('why a part of a page cannot be shown', () => {
  it('is not the build where the server still has this one', async () => {
    expect(await answering(page(...HERE))).toBe('broken');
  });

  it('is another build where any script has another name by now', async () => {
    expect(await answering(page('/assets/early-AAAA.js', '/assets/main-CCCC.js'))).toBe('replaced');
    expect(await answering(page('/assets/early-AAAA.js', '/assets/main-BBBB.js.old'))).toBe('replaced');
  });

  it('is the server where it does not answer, or only says that it cannot', async () => {
    expect(await answering('', 503)).toBe('unreachable');
    expect(await whyFailed(HERE, () => Promise.reject(new TypeError('Failed to fetch')))).toBe('unreachable');
  });
});
