import type { Entry } from '../entry';

export const quality = {
  'quality.title': ['图像质量与序列概览', 'Image quality and series'],
  'quality.pending': ['正在核对层面…', 'Slices are being checked…'],
  'quality.failed': [
    '层面核对未能完成，请人工留意图像是否完整。',
    'The slices could not be checked. Look out for missing images.',
  ],
  'quality.fine': ['层面核对未见异常', 'No problem found in the slices'],
  'quality.warnings': ['{n} 条质量提示', 'Quality notes: {n}'],
  'quality.series': ['{n} 个序列', 'Series: {n}'],
  'quality.earlier': ['已解除的提示（{n}）', 'No longer found ({n})'],
  'quality.seriesLabel': ['序列 {number}', 'Series {number}'],
  'quality.seriesUnnumbered': ['未编号序列', 'Series without number'],
  'quality.images': ['{n} 幅', 'Images: {n}'],
  'quality.enlarge': ['放大概览：{name}', 'Enlarge {name}'],
  'quality.montage': ['{name}的概览图，{tiles} 层', 'Overview of {name}, slices: {tiles}'],
  'quality.previous': ['上一个序列', 'Previous series'],
  'quality.next': ['下一个序列', 'Next series'],
  'quality.noMontage': ['无概览图', 'No overview'],
  'quality.feedback': ['图像质量反馈', 'Image quality feedback'],

  'quality.severity.warning': ['提示', 'Warning'],
  'quality.severity.info': ['说明', 'Note'],

  'quality.code.missing_slices': ['缺少 {count} 层', 'Slices missing: {count}'],
  'quality.code.doubled_slices': ['{count} 层位置重复', 'Slices at a place already taken: {count}'],
  'quality.code.uneven_spacing': ['{count} 层层距不均', 'Slices unevenly spaced: {count}'],
  'quality.code.spacing_changes': ['层距分段变化', 'Spacing changes along the series'],
  'quality.code.mixed_orientation': ['{count} 层方向与其余不同', 'Slices turned against the others: {count}'],
  'quality.code.mixed_size': ['{count} 层矩阵大小与其余不同', 'Slices of another size: {count}'],
  'quality.code.mixed_pixel_spacing': ['{count} 层像素间距与其余不同', 'Slices with other pixel spacing: {count}'],
  'quality.code.shifted_slices': ['{count} 层在层面内偏移', 'Slices shifted sideways: {count}'],
  'quality.code.unplaced_slices': ['{count} 层没有空间位置', 'Slices without a position: {count}'],
  'quality.code.gantry_tilt': ['机架倾斜扫描', 'Scanned with a tilted gantry'],
  'quality.code.blank_slices': ['{count} 层为空白图像', 'Blank slices: {count}'],
  'quality.code.repeated_content': [
    '{count} 层图像内容与其他层完全相同',
    "Slices with the same image as another's: {count}",
  ],
  'quality.code.unreadable': ['{count} 个实例无法读取', 'Instances that cannot be read: {count}'],

  'quality.advice.missing_slices': ['请在设备上重新发送该序列。', 'Send the series again from the device.'],
  'quality.advice.doubled_slices': ['请确认是否重复扫描或重复发送。', 'See whether they were scanned or sent twice.'],
  'quality.advice.uneven_spacing': [
    '三维重建和测量可能不准确。',
    'Reconstructions and measurements in 3-D may be wrong.',
  ],
  'quality.advice.mixed': ['请确认是否混入其他扫描的图像。', 'See whether images of another scan got into it.'],
  'quality.advice.broken': [
    '请检查设备重建和存储，必要时重新发送。',
    "Check the device's reconstruction and storage; send again where needed.",
  ],

  'quality.between': ['第 {after} 与 {before} 层之间', 'between {after} and {before}'],
  'quality.betweenPlaces': ['{from} 至 {to} mm 之间', 'between {from} and {to} mm'],
  'quality.place': ['{at} mm 处', 'at {at} mm'],
  'quality.numbers': ['第 {numbers} 层', 'no. {numbers}'],
  'quality.spacing': ['层距 {mm} mm', 'spacing {mm} mm'],
  'quality.spacingRange': ['{from}–{to} mm', '{from}–{to} mm'],
  'quality.degrees': ['{n}°', '{n}°'],
  'quality.more': ['等', 'and others'],
} as const satisfies Record<string, Entry>;
