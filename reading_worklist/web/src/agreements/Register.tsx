import { App } from 'antd';
import type { ReactNode } from 'react';

import { Empty, ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { ConfirmDialog } from './ConfirmDialog';

interface RegisterProps<Row> {
  /** What stands above the table: what it is for and how something is added. */
  children: ReactNode;
  label: string;
  query: {
    data: readonly Row[] | undefined;
    isError: boolean;
    error: unknown;
    refetch: () => unknown;
  };
  columns: readonly Column<Row>[];
  empty: { title: string; text: string };
  /** What is about to be ended before its time; null while nothing is. */
  ending: Row | null;
  end: { title: string; text: string; done: string; act: (row: Row) => Promise<unknown> };
  onEnded: () => void;
}

/** Dated entries that hold from a day to a day and can be ended before, each asked for once more. */
export function Register<Row extends { id: string }>(props: RegisterProps<Row>) {
  const { query, empty, ending, end } = props;
  const { t } = useLanguage();
  const { message } = App.useApp();
  return (
    <>
      <p className="agreements-note">{props.children}</p>
      {query.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('agreements.failed')} error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {query.data?.length === 0 ? (
        <div className="page-empty">
          <Empty {...empty} />
        </div>
      ) : (
        <Table
          label={props.label}
          columns={props.columns}
          rows={query.data ?? (query.isError ? [] : null)}
          rowKey={(one) => one.id}
        />
      )}
      {ending !== null && (
        <ConfirmDialog
          title={end.title}
          text={end.text}
          onConfirm={async () => {
            await end.act(ending);
            void message.success(end.done);
          }}
          onClose={props.onEnded}
        />
      )}
    </>
  );
}
