import { describe, expect, it } from 'vitest';

import { deliveryWords } from './deliveryError';

describe('deliveryWords', () => {
  it.each([
    ['no connection to EAST_PACS at 10.0.0.1:104', '连接不上接收端'],
    ['host pacs.east is not known: Name or service not known', '找不到接收端的主机名'],
    ['association rejected by X: Rejected Permanent, Service User, Called AE title not recognised', '接收端不认识我们'],
    ['C-STORE status A700H: Out of resources', '接收端空间不足'],
    ['C-STORE status A900H', '接收端拒收这份报告'],
    ['acknowledged AR 204 unknown patient', '接收端拒收这份报告'],
    ['HTTP 401', '接收端不允许我们写入'],
    ['HTTP 503, asks to wait 30 s', '接收端出错'],
    ['no answer to C-STORE before the association ended', '接收端没有应答'],
    ['superseded by version 2', '已有新版本，不再发送'],
  ])('says what %s means', (said, title) => {
    expect(deliveryWords('zh-CN', said).title).toBe(title);
  });

  it('gives the remedy and what was said beside it', () => {
    const words = deliveryWords('en', 'HTTP 401');
    expect(words.remedy).toContain('renew it');
    expect(words.said).toBe('HTTP 401');
  });

  it('leaves what nobody knows as it was said', () => {
    expect(deliveryWords('en', 'xyz')).toEqual({ title: 'xyz', remedy: null, said: null });
  });
});
