import type { Entry } from '../entry';

export const ambulatory = {
  'ambulatory.overview': ['全程概览', 'Overview of the record'],
  'ambulatory.bpm': ['次/分', 'bpm'],
  'ambulatory.mode': ['查看方式', 'View'],
  'ambulatory.mode.page': ['定标页', 'Calibrated page'],
  'ambulatory.mode.lines': ['全览波形', 'Full disclosure'],
  'ambulatory.lines': ['全览波形', 'Full disclosure'],
  'ambulatory.lines.hint': [
    '点击波形，在定标页中查看该处 · , / . 翻页',
    'Click on a line to see it as a calibrated page · , / . turn pages',
  ],
  'ambulatory.lead': ['导联', 'Lead'],
  'ambulatory.lineSeconds': ['每行时长', 'Length of a line'],
  'ambulatory.line': ['{n} 秒/行', '{n} s a line'],
  'ambulatory.jump': ['跳转到时刻', 'Go to a time'],
  'ambulatory.jump.placeholder': ['时刻 22:54', 'Time 22:54'],
  'ambulatory.jump.wrong': ['记录中没有该时刻', 'The record has no such time'],
  'ambulatory.keys': [
    'PgUp / PgDn 翻页 · J 跳转到时刻 · L 切换查看方式',
    'PgUp / PgDn turn pages · J go to a time · L change the view',
  ],
  'ambulatory.making': [
    '正在生成概览，需要几十秒；波形现在即可翻看。',
    'The overview is being made, which takes up to a minute; the trace can be read meanwhile.',
  ],
  'ambulatory.failed': ['无法读取长程记录的信息', 'The facts of the long record cannot be read'],
  'ambulatory.overviewFailed': ['无法生成概览', 'The overview cannot be made'],
  'ambulatory.events': ['设备标记 {n}', 'Marks of the device: {n}'],
  'ambulatory.events.none': ['文件中没有标记', 'The file has no marks'],
  'ambulatory.longestRr': ['最长 RR（程序检出）', 'Longest RR (found by program)'],
  'ambulatory.seconds': ['{n} 秒', '{n} s'],
  'ambulatory.found': ['检出 {n} 次心搏，未经人工核对', '{n} beats found, checked by nobody'],
  'ambulatory.found.hint': [
    '程序检出，未经人工核对；噪声可致多检，小波可致漏检',
    'Found by program and checked by nobody: noise can add beats, small complexes can hide them',
  ],
  'ambulatory.withoutSignal': ['无信号 {n} 分钟', '{n} min without a signal'],
} as const satisfies Record<string, Entry>;
