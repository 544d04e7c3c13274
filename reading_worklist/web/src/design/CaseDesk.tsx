import { Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';

import { Empty, ProblemNotice } from './Notice';
import { Pager } from './Pager';
import { useShortcuts } from './shortcuts';
import './desk.css';

interface CaseDeskProps<Item> {
  /** The case that is looked at. */
  id: string | undefined;
  /** The page of the list, as it is asked for. */
  query: {
    data: { items: readonly Item[]; total: number } | undefined;
    isPending: boolean;
    isError: boolean;
    error: unknown;
    refetch: () => unknown;
  };
  /** Says what the list holds. */
  label: string;
  failed: string;
  empty: { title: string; text: string };
  /** Where nothing has been chosen. */
  choose: string;
  page: number;
  pageSize: number;
  onPage: (page: number) => void;
  /** The address of a case. */
  path: (item: Item) => string;
  line: (item: Item, selected: boolean) => ReactNode;
  children: (id: string) => ReactNode;
}

/** A list of cases and the one that is looked at beside it; j and k go from one to the next. */
export function CaseDesk<Item extends { id: string }>(props: CaseDeskProps<Item>) {
  const { id, query, page, pageSize } = props;
  const navigate = useNavigate();
  const items = query.data?.items ?? [];
  const step = (by: number): boolean => {
    const at = items.findIndex((one) => one.id === id);
    const next = items[at < 0 ? 0 : at + by];
    if (next === undefined) return false;
    void navigate(props.path(next));
    return true;
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  return (
    <>
      {query.isError && (
        <div className="page-problem">
          <ProblemNotice heading={props.failed} error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      <div className="desk">
        <nav className="desk-list" aria-label={props.label} aria-busy={query.isPending}>
          {query.isPending && <Skeleton active className="desk-loading" />}
          {query.data?.total === 0 && <Empty {...props.empty} />}
          {items.map((one) => props.line(one, one.id === id))}
          <Pager page={page} pageSize={pageSize} total={query.data?.total ?? 0} onPage={props.onPage} />
        </nav>
        <div className="desk-case">
          {id === undefined ? <p className="desk-choose">{props.choose}</p> : props.children(id)}
        </div>
      </div>
    </>
  );
}
