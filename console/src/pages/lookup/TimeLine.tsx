// The moment, the tolerance around it, and what held before and after: drawn to scale.
import { Segmented } from 'antd';
import { useEffect, useId, useRef, useState } from 'react';
import type { Answer } from '../../api/answer';
import { useWords } from '../../i18n';
import { ZONE_NAME, show } from '../../lib/time';
import { type Bar, type Zoom, firstZoom, picture, toleranceOf } from '../../lib/timeline';
import { Panel } from '../../ui/Page';

const TOP = 34;
const ROW = 40;
const SIDE = 10;

export function TimeLine({ answer }: { answer: Answer }) {
  const { t, span } = useWords();
  const [zoom, setZoom] = useState<Zoom>(() => firstZoom(answer));
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const hatch = useId();
  useEffect(() => setZoom(firstZoom(answer)), [answer]);
  useEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => { if (entry) setWidth(Math.max(260, Math.floor(entry.contentRect.width))); });
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const p = picture(answer, zoom, Math.max(2, Math.min(7, Math.floor(width / 130))));
  const inner = width - 2 * SIDE;
  const x = (part: number): number => SIDE + part * inner;
  const height = TOP + p.bars.length * ROW + 30;
  const at = x((p.moment - p.from) / (p.to - p.from));
  const tickText = (tick: number): string => show(tick, p.step < 1000 ? 'clock-ms' : p.step < 86_400_000 ? 'clock' : 'day').replace(/:00$/, p.step >= 60_000 && p.step < 86_400_000 ? '' : ':00');
  const momentText = `${show(p.moment, p.to - p.from > 86_400_000 ? 'ms' : 'clock-ms')}`;
  const anchor = at < 90 ? 'start' : at > width - 90 ? 'end' : 'middle';
  const zooms = [{ value: 'moment' as Zoom, label: t('line.moment') }, { value: 'mapping' as Zoom, label: t('line.mapping') }, { value: 'all' as Zoom, label: t('line.all') }];
  return (
    <Panel title={t('line.title')} aside={<><span className="dim small">{show(p.from, 'day')} · {ZONE_NAME}</span><Segmented size="small" value={zoom} onChange={setZoom} options={zooms} aria-label={t('line.zoom')} /></>}>
      <div ref={box} className="timeline">
        <svg width={width} height={height} role="img" aria-label={t('line.label', { at: show(p.moment, 'ms'), n: span(toleranceOf(answer)) })}>
          <defs>
            <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="6" height="6" fill="var(--err-soft)" />
              <rect width="2.5" height="6" fill="var(--err)" />
            </pattern>
          </defs>
          <rect x={x(p.band[0])} y={22} width={Math.max(2, x(p.band[1]) - x(p.band[0]))} height={height - 44} fill="var(--band)" />
          {p.ticks.map((tick) => (
            <g key={tick.at}>
              <path d={`M${x(tick.x)} 24V${height - 22}`} stroke="var(--line)" />
              <text x={x(tick.x)} y={height - 6} textAnchor={tick.x < 0.05 ? 'start' : tick.x > 0.95 ? 'end' : 'middle'} className="tick">{tickText(tick.at)}</text>
            </g>
          ))}
          {p.bars.map((bar, n) => <Row key={bar.key} bar={bar} y={TOP + n * ROW} x={x} width={width} hatch={hatch} many={answer.candidates.length > 1} />)}
          <path d={`M${at} 20V${height - 20}`} stroke="var(--ink)" strokeWidth="1.5" strokeDasharray="4 3" />
          <text x={anchor === 'start' ? Math.max(at - 4, SIDE) : anchor === 'end' ? Math.min(at + 4, width - SIDE) : at} y={14} textAnchor={anchor} className="at">{momentText}</text>
        </svg>
        <ul className="legend">
          <li><i className="sw band" />{t('line.band', { n: span(toleranceOf(answer)) })}</li>
          <li><i className="sw mapping" />{t('chain.mapping')}</li>
          <li><i className="sw session" />{t('chain.session')}</li>
          <li><i className="sw gap" />{t('line.gap')}</li>
          <li><i className="sw doubt" />{t('chain.uncertain')}</li>
        </ul>
        <Words bars={p.bars} />
      </div>
    </Panel>
  );
}

function Row({ bar, y, x, width, hatch, many }: { bar: Bar; y: number; x: (part: number) => number; width: number; hatch: string; many: boolean }) {
  const { t, span } = useWords();
  const from = x(bar.from);
  const to = Math.max(x(bar.to), from + 3);
  const colour = bar.what === 'mapping' ? 'var(--accent)' : bar.what === 'session' ? 'var(--info)' : 'var(--err)';
  const name = bar.what === 'gap' ? t('line.gap') : t(`chain.${bar.what}`);
  const label = `${many && bar.candidate !== null ? `${bar.candidate + 1} · ` : ''}${name} ${bar.label}${bar.shifted !== 0 ? ` (${t('line.shifted', { n: span(bar.shifted) })})` : ''}`;
  const startAt = Math.min(Math.max(from, SIDE), width - 60);
  const flip = startAt > width * 0.6;
  return (
    <g opacity={bar.outside ? 0.45 : 1}>
      <text x={flip ? Math.max(to, startAt) : startAt} y={y + 11} textAnchor={flip ? 'end' : 'start'} className="bar-name" style={{ fill: colour }}>{bar.outside ? `${label} (${t('line.outside')})` : label}</text>
      {!bar.outside && (
        <rect
          x={from} y={y + 16} width={to - from} height={12} rx={bar.openLeft && bar.openRight ? 0 : 2}
          fill={bar.what === 'gap' ? `url(#${hatch})` : bar.certain ? colour : 'transparent'} stroke={colour} strokeWidth={bar.certain ? 0 : 1.5} strokeDasharray={bar.certain ? undefined : '4 3'}
        />
      )}
      {!bar.outside && bar.openLeft && <path d={`M${from - 9} ${y + 22}l9 -9v18z`} fill={colour} />}
      {!bar.outside && bar.openRight && <path d={`M${to + 9} ${y + 22}l-9 -9v18z`} fill={colour} />}
    </g>
  );
}

/** The same in words, for who cannot see the picture. */
function Words({ bars }: { bars: Bar[] }) {
  const { t } = useWords();
  return (
    <ul className="unseen">
      {bars.map((bar) => (
        <li key={bar.key}>
          {bar.what === 'gap' ? t('line.gap') : t(`chain.${bar.what}`)} {bar.label}: {bar.start === null ? t('chain.notSeen') : show(bar.start, 'ms')} – {bar.end === null ? t('chain.open') : show(bar.end, 'ms')}
        </li>
      ))}
    </ul>
  );
}
