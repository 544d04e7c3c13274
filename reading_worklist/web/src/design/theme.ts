import { theme as antd, type ThemeConfig } from 'antd';

import type { Appearance } from './appearance';
import { FONT_FAMILY, type Palette } from './palette';

/** Ant Design in our colours and in clinical density: 13 px text, 30 px controls, small radii, and no motion: nobody waits for a dialog to fly in. */
export function themeFor(appearance: Appearance, palette: Palette): ThemeConfig {
  return {
    algorithm: appearance === 'dark' ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      fontFamily: FONT_FAMILY,
      fontSize: 13,
      borderRadius: 5,
      controlHeight: 30,
      controlHeightSM: 24,
      controlHeightLG: 36,
      motion: false,
      wireframe: false,
      colorPrimary: palette.accent,
      colorLink: palette.accent,
      colorTextLightSolid: palette.onAccent,
      colorInfo: palette.blue,
      colorError: palette.red,
      colorWarning: palette.amber,
      colorSuccess: palette.green,
      colorText: palette.ink,
      colorTextSecondary: palette.muted,
      colorTextTertiary: palette.muted,
      colorTextDescription: palette.muted,
      colorTextPlaceholder: palette.muted,
      colorBgLayout: palette.canvas,
      colorBgContainer: palette.surface,
      colorBgElevated: palette.surface,
      colorBorder: palette.control,
      colorBorderSecondary: palette.line,
      colorSplit: palette.line,
      boxShadow: palette.shadow,
      boxShadowSecondary: palette.shadow,
    },
    components: {
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', fontWeight: 500 },
      Tabs: { horizontalItemPadding: '8px 0', horizontalMargin: '0' },
      Segmented: { itemSelectedBg: palette.surface, trackBg: palette.slateTint },
      Modal: { titleFontSize: 15 },
      Tooltip: { fontSize: 12 },
      Splitter: { splitBarSize: 4, splitTriggerSize: 8 },
    },
  };
}
