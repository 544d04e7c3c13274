import { App } from 'antd';
import type { ReactNode } from 'react';

import { type QueriedRows, QueryTable } from '../design/QueryTable';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { ConfirmDialog } from './ConfirmDialog';

interface RegisterProps<Row> {
  /** What stands above the table: what it is for and how something is added. */
  children: ReactNode;
  label: string;
  query: QueriedRows<Row>;
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
      <QueryTable
        query={query}
        failed={t('agreements.failed')}
        empty={empty}
        label={props.label}
        columns={props.columns}
        rowKey={(one) => one.id}
      />
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
