import { Empty, ProblemNotice } from './Notice';
import { Table, type TableProps } from './Table';

/** One page of a list; `total` counts the rows of all its pages. */
interface Paged<Row> {
  items: readonly Row[];
  total?: number;
}

/** Rows as they were asked for of the server: all of them, or a page. */
export interface QueriedRows<Row> {
  data: readonly Row[] | Paged<Row> | undefined;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
  isPlaceholderData?: boolean;
}

interface QueryTableProps<Row> extends Omit<TableProps<Row>, 'rows' | 'old'> {
  query: QueriedRows<Row>;
  /** What could not be loaded. */
  failed?: string;
  /** What to read instead of a table without rows. */
  empty?: { title: string; text?: string } | undefined;
}

/** A table of what the server answered: the skeleton before, what to read where nothing is, and why it failed. */
export function QueryTable<Row>({ query, failed, empty, ...table }: QueryTableProps<Row>) {
  const { data } = query;
  const rows = data !== undefined && 'items' in data ? data.items : data;
  const total = data !== undefined && 'items' in data ? data.total : undefined;
  return (
    <>
      {query.isError && (
        <div className="page-problem">
          <ProblemNotice
            error={query.error}
            onRetry={() => void query.refetch()}
            {...(failed === undefined ? {} : { heading: failed })}
          />
        </div>
      )}
      {(total ?? rows?.length) === 0 && empty !== undefined ? (
        <div className="page-empty">
          <Empty {...empty} />
        </div>
      ) : (
        <Table {...table} rows={rows ?? (query.isError ? [] : null)} old={query.isPlaceholderData === true} />
      )}
    </>
  );
}
