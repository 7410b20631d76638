// Draws with ECharts: only the parts that are used. Tooltips are drawn on the canvas, because style attributes in HTML are forbidden here.
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { usePrefs } from '../app/prefs';
import { FONT, colours } from '../theme/antd';
import type { ChartProps } from './Chart';

use([LineChart, BarChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

const LIGHT = ['#0a6662', '#285798', '#9a5b00', '#7a3e8e', '#a8261d', '#4c6b1f', '#2d7fa6', '#8a6d3b', '#5d5fb0'];
const DARK = ['#56c2b7', '#8cb8f6', '#e5b160', '#c99be0', '#f29084', '#a5c76a', '#6cc0e8', '#d0b486', '#a9abef'];

export default function ChartDrawn({ times, lines, kind, format, time, unit }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const { dark } = usePrefs();

  useEffect(() => {
    if (!box.current) return undefined;
    const made = init(box.current, undefined, { renderer: 'canvas' });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const c = colours(dark);
    const many = lines.length > 1;
    chart.current?.setOption({
      animation: false,
      color: dark ? DARK : LIGHT,
      textStyle: { fontFamily: FONT, color: c.ink2 },
      grid: { left: 8, right: 14, top: 10, bottom: many ? 34 : 8, containLabel: true },
      legend: many ? { bottom: 0, type: 'scroll', icon: 'roundRect', itemWidth: 12, itemHeight: 4, textStyle: { color: c.ink2, fontSize: 12 }, pageTextStyle: { color: c.ink2 }, pageIconColor: c.ink2 } : undefined,
      tooltip: {
        trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: c.surface, borderColor: c.strong, textStyle: { color: c.ink, fontSize: 12 },
        axisPointer: { type: 'line', lineStyle: { color: c.strong } },
        valueFormatter: (value: unknown) => `${format(Number(value))} ${unit}`,
      },
      xAxis: {
        type: 'category', data: times.map(time), boundaryGap: kind === 'bar', axisLine: { lineStyle: { color: c.strong } }, axisTick: { show: false },
        axisLabel: { color: c.ink3, hideOverlap: true, fontSize: 11 },
      },
      yAxis: { type: 'value', splitNumber: 4, minInterval: kind === 'bar' ? 1 : 0, splitLine: { lineStyle: { color: c.line } }, axisLabel: { color: c.ink3, fontSize: 11, formatter: (n: number) => format(n) } },
      series: lines.map((line) => ({
        name: line.name, type: kind, data: line.points, showSymbol: false, stack: kind === 'bar' ? 'all' : undefined, barMaxWidth: 10,
        lineStyle: { width: 1.8 }, emphasis: { focus: 'none' }, color: line.colour === undefined ? undefined : (dark ? DARK : LIGHT)[line.colour],
      })),
    }, { notMerge: true });
  }, [times, lines, kind, format, time, unit, dark]);

  return <div ref={box} style={{ height: 220, width: '100%' }} />;
}
