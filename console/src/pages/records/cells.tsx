// Values of records: moments in the unit's zone, masked identifiers marked, everything else as it is.
import { EyeInvisibleOutlined } from '@ant-design/icons';
import { Tooltip } from 'antd';
import type { Column, Source } from '../../api/types';
import { useWords } from '../../i18n';
import { isMoment } from '../../lib/time';
import { Time, plain } from '../../ui/Bits';
import type { Col } from '../../ui/List';

export type Row = Record<string, unknown> & { _n: number };

export function Cell({ value, masked }: { value: unknown; masked: boolean }) {
  if (value === null || value === undefined || value === '') return <span className="dim">–</span>;
  if (isMoment(value)) return <Time at={value} detail="ms" />;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (masked) return <span className="mono masked" title={text}>{text.length > 20 ? `${text.slice(0, 10)}…${text.slice(-4)}` : text}</span>;
  if (typeof value === 'number' || typeof value === 'boolean') return <span className="num">{text}</span>;
  return <span className="cell wrap" title={text.length > 120 ? text : undefined}>{text.length > 400 ? `${text.slice(0, 400)}…` : text}</span>;
}

function Head({ name, shape }: { name: string; shape: Column | undefined }) {
  const { t, pick } = useWords();
  const masked = shape?.class === 'identifier';
  const words = [shape && plain(pick(shape.doc)), shape?.unit, masked ? t('mask.column') : ''].filter(Boolean).join(' · ');
  return (
    <Tooltip title={words || undefined}>
      <span className="mono">{name}{masked && <> <EyeInvisibleOutlined aria-label={t('mask.column')} /></>}</span>
    </Tooltip>
  );
}

export function columnsOf(names: string[], shapes: Column[], sources: Source[] = []): Col<Row>[] {
  const time = names.includes('time') ? 'time' : names.includes('start') ? 'start' : names[0];
  return names.map((name) => {
    const shape = shapes.find((s) => s.name === name);
    const named = name === 'source' ? (value: unknown) => sources.find((s) => s.number === value)?.name : undefined;
    return { key: name, title: <Head name={name} shape={shape} />, main: name === time, render: (row) => <Cell value={named?.(row[name]) ?? row[name]} masked={shape?.class === 'identifier'} /> };
  });
}
