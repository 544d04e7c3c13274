import type { Entry } from '../entry';

export const preliminary = {
  'nav.preliminary': ['临时报告', 'Preliminary'],
  'preliminary.title': ['待终审的临时报告', 'Preliminary reports to be finalised'],
  'preliminary.intro': ['{n} 份，须在下一工作日 12:00 前终审', '{n}, each due by noon of the next working day'],
  'preliminary.late': ['{n} 份已超时，请立即终审', 'Overdue: {n}. Review them now'],
  'preliminary.overdue': ['已超时', 'Overdue'],
  'preliminary.failed': ['临时报告载入失败', 'The preliminary reports could not be loaded'],
  'preliminary.empty.title': ['没有待终审的临时报告', 'No preliminary report waits'],
  'preliminary.empty.text': [
    '夜间或急诊由一位医师签发的报告会列在这里，直到终审。',
    'Reports that one doctor issued at night or for a STAT exam stand here until the final review.',
  ],
  'preliminary.column.patient': ['患者', 'Patient'],
  'preliminary.column.exam': ['检查', 'Exam'],
  'preliminary.column.writer': ['签发', 'Issued by'],
  'preliminary.column.state': ['状态', 'State'],
  'preliminary.column.due': ['终审时限', 'Final review due'],
} as const satisfies Record<string, Entry>;
