import type { Entry } from '../entry';

export const panels = {
  'panel.rail': ['侧栏', 'Panels'],
  'panel.close': ['关闭（Esc）', 'Close (Esc)'],
  'panel.toggle': ['打开或关闭侧栏', 'Open or close a panel'],
  'panel.panelEdge': ['侧栏宽度', 'Width of the panel'],
  'panel.reportEdge': ['报告宽度', 'Width of the report'],
  'panel.fold': ['收起报告，放大图像', 'Fold the report for larger images'],
  'panel.unfold': ['展开报告', 'Unfold the report'],
  'panel.quality': ['图像质量与序列概览', 'Image quality and series'],
  'panel.quality.short': ['质量', 'Quality'],
  'panel.timeline.short': ['经过', 'Timeline'],
} as const satisfies Record<string, Entry>;
