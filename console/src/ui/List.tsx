// A list: a table on wide screens, cards on narrow ones, from the same description.
import { Table } from 'antd';
import { type ReactNode, useEffect, useRef } from 'react';
import { useNarrow } from './Bits';

export interface Col<T> {
  key: string;
  title: ReactNode;
  render: (row: T) => ReactNode;
  /** The heading of a card. */
  main?: boolean;
  /** Beside the heading of a card. */
  beside?: boolean;
  /** Buttons: at the foot of a card. */
  acts?: boolean;
  width?: number | string;
  right?: boolean;
  sort?: (a: T, b: T) => number;
  /** Left out of cards. */
  wideOnly?: boolean;
}

interface Props<T> {
  rows: T[];
  cols: Col<T>[];
  id: (row: T) => string;
  label: string;
  empty?: ReactNode;
  onOpen?: (row: T) => void;
  pageSize?: number;
  scrollX?: boolean;
  /** Columns as wide as they say, in every table of a page alike. */
  fixed?: boolean;
}

export function List<T extends object>({ rows, cols, id, label, empty, onOpen, pageSize = 50, scrollX = false, fixed = false }: Props<T>) {
  const narrow = useNarrow();
  const box = useRef<HTMLDivElement>(null);
  // What can be scrolled must be reachable by keyboard.
  useEffect(() => {
    box.current?.querySelectorAll<HTMLElement>('.ant-table-content').forEach((part) => {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
      else part.removeAttribute('tabindex');
    });
  });
  if (rows.length === 0 && empty) return <>{empty}</>;
  if (narrow) return <Cards rows={rows} cols={cols} id={id} label={label} />;
  return (
    <div ref={box} className="list">
    <Table<T>
      size="small"
      aria-label={label}
      rowKey={id}
      dataSource={rows}
      tableLayout={fixed ? 'fixed' : 'auto'}
      scroll={scrollX ? { x: 'max-content' } : undefined}
      pagination={rows.length > pageSize ? { pageSize, size: 'small', showSizeChanger: false, style: { marginInline: 12 } } : false}
      onRow={onOpen ? (row) => ({ onClick: (event) => { if (!(event.target as Element).closest('button,a,input')) onOpen(row); }, className: 'clickable' }) : undefined}
      columns={cols.map((col) => ({
        key: col.key, title: col.title, width: col.width, align: col.right ? 'right' : undefined, sorter: col.sort, render: (_: unknown, row: T) => col.render(row),
      }))}
    />
    </div>
  );
}

function Cards<T extends object>({ rows, cols, id, label }: Pick<Props<T>, 'rows' | 'cols' | 'id' | 'label'>) {
  const main = cols.filter((c) => c.main || c.beside);
  const acts = cols.filter((c) => c.acts);
  const rest = cols.filter((c) => !c.main && !c.beside && !c.acts && !c.wideOnly);
  return (
    <ul className="cards" aria-label={label}>
      {rows.map((row) => (
        <li key={id(row)}>
          <div className="card-main">{main.map((c) => <span key={c.key} className="wrap">{c.render(row)}</span>)}</div>
          <dl className="pairs">
            {rest.map((c) => (
              <div key={c.key} style={{ display: 'contents' }}>
                <dt>{c.title}</dt>
                <dd>{c.render(row)}</dd>
              </div>
            ))}
          </dl>
          {acts.length > 0 && <div className="acts">{acts.map((c) => <span key={c.key}>{c.render(row)}</span>)}</div>}
        </li>
      ))}
    </ul>
  );
}
