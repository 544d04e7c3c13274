import { Button } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';

import { asProblem } from '../api/problem';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import './notice.css';

/** A refusal or failure in plain words, with what to do about it. */
export function ProblemNotice({ error, heading, onRetry }: { error: unknown; heading?: string; onRetry?: () => void }) {
  const { t, language } = useLanguage();
  const problem = asProblem(error);
  const words = wordsOf(language, problem);
  return (
    <div className="notice notice-problem" role="alert">
      {heading !== undefined && <p className="notice-heading">{heading}</p>}
      <p className="notice-title">{words.title}</p>
      {words.remedy !== null && <p>{words.remedy}</p>}
      {(words.expected ?? words.found) !== null && (
        <dl className="notice-facts">
          {words.expected !== null && <Fact name={t('problem.expected')} value={words.expected} />}
          {words.found !== null && <Fact name={t('problem.found')} value={words.found} />}
        </dl>
      )}
      {problem.status === 404 && <Link to="/">{t('notFound.home')}</Link>}
      {onRetry !== undefined && problem.status !== 404 && (
        <Button size="small" onClick={onRetry}>
          {t('app.retry')}
        </Button>
      )}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What a list shows when it has nothing: why, and what to do. */
export function Empty({ title, text, action }: { title: string; text?: string; action?: ReactNode }) {
  return (
    <div className="empty">
      <svg viewBox="0 0 120 40" aria-hidden="true" className="empty-line">
        <path d="M0 24h40l5-3 5 3h6l4-17 6 26 4-9h6l6-4 6 4h38" />
      </svg>
      <p className="empty-title">{title}</p>
      {text !== undefined && <p>{text}</p>}
      {action}
    </div>
  );
}
