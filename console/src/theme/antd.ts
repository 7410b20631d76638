// Our tokens for Ant Design: dense, square-shouldered, river-green. The hex values are those of colours.css.
import { type ThemeConfig, theme } from 'antd';

const LIGHT = {
  bg: '#edf1f0', surface: '#ffffff', raised: '#f5f8f7', line: '#d6dedc', strong: '#7f918e', ink: '#12211f', ink2: '#43534f', ink3: '#566663',
  accent: '#0a6662', on: '#ffffff', soft: '#dff0ed', ok: '#17693f', warn: '#834c00', err: '#a8261d', info: '#285798',
};
const DARK: typeof LIGHT = {
  bg: '#0b1314', surface: '#121c1e', raised: '#182426', line: '#263639', strong: '#5b7073', ink: '#e2ecea', ink2: '#afc1be', ink3: '#92a6a3',
  accent: '#56c2b7', on: '#04201e', soft: '#123230', ok: '#5ac999', warn: '#e5b160', err: '#f29084', info: '#8cb8f6',
};

export const FONT = `"PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", system-ui, sans-serif`;
export const MONO = `ui-monospace, "SFMono-Regular", "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace`;

export function colours(dark: boolean): typeof LIGHT {
  return dark ? DARK : LIGHT;
}

/** `still`: the reader wants no motion; then Ant Design must not wait for the end of any either. */
export function themeOf(dark: boolean, still: boolean): ThemeConfig {
  const c = colours(dark);
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      motion: !still,
      colorPrimary: c.accent, colorLink: c.accent, colorInfo: c.info, colorSuccess: c.ok, colorWarning: c.warn, colorError: c.err,
      colorBgLayout: c.bg, colorBgContainer: c.surface, colorBgElevated: c.surface,
      colorText: c.ink, colorTextSecondary: c.ink2, colorTextTertiary: c.ink3, colorTextDescription: c.ink3, colorTextPlaceholder: c.ink3,
      colorTextLightSolid: c.on, colorBorder: c.strong, colorBorderSecondary: c.line, colorSplit: c.line,
      controlItemBgActive: c.soft, controlItemBgHover: c.raised,
      fontFamily: FONT, fontFamilyCode: MONO, fontSize: 13, borderRadius: 4, borderRadiusLG: 6, borderRadiusSM: 3,
      controlHeight: 32, controlHeightSM: 26, controlHeightLG: 40, controlOutlineWidth: 0, wireframe: false, motionDurationMid: '0.12s', motionDurationSlow: '0.16s',
    },
    components: {
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', primaryColor: c.on, fontWeight: 500, dangerColor: c.on },
      Table: { headerBg: c.raised, headerColor: c.ink2, rowHoverBg: c.raised, cellPaddingBlockSM: 6, cellPaddingInlineSM: 10, headerSplitColor: 'transparent', borderColor: c.line },
      Form: { itemMarginBottom: 14, verticalLabelPadding: '0 0 4px', labelColor: c.ink2 },
      Tabs: { horizontalMargin: '0 0 12px' },
      Tooltip: { colorBgSpotlight: dark ? '#2a3b3e' : '#12211f', colorTextLightSolid: '#ffffff' },
      Segmented: { trackBg: dark ? '#1c2a2c' : '#dfe6e4', itemColor: c.ink2, itemSelectedBg: dark ? '#33484b' : c.surface },
      Modal: { titleFontSize: 16 },
      Tag: { defaultBg: c.raised, defaultColor: c.ink2 },
    },
  };
}
