import { LeftOutlined, RightOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import type { ReactNode } from 'react';

import { useLanguage } from '../i18n/language';
import './pager.css';

interface PagerProps {
  page: number;
  pageSize: number;
  total: number;
  onPage: (page: number) => void;
  children?: ReactNode;
}

/** Where in the list one is, and the way to the next page; nothing where nothing is. */
export function Pager({ page, pageSize, total, onPage, children }: PagerProps) {
  const { t } = useLanguage();
  if (total === 0 && page === 1 && children === undefined) return null;
  const pages = Math.max(1, Math.ceil(total / pageSize));
  const from = Math.min(total, (page - 1) * pageSize + 1);
  const to = Math.min(total, page * pageSize);
  return (
    <footer className="pager">
      {children}
      <span className="pager-space" />
      {/* Nothing is counted while nothing is there: the page says elsewhere whether it loads, failed or is empty. */}
      <span aria-live="polite">{total > 0 && t('list.page', { from, to, total })}</span>
      <Button
        size="small"
        icon={<LeftOutlined />}
        aria-label={t('list.previousPage')}
        disabled={page <= 1}
        onClick={() => onPage(page - 1)}
      />
      <Button
        size="small"
        icon={<RightOutlined />}
        aria-label={t('list.nextPage')}
        disabled={page >= pages}
        onClick={() => onPage(page + 1)}
      />
    </footer>
  );
}
