import type { HelpLine } from '../design/ShortcutHelp';
import type { Shortcuts } from '../design/shortcuts';
import type { Trace } from './trace';
import { FILTERS, following, GAINS, type Layout, type Tools, type View, type Zoom, zoomStep } from './view';

interface Hands {
  view: View;
  natural: Layout;
  trace: Trace | null;
  /** The size now shown; 1 is true millimetres. */
  factor: number;
  change: (part: Partial<View>) => void;
  setZoom: (zoom: Zoom) => void;
  toggleTool: (tool: keyof Tools) => void;
  correct: (() => void) | null;
  /** Null while there is no earlier ECG to compare with. */
  compare: (() => void) | null;
  align: () => void;
  toPaper: () => void;
}

/** What the keys do on an ECG, wherever the focus is except where somebody writes. */
export function ecgKeys(hands: Hands): Shortcuts {
  const { view, trace, factor, change, setZoom } = hands;
  const layout = (chosen: Layout) => () => change({ page: 'trace', layout: chosen, start: 0 });
  const page = (start: number | null) => () => {
    if (start === null || view.page !== 'trace') return false;
    change({ start });
    return true;
  };
  return {
    '1': layout('3x4'),
    '2': layout('6x2'),
    '3': layout('12x1'),
    b: () => change({ page: view.page === 'median' ? 'trace' : 'median' }),
    c: () => change({ order: view.order === 'cabrera' ? 'standard' : 'cabrera' }),
    s: () => change({ speed: view.speed === 25 ? 50 : 25 }),
    g: () => change({ gain: following(GAINS, view.gain) }),
    f: () => change({ filter: following(FILTERS, view.filter) }),
    m: () => hands.toggleTool('marching'),
    n: () => hands.toggleTool('snapping'),
    e: () => hands.correct?.(),
    p: () => hands.compare?.(),
    a: hands.align,
    k: hands.toPaper,
    '+': () => setZoom(zoomStep(factor, 1)),
    '=': () => setZoom(zoomStep(factor, 1)),
    '-': () => setZoom(zoomStep(factor, -1)),
    '0': () => setZoom(1),
    '9': () => setZoom('fit'),
    PageDown: page(trace?.nextStartSeconds ?? null),
    PageUp: page(
      trace === null || trace.startSeconds === 0 ? null : Math.max(0, trace.startSeconds - trace.pageSeconds),
    ),
  };
}

/** The same in words, for the help of a page that shows an ECG. */
export const ECG_KEYS_HELP: readonly HelpLine[] = [
  [['1', '2', '3'], 'keys.ecg.layout'],
  [['B'], 'keys.ecg.median'],
  [['C'], 'keys.ecg.cabrera'],
  [['S', 'G', 'F'], 'keys.ecg.scale'],
  [['+', '−', '0', '9'], 'keys.ecg.zoom'],
  [['PgUp', 'PgDn'], 'keys.ecg.page'],
  [['K'], 'keys.ecg.paper'],
  [['←', '→', '↑', '↓'], 'keys.caliper'],
  [['Ctrl', '←→'], 'keys.ecg.whole'],
  [['X'], 'keys.ecg.turn'],
  [['M'], 'keys.ecg.march'],
  [['N'], 'keys.ecg.snap'],
  [['Esc'], 'keys.caliperClear'],
  [['P', 'A'], 'keys.ecg.compare'],
  [['E'], 'keys.ecg.correct'],
  [['Tab', '←→', 'Del', 'I', 'T'], 'keys.ecg.marks'],
];
