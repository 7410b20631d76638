// A list: a table on wide screens, cards on narrow ones, from the same description.
import { Pagination, Table } from 'antd';
import { type ReactNode, useEffect, useRef, useState } from 'react';
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
  /** Nothing to show for this row: its card leaves the line out. */
  blank?: (row: T) => boolean;
}

interface Props<T> {
  rows: T[];
  cols: Col<T>[];
  id: (row: T) => string;
  label: string;
  empty?: ReactNode;
  onOpen?: (row: T) => void;
  pageSize?: number;
  /** For tables wider than the page: the head stays in sight, and what scrolls to the side can be reached without going to the end. */
  scrollX?: boolean;
  /** Columns as wide as they say, in every table of a page alike. */
  fixed?: boolean;
}

/** Height of the bar, in pixels: heads stay below it. */
const BAR = 52;
/** Cards on one page: each is as high as many rows. */
const CARDS = 20;

export function List<T extends object>({ rows, cols, id, label, empty, onOpen, pageSize = 50, scrollX = false, fixed = false }: Props<T>) {
  const narrow = useNarrow();
  const box = useRef<HTMLDivElement>(null);
  // What can be scrolled must be reachable by keyboard.
  useEffect(() => {
    box.current?.querySelectorAll<HTMLElement>('.ant-table-content, .ant-table-body').forEach((part) => {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
      else part.removeAttribute('tabindex');
    });
  });
  if (rows.length === 0 && empty) return <>{empty}</>;
  if (narrow) return <Cards rows={rows} cols={cols} id={id} label={label} pageSize={Math.min(pageSize, CARDS)} />;
  return (
    <div ref={box} className="list">
    <Table<T>
      size="small"
      aria-label={label}
      rowKey={id}
      dataSource={rows}
      tableLayout={fixed ? 'fixed' : 'auto'}
      scroll={scrollX ? { x: 'max-content' } : undefined}
      sticky={scrollX ? { offsetHeader: BAR } : undefined}
      pagination={rows.length > pageSize ? { pageSize, size: 'small', showSizeChanger: false, style: { marginInline: 12 } } : false}
      onRow={onOpen ? (row) => ({ onClick: (event) => { if (!(event.target as Element).closest('button,a,input')) onOpen(row); }, className: 'clickable' }) : undefined}
      columns={cols.map((col) => ({
        key: col.key, title: col.title, width: col.width, align: col.right ? 'right' : undefined, sorter: col.sort, render: (_: unknown, row: T) => col.render(row),
      }))}
    />
    </div>
  );
}

function Cards<T extends object>({ rows, cols, id, label, pageSize }: Pick<Props<T>, 'rows' | 'cols' | 'id' | 'label'> & { pageSize: number }) {
  const [page, setPage] = useState(1);
  const box = useRef<HTMLUListElement>(null);
  const last = Math.max(1, Math.ceil(rows.length / pageSize));
  const at = Math.min(page, last);
  const turn = (next: number): void => {
    setPage(next);
    box.current?.scrollIntoView({ block: 'start' });
  };
  const main = cols.filter((c) => c.main || c.beside);
  const acts = cols.filter((c) => c.acts);
  const rest = cols.filter((c) => !c.main && !c.beside && !c.acts && !c.wideOnly);
  return (
    <>
    <ul ref={box} className="cards" aria-label={label}>
      {rows.slice((at - 1) * pageSize, at * pageSize).map((row) => (
        <li key={id(row)}>
          <div className="card-main">{main.map((c) => <span key={c.key} className="wrap">{c.render(row)}</span>)}</div>
          <dl className="pairs">
            {rest.filter((c) => !c.blank?.(row)).map((c) => (
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
    {last > 1 && <Pagination className="cards-pages" simple current={at} pageSize={pageSize} total={rows.length} onChange={turn} showSizeChanger={false} />}
    </>
  );
}
