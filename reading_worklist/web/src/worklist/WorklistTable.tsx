import { ArrowDownOutlined, ArrowUpOutlined } from '@ant-design/icons';
import {
  type CSSProperties,
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';

import { throttled } from '../api/throttle';
import type { WorklistLine } from '../api/types';
import { useMinute } from '../design/clock';
import { useLanguage } from '../i18n/language';
import {
  chosenColumns,
  columnOf,
  type ColumnName,
  columnsFor,
  columnWidth,
  MARK_WIDTH,
  nextSort,
  widthOf,
} from './columns';
import type { Sort } from './filters';
import type { Range, Rows } from './queries';
import { HEAD_HEIGHT, placeFor, ROW_HEIGHT, shownRows, steppedTop } from './scrolling';
import type { Selection } from './selection';
import { useSteadyPlace } from './useSteadyPlace';
import { type RowActs, WorklistRow } from './WorklistRow';

const RANGE_DELAY = 60;
const RANGE_INTERVAL = 150;

export interface TableHandle {
  toTop: () => void;
  /** How many rows fit. */
  pageSize: () => number;
}

interface WorklistTableProps {
  ref: Ref<TableHandle>;
  rows: Rows;
  /** Names the list: another one begins at its top. */
  listKey: string;
  loading: boolean;
  /** The rows belong to an earlier list while the new one loads. */
  old: boolean;
  kept: readonly string[];
  sort: Sort | null;
  selection: Selection;
  /** null where nobody marks rows. */
  marked: ReadonlySet<string> | null;
  claiming: string | null;
  me: string;
  acts: RowActs;
  onRange: (range: Range) => void;
  onSort: (sort: Sort | null) => void;
}

/** The list itself. Only the rows that are seen are in the page, so that its length costs nothing. */
export function WorklistTable(props: WorklistTableProps) {
  const { ref, rows, listKey, old, kept, selection, marked, onRange } = props;
  const { t } = useLanguage();
  const now = useMinute();
  const { scroller, above, scrolled, pointed, left, justMoved } = useSteadyPlace(rows, listKey, old);
  const [top, setTop] = useState(0);
  const [size, setSize] = useState({ width: 1024, height: 600 });
  const { first, last } = shownRows(top, size.height, rows.total);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);

  const acts = useGuarded(props.acts, justMoved);

  // While somebody flies through the list only every so often is asked for rows.
  const wish = useRef({ first, last });
  const asking = useRef<ReturnType<typeof throttled> | null>(null);
  useEffect(() => {
    const ask = throttled(() => onRange(wish.current), RANGE_DELAY, RANGE_INTERVAL);
    asking.current = ask;
    return () => ask.cancel();
  }, [onRange]);
  useEffect(() => {
    wish.current = { first, last };
    asking.current?.run();
  }, [first, last]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null || selection.index === null) return;
    element.scrollTo({ top: placeFor(selection.index, element.scrollTop, element.clientHeight) });
  }, [selection.index, scroller]);

  useImperativeHandle(
    ref,
    () => ({
      toTop: () => scroller.current?.scrollTo({ top: 0 }),
      pageSize: () => Math.max(1, Math.floor((size.height - HEAD_HEIGHT) / ROW_HEIGHT) - 1),
    }),
    [size.height, scroller],
  );

  const markWidth = marked === null ? 0 : MARK_WIDTH;
  const columns = useMemo(
    () => chosenColumns(kept) ?? columnsFor(size.width - markWidth),
    [kept, size.width, markWidth],
  );
  const style: CSSProperties = { minWidth: widthOf(columns, size.width) + markWidth };
  return (
    <div className="worklist-list">
      {above > 0 && (
        <button type="button" className="worklist-above" onClick={() => scroller.current?.scrollTo({ top: 0 })}>
          <ArrowUpOutlined /> {t('worklist.newAbove', { n: above })}
        </button>
      )}
      {/* The keyboard moves a selection, not the focus, so it must be said. */}
      <p className="visually-hidden" role="status">
        {selection.selected !== null && t('worklist.selected', { patient: selection.selected.patient.name })}
      </p>
      <div
        ref={scroller}
        className={`worklist-scroll${old ? ' worklist-old' : ''}`}
        onScroll={(event) => {
          setTop(steppedTop(event.currentTarget.scrollTop));
          scrolled();
        }}
        onPointerMove={pointed}
        onPointerLeave={left}
      >
        <table
          className="worklist-table"
          style={style}
          aria-label={t('worklist.table')}
          aria-busy={props.loading || old}
          aria-rowcount={rows.total + 1}
        >
          <colgroup>
            {marked !== null && <col style={{ width: MARK_WIDTH }} />}
            {columns.map((name) => (
              <col key={name} style={name === 'study' ? undefined : { width: columnWidth(name, size.width) }} />
            ))}
          </colgroup>
          <thead>
            <tr>
              {marked !== null && <th className="col-mark" aria-label={t('worklist.column.mark')} />}
              {columns.map((name) => (
                <Heading key={name} name={name} sort={props.sort} onSort={props.onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {props.loading ? (
              Array.from({ length: 12 }, (_, row) => <WaitingRow key={row} columns={columns} marks={marked !== null} />)
            ) : (
              <ShownRows {...props} acts={acts} columns={columns} now={now} first={first} last={last} />
            )}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function ShownRows({
  rows,
  first,
  last,
  columns,
  now,
  marked,
  selection,
  claiming,
  me,
  acts,
}: WorklistTableProps & { first: number; last: number; columns: readonly ColumnName[]; now: number }) {
  const shown: ReactNode[] = [];
  for (let index = first; index < last; index += 1) {
    const item = rows.at(index);
    shown.push(
      item === undefined ? (
        <WaitingRow
          key={`waiting-${index}`}
          columns={columns}
          marks={marked !== null}
          selected={index === selection.index}
        />
      ) : (
        <WorklistRow
          key={item.id}
          item={item}
          index={index}
          columns={columns}
          marked={marked === null ? null : marked.has(item.id)}
          selected={index === selection.index}
          claiming={item.id === claiming}
          me={me}
          now={now}
          acts={acts}
        />
      ),
    );
  }
  return (
    <>
      <Gap rows={first} />
      {shown}
      <Gap rows={rows.total - last} />
    </>
  );
}

/** Room for the rows that nobody sees. */
function Gap({ rows }: { rows: number }) {
  return rows > 0 ? <tr aria-hidden="true" className="worklist-gap" style={{ height: rows * ROW_HEIGHT }} /> : null;
}

function Heading({ name, sort, onSort }: { name: ColumnName; sort: Sort | null; onSort: (sort: Sort | null) => void }) {
  const { t } = useLanguage();
  const { heading, sorts = [] } = columnOf(name);
  const text = t(heading);
  if (sorts.length === 0) {
    return (
      <th scope="col" className={`col-${name}`}>
        {text}
      </th>
    );
  }
  const active = sort !== null && sorts.includes(sort);
  const down = sort === 'newest';
  return (
    <th scope="col" className={`col-${name}`} aria-sort={active ? (down ? 'descending' : 'ascending') : 'none'}>
      <button
        type="button"
        className={`column-sort${active ? ' column-sorted' : ''}`}
        title={t('worklist.sortBy', { column: text })}
        onClick={() => onSort(nextSort(name, sort))}
      >
        {text}
        {active && (down ? <ArrowDownOutlined /> : <ArrowUpOutlined />)}
      </button>
    </th>
  );
}

function WaitingRow({
  columns,
  marks,
  selected = false,
}: {
  columns: readonly ColumnName[];
  marks: boolean;
  selected?: boolean;
}) {
  return (
    <tr className="worklist-skeleton" aria-hidden="true" aria-selected={selected}>
      {marks && <td className="col-mark" />}
      {columns.map((name) => (
        <td key={name} className={`col-${name}`}>
          <span />
        </td>
      ))}
    </tr>
  );
}

/** A press that was meant for the row that has just moved away takes nothing. */
function useGuarded(acts: RowActs, justMoved: () => boolean): RowActs {
  return useMemo(
    () => ({
      ...acts,
      claim: (item: WorklistLine) => {
        if (!justMoved()) acts.claim(item);
      },
    }),
    [acts, justMoved],
  );
}
