import type { Entry } from '../entry';

export const ecgQuality = {
  'ecgQuality.title': ['心电图质量', 'ECG quality'],
  'ecgQuality.pending': ['正在检查采集质量…', 'The recording is being checked…'],
  'ecgQuality.failed': ['未能检查采集质量，请人工查看。', 'The recording could not be checked. Look at it yourself.'],
  'ecgQuality.fine': ['采集质量合格', 'Well recorded'],
  'ecgQuality.usable': ['可用，另有提示', 'Usable, with notes'],
  'ecgQuality.look': ['请人工查看', 'Look at it'],
  'ecgQuality.repeat': ['请重做', 'Repeat'],
  'ecgQuality.repeatBecause': ['请重新采集，原因：', 'Record again, because:'],
  'ecgQuality.unreadable': ['文件无法读取：{problem}', 'The file cannot be read: {problem}'],
  'ecgQuality.notAnalysed': ['未能自动分析，请人工阅图。', 'It could not be analysed. Read the trace itself.'],
  'ecgQuality.number': ['第 {n} 份', 'No. {n}'],
  'ecgQuality.picture': ['心电图缩略图', 'The ECG at a glance'],
  'ecgQuality.value': ['{value}（限值 {limit}）', '{value} (limit {limit})'],
  'ecgQuality.severity.REPEAT': ['重做', 'Repeat'],
  'ecgQuality.severity.NOTE': ['提示', 'Note'],

  'ecgQuality.code.lead_off': ['导联脱落', 'Lead off'],
  'ecgQuality.code.questionable': ['设备提示信号可疑', 'The device calls the signal questionable'],
  'ecgQuality.code.no_signal': ['所有导联均无信号', 'No signal in any lead'],
  'ecgQuality.code.flat_line': ['直线，无信号', 'Flat line'],
  'ecgQuality.code.missing_samples': ['有采样缺失', 'Samples are missing'],
  'ecgQuality.code.clipped': ['波形削顶', 'Waves are cut off'],
  'ecgQuality.code.mains_noise': ['交流电干扰', 'Mains noise'],
  'ecgQuality.code.muscle_noise': ['肌电干扰', 'Muscle noise'],
  'ecgQuality.code.baseline_wander': ['基线漂移', 'Baseline wander'],
  'ecgQuality.code.too_short': ['记录过短', 'Too short'],
  'ecgQuality.code.too_long': ['长程记录，不按静息心电图检查', 'A long record, not checked as a resting ECG'],
  'ecgQuality.code.sampling_rate': ['采样率偏低', 'Low sampling rate'],
  'ecgQuality.code.missing_leads': ['缺少导联', 'Leads are missing'],
  'ecgQuality.code.limb_lead_sum': ['肢体导联互相矛盾', 'The limb leads contradict each other'],
  'ecgQuality.code.arm_reversal': ['疑左右手电极接反', 'The arm electrodes look exchanged'],
  'ecgQuality.code.arm_leg_reversal': [
    '疑上肢与右下肢电极接反',
    'An arm electrode looks exchanged with the right leg’s',
  ],

  'ecgQuality.advice.lead_off': [
    '检查该导联电极和导线，重新粘贴后再采。',
    'Check that electrode and its cable, then record again.',
  ],
  'ecgQuality.advice.no_signal': [
    '先看病人，再检查电极和导线。',
    'Look at the patient first, then at electrodes and cables.',
  ],
  'ecgQuality.advice.mains': [
    '关闭附近电器，理顺导线，擦净皮肤后再采。',
    'Switch off what is near, untangle the cables, clean the skin, then record again.',
  ],
  'ecgQuality.advice.muscle': [
    '请病人保暖、放松、不说话后再采。',
    'Let the patient be warm, at ease and silent, then record again.',
  ],
  'ecgQuality.advice.wander': [
    '请病人平静呼吸，检查电极粘贴后再采。',
    'Ask for calm breathing, check the electrodes, then record again.',
  ],
  'ecgQuality.advice.clipped': ['检查增益和电极后再采。', 'Check gain and electrodes, then record again.'],
  'ecgQuality.advice.device': ['检查心电图机的采集设置。', 'Check the settings of the ECG machine.'],
  'ecgQuality.advice.exchange': ['核对四肢电极位置后再采。', 'Check the limb electrodes’ places, then record again.'],
} as const satisfies Record<string, Entry>;
