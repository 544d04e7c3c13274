import type { Entry } from '../entry';

export const notes = {
  'notes.title': ['与检查机构的留言', 'Notes between site and centre'],
  'notes.short': ['留言', 'Notes'],
  'notes.none.centre': [
    '还没有留言。可以向检查机构询问病史、体位或图像情况。',
    'No notes yet. Ask the site about history, position or images.',
  ],
  'notes.none.site': [
    '还没有留言。可以把诊断医师需要知道的情况写在这里。',
    'No notes yet. Write what the reading doctor should know.',
  ],
  'notes.write.centre': ['写给检查机构', 'Write to the site'],
  'notes.write.site': ['写给诊断中心', 'Write to the centre'],
  'notes.send': ['发送', 'Send'],
  'notes.sendHint': ['Ctrl+Enter 发送', 'Ctrl+Enter sends'],
  'notes.seen': ['{name} 已读 {time}', 'Seen by {name} {time}'],
  'notes.unseen': ['对方未读', 'Not seen yet'],
  'notes.new': ['新', 'New'],
} as const satisfies Record<string, Entry>;
