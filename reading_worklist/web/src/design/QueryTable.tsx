import { Empty, ProblemNotice } from './Notice';
import { type Column, Table } from './Table';

/** Rows as they were asked for of the server. */
export interface QueriedRows<Row> {
  data: readonly Row[] | undefined;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
  isPlaceholderData?: boolean;
}

/** A table of what the server answered: the skeleton before, what to read where nothing is, and why it failed. */
export function QueryTable<Row>({
  query,
  failed,
  empty,
  ...table
}: {
  query: QueriedRows<Row>;
  /** What could not be loaded. */
  failed?: string;
  empty?: { title: string; text: string };
  label: string;
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  plain?: boolean;
}) {
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
      {query.data?.length === 0 && empty !== undefined ? (
        <div className="page-empty">
          <Empty {...empty} />
        </div>
      ) : (
        <Table {...table} rows={query.data ?? (query.isError ? [] : null)} old={query.isPlaceholderData === true} />
      )}
    </>
  );
}
