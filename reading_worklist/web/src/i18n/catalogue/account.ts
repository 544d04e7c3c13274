import type { Entry } from '../entry';

/** One's own account. */
export const account = {
  'account.title': ['我的账户', 'My account'],
  'account.password': ['修改密码', 'Change password'],
  'account.password.old': ['当前密码', 'Present password'],
  'account.password.new': ['新密码', 'New password'],
  'account.password.again': ['再次输入新密码', 'New password again'],
  'account.password.rule': [
    '至少 10 个字符，不要用姓名、日期、常见词或键盘顺序。几个互不相关的词既好记又安全。修改后，您在其他地方的登录会全部退出。',
    'Ten characters or more; no name, date, common word or row of keys. Several words that have nothing to do with each other are easy to keep in mind. Everywhere else you are signed out.',
  ],
  'account.password.differ': ['两次输入的新密码不一致', 'The two new passwords differ'],
  'account.password.missing': ['请填写三项', 'Fill in all three'],
  'account.password.save': ['保存新密码', 'Save new password'],
  'account.password.saved': ['密码已修改', 'The password has been changed'],
  'account.sessions': ['登录位置', 'Where you are signed in'],
  'account.sessions.note': [
    '如有不认识的登录，请立即退出它并修改密码。',
    'If you do not know one of these, sign it out and change your password.',
  ],
  'account.sessions.failed': ['无法读取登录位置', 'This could not be read'],
  'account.column.where': ['位置', 'Where'],
  'account.column.organisation': ['执业机构', 'Acting for'],
  'account.column.since': ['登录时间', 'Since'],
  'account.column.seen': ['最近使用', 'Last seen'],
  'account.column.action': ['操作', 'Action'],
  'account.own': ['本次登录', 'This one'],
  'account.end': ['退出', 'Sign out'],
  'account.ended': ['已退出该处登录', 'Signed out there'],
} as const satisfies Record<string, Entry>;
