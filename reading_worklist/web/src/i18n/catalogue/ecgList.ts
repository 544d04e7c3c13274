import type { Entry } from '../entry';

export const ecgList = {
  'nav.ecgList': ['心电危急值清单', 'ECG critical list'],
  'ecgList.title': ['心电危急值清单', 'ECG critical values'],
  'ecgList.intro': [
    '各省取值不同。所选清单决定系统对新到心电图的危急值提示。',
    'Provinces differ. The list chosen decides which new ECGs are suspected to be critical.',
  ],
  'ecgList.failed': ['清单载入失败', 'The lists could not be loaded'],
  'ecgList.table': ['各省清单对照', 'The lists side by side'],
  'ecgList.code': ['条目', 'Rule'],
  'ecgList.inForce': ['现行', 'In force'],
  'ecgList.choose': ['采用此清单', 'Use this list'],
  'ecgList.confirm': ['改用“{list}”？', 'Use “{list}” from now on?'],
  'ecgList.effect': [
    '对此后收到的心电图生效；已有的提示和危急值不变。更改记入审计。',
    'It holds for ECGs received from now on; hints and critical values that exist stay. The change is audited.',
  ],
  'ecgList.chosen': ['已改用{list}', '{list} is in force now'],
  'ecgList.judged': ['系统自动提示', 'looked for in every ECG'],
  'ecgList.reader': ['由医师判断', 'a reader’s to say'],
} as const satisfies Record<string, Entry>;
