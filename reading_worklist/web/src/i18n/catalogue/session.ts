import type { Entry } from '../entry';

export const session = {
  'organisation.title': ['请选择执业机构', 'For whom do you act?'],
  'organisation.text': [
    '您在多个机构任职。您的操作将以所选机构的名义记录，之后可在页面顶部切换。',
    'You belong to several organisations. What you do is recorded in the name of the one you choose; change it later at the top of the page.',
  ],
  'organisation.list': ['可选机构', 'Your organisations'],
  'organisation.present': ['当前', 'Present'],
  'organisation.switch': ['切换执业机构：{name}', 'Acting for {name}; change'],
  'organisation.switched': ['现以 {name} 的名义操作', 'You act for {name} now'],
} as const satisfies Record<string, Entry>;
