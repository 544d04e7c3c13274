/**
 * Colours of both appearances, the one source for CSS variables and for Ant Design's tokens.
 * Text colours hold WCAG AA (4.5:1) on every ground and on their own tint; `control` and `focus` hold the 3:1
 * of what tells a field or a button from the ground.
 */
export interface Palette {
  canvas: string;
  surface: string;
  raised: string;
  ink: string;
  muted: string;
  line: string;
  lineStrong: string;
  control: string;
  hover: string;
  selected: string;
  accent: string;
  accentStrong: string;
  onAccent: string;
  header: string;
  onHeader: string;
  onHeaderMuted: string;
  headerLine: string;
  red: string;
  redTint: string;
  redSolid: string;
  amber: string;
  amberTint: string;
  green: string;
  greenTint: string;
  blue: string;
  blueTint: string;
  violet: string;
  violetTint: string;
  slate: string;
  slateTint: string;
  focus: string;
  shadow: string;
}

export const light: Palette = {
  canvas: '#eff3f4',
  surface: '#ffffff',
  raised: '#f7f9fa',
  ink: '#15262d',
  muted: '#52666f',
  line: '#dbe3e6',
  lineStrong: '#b9c7cc',
  control: '#788b93',
  hover: '#f1f6f7',
  selected: '#dff0f1',
  accent: '#0b6577',
  accentStrong: '#084b59',
  onAccent: '#ffffff',
  header: '#0f2b34',
  onHeader: '#f2f8f9',
  onHeaderMuted: '#a9c3ca',
  headerLine: '#28505c',
  red: '#b3261e',
  redTint: '#fdecea',
  redSolid: '#b3261e',
  amber: '#8a5000',
  amberTint: '#fff3dc',
  green: '#1c6b3a',
  greenTint: '#e5f4ea',
  blue: '#1a5aa0',
  blueTint: '#e6f0fb',
  violet: '#5b3fa0',
  violetTint: '#efeafa',
  slate: '#475a63',
  slateTint: '#e9eef0',
  focus: '#0a7f96',
  shadow: '0 1px 2px rgb(16 38 46 / 8%), 0 4px 16px rgb(16 38 46 / 6%)',
};

export const dark: Palette = {
  canvas: '#0d1418',
  surface: '#151e23',
  raised: '#1a252b',
  ink: '#dfe8eb',
  muted: '#9db0b8',
  line: '#28363d',
  lineStrong: '#3f525b',
  control: '#667c86',
  hover: '#1b282e',
  selected: '#17363d',
  accent: '#4fb3c1',
  accentStrong: '#7fced9',
  onAccent: '#06222a',
  header: '#0a1a20',
  onHeader: '#e6f1f3',
  onHeaderMuted: '#93adb5',
  headerLine: '#1f3d47',
  red: '#ff9a90',
  redTint: '#3d1c1b',
  redSolid: '#c23b31',
  amber: '#f2bd6b',
  amberTint: '#3a2b10',
  green: '#83d3a0',
  greenTint: '#15321f',
  blue: '#8fc0f5',
  blueTint: '#17304b',
  violet: '#c3b0f5',
  violetTint: '#2c2448',
  slate: '#b3c3ca',
  slateTint: '#25323a',
  focus: '#62c6d4',
  shadow: '0 1px 2px rgb(0 0 0 / 40%), 0 4px 16px rgb(0 0 0 / 30%)',
};

export const FONT_FAMILY =
  'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';

/** The CSS variable that carries a colour, e.g. `--rdc-line-strong`. */
export function cssVariable(name: keyof Palette): string {
  return `--rdc-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
