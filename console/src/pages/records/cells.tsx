// Values of records: moments in the unit's zone, masked identifiers marked, numbers of the standards with their names.
import { EyeInvisibleOutlined } from '@ant-design/icons';
import { Tooltip } from 'antd';
import type { ReactNode } from 'react';
import type { Column, Source } from '../../api/types';
import { useWords } from '../../i18n';
import { isMoment } from '../../lib/time';
import { Time, plain } from '../../ui/Bits';
import type { Col } from '../../ui/List';
import { nameOf } from './names';

export type Row = Record<string, unknown> & { _n: number };

export const blank = (value: unknown): boolean => value === null || value === undefined || value === '';

export function Cell({ value, masked, name }: { value: unknown; masked: boolean; name?: string | undefined }) {
  if (blank(value)) return <span className="dim">–</span>;
  if (isMoment(value)) return <Time at={value} detail="ms" />;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (masked) return <span className="mono masked" title={text}>{text.length > 20 ? `${text.slice(0, 10)}…${text.slice(-4)}` : text}</span>;
  if (typeof value === 'number' || typeof value === 'boolean') return <span className="num">{text}{name && <> <span className="dim small">{name}</span></>}</span>;
  return <span className="cell wrap" title={text.length > 120 ? text : undefined}>{text.length > 400 ? `${text.slice(0, 400)}…` : text}</span>;
}

function Head({ name, shape }: { name: string; shape: Column | undefined }) {
  const { t, pick } = useWords();
  const masked = shape?.class === 'identifier';
  const words = [shape && plain(pick(shape.doc)), shape?.unit, masked ? t('mask.column') : ''].filter(Boolean).join(' · ');
  return (
    <Tooltip title={words || undefined}>
      <span className="mono head">{name}{masked && <> <EyeInvisibleOutlined aria-label={t('mask.column')} /></>}</span>
    </Tooltip>
  );
}

/** `line`: what stands in the column `text` of a log line. */
export function columnsOf(names: string[], shapes: Column[], sources: Source[] = [], line?: (id: string, time: string) => ReactNode): Col<Row>[] {
  const time = names.includes('time') ? 'time' : names.includes('start') ? 'start' : names[0];
  return names.map((name) => {
    const shape = shapes.find((s) => s.name === name);
    const masked = shape?.class === 'identifier';
    const render = (row: Row): ReactNode => {
      const value = row[name];
      if (name === 'text' && line && typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) && isMoment(row.time)) return line(value, row.time);
      if (name === 'source') return <Cell value={sources.find((s) => s.number === value)?.name ?? value} masked={masked} />;
      return <Cell value={value} masked={masked} name={nameOf(name, shape?.doc.en ?? '', value)} />;
    };
    return { key: name, title: <Head name={name} shape={shape} />, main: name === time, render, blank: (row) => blank(row[name]) };
  });
}
