import { ArrowDownOutlined, ArrowUpOutlined } from '@ant-design/icons';
import { type Ref, type RefObject, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';

import { throttled } from '../api/throttle';
import type { WorklistLine } from '../api/types';
import { useMinute } from '../design/clock';
import { useLanguage } from '../i18n/language';
import {
  chosenColumns,
  columnOf,
  columnsFor,
  MARK_WIDTH,
  nextSort,
  type ShownColumn,
  shownColumns,
  widthOf,
} from './columns';
import type { Sort } from './filters';
import { CHUNK, type Range, type Rows } from './queries';
import { chunksAround, firstShown, HEAD_HEIGHT, inSlots, placeFor, ROW_HEIGHT, shownRows, slotsFor } from './scrolling';
import type { Selection } from './selection';
import { useSteadyPlace } from './useSteadyPlace';
import { type RowActs, WorklistRow } from './WorklistRow';

const RANGE_DELAY = 60;
const RANGE_INTERVAL = 150;
/** So long after its last step a list counts as standing still. */
const STANDS_STILL = 200;
const WAITING_ROWS = 12;

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
  /** Which chunks are needed now or soon. */
  onRange: (range: Range) => void;
  onSort: (sort: Sort | null) => void;
}

/** The list itself. Only the rows that are seen are in the page, so that its length costs nothing. */
export function WorklistTable(props: WorklistTableProps) {
  const { ref, rows, listKey, old, kept, selection, marked } = props;
  const { t } = useLanguage();
  const { scroller, above, scrolled, pointed, left, justMoved } = useSteadyPlace(rows, listKey, old);
  const [size, setSize] = useState({ width: 1024, height: 600 });

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
    () => shownColumns(chosenColumns(kept) ?? columnsFor(size.width - markWidth), size.width),
    [kept, size.width, markWidth],
  );
  const names = columns.map((column) => column.name);
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
        onScroll={scrolled}
        onPointerMove={pointed}
        onPointerLeave={left}
      >
        <div
          role="table"
          className="worklist-table"
          style={{ minWidth: widthOf(names, size.width) + markWidth }}
          aria-label={t('worklist.table')}
          aria-busy={props.loading || old}
          aria-rowcount={rows.total + 1}
        >
          <div role="rowgroup" className="worklist-head">
            <div role="row" aria-rowindex={1}>
              {marked !== null && (
                <div role="columnheader" className="col-mark" aria-label={t('worklist.column.mark')} />
              )}
              {columns.map((column) => (
                <Heading key={column.name} column={column} sort={props.sort} onSort={props.onSort} />
              ))}
            </div>
          </div>
          <ShownRows {...props} scroller={scroller} height={size.height} acts={acts} columns={columns} />
        </div>
      </div>
    </div>
  );
}

interface ShownRowsProps extends WorklistTableProps {
  scroller: RefObject<HTMLDivElement | null>;
  /** Of the scroller, in pixels. */
  height: number;
  columns: readonly ShownColumn[];
}

/** The rows that are seen and some around them; of all the page only this is drawn while one scrolls. */
function ShownRows(props: ShownRowsProps) {
  const { rows, scroller, height, columns, marked, selection, claiming, me, acts, onRange } = props;
  const now = useMinute();
  const slots = slotsFor(height);
  const [at, setAt] = useState(0);
  const [settled, setSettled] = useState(0);
  const total = props.loading ? WAITING_ROWS : rows.total;
  const { first, last } = shownRows(at, slots, total);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    let still: ReturnType<typeof setTimeout> | undefined;
    const step = (): void => {
      const next = firstShown(element.scrollTop);
      setAt(next);
      clearTimeout(still);
      // Who goes through the page by Tab or hears it read goes from the first row to the last.
      still = setTimeout(() => setSettled(next), STANDS_STILL);
    };
    element.addEventListener('scroll', step, { passive: true });
    return () => {
      element.removeEventListener('scroll', step);
      clearTimeout(still);
    };
  }, [scroller]);

  // While somebody flies through the list only every so often is asked for rows.
  const chunks = chunksAround(first, last, CHUNK);
  const wish = useRef(chunks);
  const asking = useRef<ReturnType<typeof throttled> | null>(null);
  useEffect(() => {
    const ask = throttled(() => onRange(wish.current), RANGE_DELAY, RANGE_INTERVAL);
    asking.current = ask;
    return () => ask.cancel();
  }, [onRange]);
  useEffect(() => {
    wish.current = { first: chunks.first, last: chunks.last };
    asking.current?.run();
  }, [chunks.first, chunks.last]);

  return (
    <div role="rowgroup" className="worklist-rows" style={{ height: total * ROW_HEIGHT }}>
      {inSlots(first, last, slots, settled).map((index) => {
        const item = props.loading ? undefined : rows.at(index);
        return (
          <WorklistRow
            key={index % slots}
            item={item}
            index={index}
            columns={columns}
            marked={marked === null ? null : item !== undefined && marked.has(item.id)}
            selected={index === selection.index}
            endsStat={item?.priority === 'STAT' && rows.at(index + 1)?.priority !== 'STAT'}
            claiming={item?.id === claiming}
            me={me}
            now={now}
            acts={acts}
          />
        );
      })}
    </div>
  );
}

function Heading({
  column,
  sort,
  onSort,
}: {
  column: ShownColumn;
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
}) {
  const { t } = useLanguage();
  const { name, style } = column;
  const { heading, sorts = [] } = columnOf(name);
  const text = t(heading);
  if (sorts.length === 0) {
    return (
      <div role="columnheader" className={`col-${name}`} style={style}>
        {text}
      </div>
    );
  }
  const active = sort !== null && sorts.includes(sort);
  const down = sort === 'newest';
  return (
    <div
      role="columnheader"
      className={`col-${name}`}
      style={style}
      aria-sort={active ? (down ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        className={`column-sort${active ? ' column-sorted' : ''}`}
        title={t('worklist.sortBy', { column: text })}
        onClick={() => onSort(nextSort(name, sort))}
      >
        {text}
        {active && (down ? <ArrowDownOutlined /> : <ArrowUpOutlined />)}
      </button>
    </div>
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
