import type { ReactNode } from 'react';
import './table.css';

export interface Column<Row> {
  key: string;
  heading: string;
  width?: number | string;
  cell: (row: Row) => ReactNode;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  /** null while the first answer is awaited. */
  rows: readonly Row[] | null;
  rowKey: (row: Row) => string;
  /** What to show below a row; null is nothing. */
  below?: (row: Row) => ReactNode;
  old?: boolean;
}

const SKELETON_ROWS = 8;

/** A plain dense table with a fixed head. */
export function Table<Row>({ label, columns, rows, rowKey, below, old = false }: TableProps<Row>) {
  return (
    <div className={`table-scroll${old ? ' table-old' : ''}`}>
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
          {rows?.map((row) => <Rows key={rowKey(row)} row={row} columns={columns} below={below?.(row) ?? null} />)}
        </tbody>
      </table>
    </div>
  );
}

function Rows<Row>({ row, columns, below }: { row: Row; columns: readonly Column<Row>[]; below: ReactNode }) {
  return (
    <>
      <tr>
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
