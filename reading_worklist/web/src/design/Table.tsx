import type { ReactNode } from 'react';
import './table.css';

export interface Column<Row> {
  key: string;
  heading: string;
  width?: number | string;
  cell: (row: Row) => ReactNode;
}

export interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  /** null while the first answer is awaited. */
  rows: readonly Row[] | null;
  rowKey: (row: Row) => string;
  /** What to show below a row; null is nothing. */
  below?: (row: Row) => ReactNode;
  /** What a click on a row does, beside the link that the row holds for the keyboard. */
  onRow?: (row: Row) => void;
  old?: boolean;
  /** Nothing in the rows takes the keyboard: the table does, to be scrolled. */
  plain?: boolean;
}

const SKELETON_ROWS = 8;

/** A plain dense table with a fixed head. */
export function Table<Row>({
  label,
  columns,
  rows,
  rowKey,
  below,
  onRow,
  old = false,
  plain = false,
}: TableProps<Row>) {
  return (
    <div className={`table-scroll${old ? ' table-old' : ''}`} {...(plain ? { tabIndex: 0 } : {})}>
      <table className="table" aria-label={label} aria-busy={rows === null || old}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" style={column.width === undefined ? undefined : { width: column.width }}>
                {column.heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === null &&
            Array.from({ length: SKELETON_ROWS }, (_, index) => (
              <tr key={index} className="table-skeleton" aria-hidden="true">
                {columns.map((column) => (
                  <td key={column.key}>
                    <span />
                  </td>
                ))}
              </tr>
            ))}
          {rows?.map((row) => (
            <Rows
              key={rowKey(row)}
              row={row}
              columns={columns}
              below={below?.(row) ?? null}
              {...(onRow === undefined ? {} : { onRow })}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rows<Row>({
  row,
  columns,
  below,
  onRow,
}: {
  row: Row;
  columns: readonly Column<Row>[];
  below: ReactNode;
  onRow?: (row: Row) => void;
}) {
  return (
    <>
      <tr
        className={onRow === undefined ? undefined : 'table-pressable'}
        onClick={(event) => isPlain(event.target) && onRow?.(row)}
      >
        {columns.map((column) => (
          <td key={column.key}>{column.cell(row)}</td>
        ))}
      </tr>
      {below !== null && (
        <tr className="table-below">
          <td colSpan={columns.length}>{below}</td>
        </tr>
      )}
    </>
  );
}

/** Whether a click fell on the row itself and not on a link or button in it, which has its own doing. */
function isPlain(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button') === null;
}
