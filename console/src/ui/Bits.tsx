// Small parts that every page uses.
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { Button, Grid, Tooltip } from 'antd';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useWords } from '../i18n';
import { shortId } from '../lib/format';
import { type Detail, ZONE_NAME, parse, show } from '../lib/time';

export type Tone = 'ok' | 'warn' | 'err' | 'info' | 'idle';

export const Status = ({ tone, children }: { tone: Tone; children: ReactNode }) => <span className={`status ${tone}`}>{children}</span>;
export const Pill = ({ tone, children }: { tone?: Tone | 'accent'; children: ReactNode }) => <span className={`pill ${tone ?? ''}`}>{children}</span>;

/** A moment, in the unit's zone. */
export function Time({ at, detail = 'second' }: { at: string | null | undefined; detail?: Detail }) {
  if (!at) return <span className="dim">–</span>;
  return (
    <time className="num" dateTime={at} title={`${show(parse(at), 'ms')} ${ZONE_NAME}`}>
      {show(parse(at), detail)}
    </time>
  );
}

/** A sentence of the program, in which `names` stand between backticks. */
export function Said({ children }: { children: string }) {
  return <>{children.split('`').map((part, n) => (n % 2 === 1 ? <code key={n} className="mono">{part}</code> : part))}</>;
}
export const plain = (text: string): string => text.replace(/`/g, '');

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without a secure context there is no clipboard; a selected field can still be copied.
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** `quiet`: the sign alone, its words in a hint; `hint`: a small button whose words are explained in a hint. */
export function Copy({ text, label, quiet, hint }: { text: string; label?: string; quiet?: boolean; hint?: string }) {
  const { t } = useWords();
  const [done, setDone] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    setDone(await toClipboard(text));
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setDone(false), 1600);
  };
  const words = done ? t('do.copied') : (label ?? t('do.copy'));
  if (quiet) {
    return (
      <Tooltip title={words}>
        <Button type="text" size="small" aria-label={`${words}: ${text.slice(0, 40)}`} icon={done ? <CheckOutlined /> : <CopyOutlined />} onClick={() => void copy()} />
      </Tooltip>
    );
  }
  const button = (
    <Button size={hint ? 'small' : undefined} aria-label={hint ? `${words}: ${hint}` : undefined} icon={done ? <CheckOutlined /> : <CopyOutlined />} onClick={() => void copy()}>
      <span aria-live="polite">{words}</span>
    </Button>
  );
  return hint ? <Tooltip title={hint}>{button}</Tooltip> : button;
}

/** An id: short in tables, whole where it is the point. */
export function Id({ id, whole }: { id: string; whole?: boolean }) {
  return (
    <span className="nowrap-id">
      <span className="mono wrap" title={id}>{whole ? id : shortId(id)}</span>
      <Copy text={id} quiet />
    </span>
  );
}

export function Pairs({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="pairs">
      {of.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Below 860 px: cards and a drawer menu. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.matchMedia('(max-width: 860px)').matches);
  useEffect(() => {
    const query = window.matchMedia('(max-width: 860px)');
    const seen = (): void => setNarrow(query.matches);
    query.addEventListener('change', seen);
    return () => query.removeEventListener('change', seen);
  }, []);
  return narrow;
}

/** Drawers take the whole width on a telephone. */
export function useDrawerWidth(): number | string {
  const wide = Grid.useBreakpoint().md;
  return wide ? 640 : '100%';
}

/** A tiny chart of one line; its words are in the label. */
export function Spark({ points, label }: { points: number[]; label: string }) {
  const width = 96;
  const height = 22;
  const top = Math.max(...points, 0.001);
  const step = points.length > 1 ? width / (points.length - 1) : width;
  const path = points.map((p, n) => `${n === 0 ? 'M' : 'L'}${(n * step).toFixed(1)} ${(height - 2 - (p / top) * (height - 4)).toFixed(1)}`).join('');
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      <path d={`M0 ${height - 1}H${width}`} stroke="var(--line)" />
      {points.length > 1 && <path d={path} fill="none" stroke="var(--accent)" strokeWidth="1.5" strokeLinejoin="round" />}
    </svg>
  );
}
