// A chart: drawn by a part that is loaded when it is needed, and the same figures as a table.
import { Button, Skeleton } from 'antd';
import { Suspense, lazy, useState } from 'react';
import { useWords } from '../i18n';

export interface ChartLine { name: string; points: number[]; colour?: number }
export interface ChartProps {
  label: string;
  unit: string;
  times: string[];
  lines: ChartLine[];
  kind: 'line' | 'bar';
  format: (n: number) => string;
  time: (at: string) => string;
}

const Drawn = lazy(() => import('./ChartDrawn'));

export function Chart(props: ChartProps) {
  const { t } = useWords();
  const [table, setTable] = useState(false);
  const sums = props.lines.map((line) => ({ name: line.name, last: line.points[line.points.length - 1] ?? 0, top: Math.max(0, ...line.points) }));
  return (
    <figure className="stack tight">
      {table ? (
        <div className="chart-table" tabIndex={0} role="region" aria-label={props.label}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('chart.time')}</th>
                {props.lines.map((line) => <th scope="col" key={line.name}>{line.name}</th>)}
              </tr>
            </thead>
            <tbody>
              {props.times.map((_, n, all) => all.length - 1 - n).map((n) => (
                <tr key={n}>
                  <th scope="row" className="num">{props.time(props.times[n] ?? '')}</th>
                  {props.lines.map((line) => <td key={line.name} className="num">{props.format(line.points[n] ?? 0)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Suspense fallback={<Skeleton.Node active style={{ width: '100%', height: 220 }} />}>
          <div role="img" aria-label={`${props.label}: ${sums.map((s) => t('chart.sum', { name: s.name, last: props.format(s.last), top: props.format(s.top), unit: props.unit })).join('; ')}`}>
            <Drawn {...props} />
          </div>
        </Suspense>
      )}
      <figcaption className="row between small dim">
        <span>{props.unit}</span>
        <Button size="small" type="link" onClick={() => setTable(!table)} aria-pressed={table}>{table ? t('chart.asChart') : t('chart.asTable')}</Button>
      </figcaption>
    </figure>
  );
}
